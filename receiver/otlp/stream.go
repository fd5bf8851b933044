package otlp

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/sonde-dev/sonde/telemetry/result"
)

// origin is a process and a scope in it: where sums are counted.
type origin struct {
	identity []byte // a digest of what tells it apart
	plain    string // the stream of points with no attribute of one run only
}

// newOrigin returns the origin of the metrics of a scope.
func newOrigin(resource pcommon.Resource, scope pcommon.InstrumentationScope) origin {
	var id []byte
	for _, key := range []string{"k8s.pod.uid", "k8s.container.name", "service.instance.id", "process.pid"} {
		text := ""
		if value, ok := resource.Attributes().Get(key); ok {
			text = value.AsString()
		}
		id = appendText(id, text)
	}
	id = appendText(appendText(id, scope.Name()), scope.Version())
	var attrs []result.Label
	for key, value := range scope.Attributes().All() {
		attrs = append(attrs, result.Label{Name: key, Value: value.AsString()})
	}
	id = appendLabels(id, byName(attrs))
	digest := sha256.Sum256(id) // it is hashed again with each point that has attributes of one run
	return origin{identity: digest[:], plain: hash(digest[:])}
}

// stream returns what tells the stream of a point apart from others of its name and
// labels: ofRun are the attributes that its labels are without.
func (o origin) stream(ofRun []result.Label) string {
	if len(ofRun) == 0 {
		return o.plain
	}
	return hash(appendLabels(slices.Clip(o.identity), ofRun))
}

// hash returns 16 hex digits: a run has a few streams of one series, of which two
// are alike once in 2^63, and each is written to a journal.
func hash(identity []byte) string {
	sum := sha256.Sum256(identity)
	return hex.EncodeToString(sum[:8])
}

// appendLabels appends labels and how many they are.
func appendLabels(dst []byte, labels []result.Label) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(labels)))
	for _, l := range labels {
		dst = appendText(appendText(dst, l.Name), l.Value)
	}
	return dst
}

// appendText puts the length before the text, so that no text can look like two.
func appendText(dst []byte, s string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

// isOfRun says whether the attribute key of a point differs from run to run, so that
// as a label it would make new series for ever. The list is part of the
// documentation (docs/spec/results.md).
func isOfRun(key string) bool {
	switch key {
	case "service.instance.id", "host.name", "host.id", "process.pid", "process.parent_pid", "container.id",
		"sonde.run.id", "cicd.pipeline.run.id", "cicd.pipeline.run.url.full",
		"cicd.pipeline.task.run.id", "cicd.pipeline.task.run.url.full":
		return true
	}
	for _, prefix := range []string{"k8s.pod.", "k8s.job.", "k8s.node.", "k8s.container.", "k8s.replicaset."} {
		if strings.HasPrefix(key, prefix) {
			return true
		}
	}
	return false
}
