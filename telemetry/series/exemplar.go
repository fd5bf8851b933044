package series

import (
	"encoding/hex"

	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/sonde-dev/sonde/telemetry/result"
)

// traceOf returns the id of a run's trace, 16 bytes of which the last 8 are the id
// of its root span; nil if the run has none, as a missed one.
func traceOf(r result.Run) []byte {
	id, err := hex.DecodeString(r.TraceID())
	if err != nil || len(id) != 16 {
		return nil
	}
	return id
}

// exemplars returns the exemplar that opens the trace of a tally's last run. The
// slice is the caller's; the ids are never changed.
func (t tally) exemplars() []metricdata.Exemplar[int64] {
	if t.trace == nil {
		return nil
	}
	return []metricdata.Exemplar[int64]{{Time: t.at, Value: 1, TraceID: t.trace, SpanID: t.trace[8:]}}
}
