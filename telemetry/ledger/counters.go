package ledger

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/sonde-dev/sonde/telemetry/result"
)

// counters tell of what the ledger could not count.
type counters struct {
	contradictions metric.Int64Counter
	drops          metric.Int64Counter
}

func newCounters(m metric.Meter) (counters, error) {
	contradictions, err1 := m.Int64Counter("sonde.reports.contradictory",
		metric.WithUnit("{report}"), metric.WithDescription("Reports that claim the opposite of an earlier one of the same attempt."))
	drops, err2 := m.Int64Counter("sonde.reports.dropped",
		metric.WithUnit("{report}"), metric.WithDescription("Reports that were held for a run which then turned out to be unknown, foreign or over."))
	c := counters{contradictions: contradictions, drops: drops}
	if err := errors.Join(err1, err2); err != nil {
		return counters{}, err
	}
	ctx := context.Background()
	contradictions.Add(ctx, 0)
	for _, why := range []string{"unknown_run", "foreign", "run_over"} {
		drops.Add(ctx, 0, reason(why))
	}
	return c, nil
}

func (c counters) contradiction() { c.contradictions.Add(context.Background(), 1) }

func (c counters) unknownRun(reports int) {
	c.drops.Add(context.Background(), int64(reports), reason("unknown_run"))
}

func (c counters) dropped(err error) {
	why := "run_over"
	if errors.Is(err, result.ErrForeign) {
		why = "foreign"
	}
	c.drops.Add(context.Background(), 1, reason(why))
}

func reason(why string) metric.MeasurementOption {
	return metric.WithAttributes(attribute.String("reason", why))
}
