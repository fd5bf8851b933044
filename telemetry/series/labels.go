package series

import (
	"cmp"
	"encoding/binary"
	"hash/fnv"
	"slices"
	"strings"

	"go.opentelemetry.io/otel/attribute"

	"github.com/sonde-dev/sonde/telemetry/result"
)

// label is a label of a sample with the name that Prometheus knows it by.
type label struct{ translated, name, value string }

// canonical appends to dst those of labels that make a series what it is, in order
// of translated name: not those whose name the identity has taken, nor those
// without a value, which Prometheus takes for absent. aside tells apart what was left
// out for the identity: what differs only there is counted in streams of its own.
func canonical(dst []label, labels []result.Label, taken map[string]bool) (kept []label, aside uint64) {
	for _, l := range labels {
		translated, err := labelName(l.Name)
		if err != nil || l.Value == "" {
			continue
		}
		if taken[translated] {
			aside ^= hashLabel(translated, l.Value)
			continue
		}
		dst = append(dst, label{translated, l.Name, l.Value})
	}
	slices.SortStableFunc(dst, func(a, b label) int { return cmp.Compare(a.translated, b.translated) })
	return slices.CompactFunc(dst, func(a, b label) bool { return a.translated == b.translated }), aside
}

// hashLabel returns a number that is the same in every process. Those of several labels
// are combined by exclusive or, in whatever order they are left out.
func hashLabel(translated, value string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write(appendText(appendText(nil, translated), value)) // it cannot fail
	return h.Sum64()
}

// appendKey appends what tells the series of a check apart. Lengths go before the
// text, so that no text can look like two.
func appendKey(dst []byte, family string, labels []label) []byte {
	dst = appendText(dst, family)
	for _, l := range labels {
		dst = appendText(appendText(dst, l.translated), l.value)
	}
	return dst
}

func appendText(dst []byte, s string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

// owned returns a copy of labels that keeps no larger text alive, as a report's
// whole body.
func owned(labels []label) []label {
	out := make([]label, len(labels))
	for i, l := range labels {
		out[i] = label{strings.Clone(l.translated), strings.Clone(l.name), strings.Clone(l.value)}
	}
	return out
}

// attributes returns the identity together with labels.
func (id identity) attributes(labels []label) attribute.Set {
	attrs := slices.Grow(slices.Clone(id.attrs), len(labels))
	for _, l := range labels {
		attrs = append(attrs, attribute.String(l.name, l.value))
	}
	return attribute.NewSet(attrs...)
}
