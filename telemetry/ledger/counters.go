package ledger

import (
	"context"
	"errors"
	"sync/atomic"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// counters tell of what the ledger could not count. They are read when metrics are
// collected.
type counters struct {
	contradictory atomic.Int64
	passedOver    atomic.Int64 // runs

	// Reports that were held for a run which turned out to be one of these.
	unknownRun, runOver atomic.Int64
}

// newCounters makes the counters and the instruments that show them.
func newCounters(m metric.Meter) (*counters, error) {
	c := &counters{}
	_, err1 := m.Int64ObservableCounter("sonde.reports.contradictory",
		metric.WithUnit("{report}"), metric.WithDescription("Reports that claim the opposite of an earlier one of the same attempt."),
		metric.WithInt64Callback(func(_ context.Context, o metric.Int64Observer) error {
			o.Observe(c.contradictory.Load())
			return nil
		}))
	_, err2 := m.Int64ObservableCounter("sonde.reports.dropped",
		metric.WithUnit("{report}"), metric.WithDescription("Reports that were held for a run which then turned out to be unknown, or over."),
		metric.WithInt64Callback(func(_ context.Context, o metric.Int64Observer) error {
			o.Observe(c.unknownRun.Load(), reason("unknown_run"))
			o.Observe(c.runOver.Load(), reason("run_over"))
			return nil
		}))
	_, err3 := m.Int64ObservableCounter("sonde.runs.passed_over",
		metric.WithUnit("{run}"), metric.WithDescription("Runs that had ended before this process began to listen, and got no verdict from it."),
		metric.WithInt64Callback(func(_ context.Context, o metric.Int64Observer) error {
			o.Observe(c.passedOver.Load())
			return nil
		}))
	return c, errors.Join(err1, err2, err3)
}

func reason(why string) metric.MeasurementOption {
	return metric.WithAttributes(attribute.String("reason", why))
}
