package otlp

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sonde-dev/sonde/telemetry/result"
)

// The reasons for which a point is rejected before it comes to a Sink, next to
// those of package result.
const (
	Invalid         result.Rejected = "invalid"          // a fault of the point itself
	UnsupportedKind result.Rejected = "unsupported_kind" // a kind of metric that is not taken yet
	RequestLimit    result.Rejected = "request_limit"    // one request has more than MaxPoints
)

// Reasons returns every reason for which a point may be rejected. The slice is the
// caller's.
func Reasons() []result.Rejected {
	return []result.Rejected{
		Invalid, UnsupportedKind, RequestLimit,
		result.RejectedType, result.RejectedCheckLimit, result.RejectedTotalLimit, result.RejectedStreams,
	}
}

const (
	// maxSentences is how many different reasons the sender is told. An SDK prints
	// them to a log, and a person mends the first ones.
	maxSentences = 5

	// maxSentenceBytes bounds each of them: 5 are 2.5 KB in an answer.
	maxSentenceBytes = 512
)

// Rejected is what was not taken of a request. The zero value is nothing.
type Rejected struct {
	Points    int // in all
	ByReason  map[result.Rejected]int
	sentences []string // the first different ones
	untold    int      // points whose sentence is not among them
}

// Add counts n points of a metric that were rejected. detail is a sentence without
// its subject, which is the metric.
func (r *Rejected) Add(n int, reason result.Rejected, metric, detail string) {
	if n == 0 {
		return
	}
	if r.ByReason == nil {
		r.ByReason = map[result.Rejected]int{}
	}
	r.Points += n
	r.ByReason[reason] += n
	sentence := detail
	if metric != "" {
		sentence = fmt.Sprintf("metric %q: %s", metric, detail)
	}
	sentence = result.Truncate(sentence, maxSentenceBytes)
	switch {
	case slices.Contains(r.sentences, sentence):
	case len(r.sentences) == maxSentences:
		r.untold += n
	default:
		r.sentences = append(r.sentences, sentence)
	}
}

// Message returns why, for the sender; empty if nothing was rejected.
func (r *Rejected) Message() string {
	message := strings.Join(r.sentences, "; ")
	if r.untold > 0 {
		message += fmt.Sprintf("; and %d more points for other reasons", r.untold)
	}
	return message
}
