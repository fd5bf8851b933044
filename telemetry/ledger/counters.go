package ledger

import (
	"context"
	"errors"
	"sync/atomic"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/sonde-dev/sonde/telemetry/result"
)

// counters tell of what the ledger could not count, and of its disk. They are read
// when metrics are collected.
type counters struct {
	contradictory atomic.Int64
	passedOver    atomic.Int64 // runs

	// Reports that were held for a run which turned out to be one of these.
	unknownRun, runOver atomic.Int64

	rejected map[result.Rejected]*atomic.Int64 // samples

	entries, commits, folds, failures atomic.Int64
}

// reject counts samples that were not taken.
func (c *counters) reject(samples []result.Rejection) {
	for _, s := range samples {
		if n, ok := c.rejected[s.Reason]; ok {
			n.Add(1)
		}
	}
}

// reset sets to zero what may have counted what an earlier process had counted.
func (c *counters) reset() {
	for _, n := range []*atomic.Int64{&c.contradictory, &c.passedOver, &c.unknownRun, &c.runOver} {
		n.Store(0)
	}
	for _, n := range c.rejected {
		n.Store(0)
	}
}

// instruments makes observable instruments, and collects what goes wrong.
type instruments struct {
	metric.Meter
	errs []error
}

// newCounters makes the counters and the instruments that show them, and the ledger.
func newCounters(m metric.Meter, l *Ledger) (*counters, error) {
	c := &counters{rejected: map[result.Rejected]*atomic.Int64{}}
	for _, why := range []result.Rejected{result.RejectedType, result.RejectedCheckLimit, result.RejectedTotalLimit, result.RejectedStreams} {
		c.rejected[why] = &atomic.Int64{}
	}
	i := &instruments{Meter: m}
	i.counter("sonde.reports.contradictory", "{report}", "Reports that claim the opposite of an earlier one of the same attempt.",
		func(o metric.Int64Observer) { o.Observe(c.contradictory.Load()) })
	i.counter("sonde.reports.dropped", "{report}", "Reports that were held for a run which then turned out to be unknown, or over.",
		func(o metric.Int64Observer) {
			o.Observe(c.unknownRun.Load(), reason("unknown_run"))
			o.Observe(c.runOver.Load(), reason("run_over"))
		})
	i.counter("sonde.samples.rejected", "{sample}", "Samples of custom metrics for which there was no room or no name, also those of reports that were held.",
		func(o metric.Int64Observer) {
			for why, n := range c.rejected {
				o.Observe(n.Load(), reason(string(why)))
			}
		})
	i.counter("sonde.runs.passed_over", "{run}", "Runs that had ended before their check was first seen, and got no verdict.",
		func(o metric.Int64Observer) { o.Observe(c.passedOver.Load()) })
	i.counter("sonde.ledger.entries", "{entry}", "Entries that were written to the journal.",
		func(o metric.Int64Observer) { o.Observe(c.entries.Load()) })
	i.counter("sonde.ledger.commits", "{commit}", "Synced writes of one or more entries.",
		func(o metric.Int64Observer) { o.Observe(c.commits.Load()) })
	i.counter("sonde.ledger.folds", "{fold}", "Synced writes of the snapshot.",
		func(o metric.Int64Observer) { o.Observe(c.folds.Load()) })
	i.counter("sonde.ledger.write_failures", "{write}", "Writes that failed, as on a full disk.",
		func(o metric.Int64Observer) { o.Observe(c.failures.Load()) })
	i.gauge("sonde.ledger.writable", "", "Whether the last write succeeded (1) or reports are refused (0).",
		func(o metric.Int64Observer) { o.Observe(writable(l)) })
	i.gauge("sonde.ledger.size", "By", "Bytes of the ledger's file.", func(o metric.Int64Observer) {
		if size, err := l.config.Journal.Size(); err == nil { // without a file there is no size
			o.Observe(size)
		}
	})
	return c, errors.Join(i.errs...)
}

func writable(l *Ledger) int64 {
	if l.isBroken() {
		return 0
	}
	return 1
}

func (i *instruments) counter(name, unit, description string, observe func(metric.Int64Observer)) {
	_, err := i.Int64ObservableCounter(name, metric.WithUnit(unit), metric.WithDescription(description), metric.WithInt64Callback(callback(observe)))
	i.errs = append(i.errs, err)
}

func (i *instruments) gauge(name, unit, description string, observe func(metric.Int64Observer)) {
	_, err := i.Int64ObservableGauge(name, metric.WithUnit(unit), metric.WithDescription(description), metric.WithInt64Callback(callback(observe)))
	i.errs = append(i.errs, err)
}

func callback(observe func(metric.Int64Observer)) metric.Int64Callback {
	return func(_ context.Context, o metric.Int64Observer) error {
		observe(o)
		return nil
	}
}

func reason(why string) metric.MeasurementOption {
	return metric.WithAttributes(attribute.String("reason", why))
}
