package series

import (
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/sonde-dev/sonde/telemetry/result"
)

// gauge is one of the gauges that every check may have.
type gauge struct {
	name, unit, description string

	// read returns the point of a check, or false where it has none now.
	read func(*check) (attribute.Set, float64, bool)
}

// gauges returns the gauges of checks. sonde.check.ok has no unit: a unit of 1
// would make it sonde_check_ok_ratio.
func gauges() []gauge {
	return []gauge{
		{
			"sonde.check.ok", "", "Whether the last run ended in success (1) or in anything else (0).",
			func(c *check) (attribute.Set, float64, bool) { return c.self, c.ok(), c.judged() },
		},
		{
			"sonde.check.status", "", "The result of the last run and its reason; the value is 1.",
			func(c *check) (attribute.Set, float64, bool) { return c.status, 1, c.judged() },
		},
		{
			"sonde.check.duration", "s", "How long the last run took.",
			func(c *check) (attribute.Set, float64, bool) { return c.self, c.duration.seconds, c.duration.known },
		},
		{
			"sonde.check.start.delay", "s", "How long after it was due the last run started.",
			func(c *check) (attribute.Set, float64, bool) { return c.self, c.delay.seconds, c.delay.known },
		},
		{
			"sonde.check.last_run.timestamp", "s", "When the last run was decided that was not missed, in Unix time.",
			func(c *check) (attribute.Set, float64, bool) { return timestamp(c, c.lastRun) },
		},
		{
			"sonde.check.last_success.timestamp", "s", "When the last success was decided, in Unix time.",
			func(c *check) (attribute.Set, float64, bool) { return timestamp(c, c.lastSuccess) },
		},
		{
			"sonde.check.next_run.timestamp", "s", "When the next run is due, in Unix time.",
			func(c *check) (attribute.Set, float64, bool) { return timestamp(c, c.nextRun) },
		},
		{
			"sonde.check.consecutive_failures", "{run}", "Runs since the last success.",
			func(c *check) (attribute.Set, float64, bool) { return c.self, float64(c.failures), true },
		},
		{
			"sonde.check.info", "", "Facts about the check; the value is 1.",
			func(c *check) (attribute.Set, float64, bool) { return c.info, 1, true },
		},
	}
}

func (c *check) judged() bool { return c.verdict.Result != "" }

func timestamp(c *check, t time.Time) (attribute.Set, float64, bool) {
	return c.self, float64(t.UnixMilli()) / 1000, !t.IsZero()
}

func (c *check) ok() float64 {
	if c.verdict.Result == result.Success {
		return 1
	}
	return 0
}

// metrics returns the own metrics of all checks; those without a point are left
// out.
func (b *board) metrics(now time.Time) []metricdata.Metrics {
	if len(b.sorted) == 0 {
		return nil
	}
	metrics := []metricdata.Metrics{b.runs(now), b.runDurations(now)}
	for _, g := range gauges() {
		points := make([]metricdata.DataPoint[float64], 0, len(b.sorted))
		for _, c := range b.sorted {
			if set, value, ok := g.read(c); ok {
				points = append(points, metricdata.DataPoint[float64]{Attributes: set, Time: now, Value: value})
			}
		}
		if len(points) > 0 {
			metrics = append(metrics, metricdata.Metrics{
				Name: g.name, Unit: g.unit, Description: g.description, Data: metricdata.Gauge[float64]{DataPoints: points},
			})
		}
	}
	return metrics
}

func (b *board) runs(now time.Time) metricdata.Metrics {
	var points []metricdata.DataPoint[int64]
	for _, c := range b.sorted {
		for _, t := range c.runs {
			points = append(points, metricdata.DataPoint[int64]{
				Attributes: t.set, StartTime: c.made, Time: now, Value: t.count, Exemplars: t.exemplars(),
			})
		}
	}
	return metricdata.Metrics{
		Name: "sonde.check.runs", Unit: "{run}", Description: "Finished runs, by result.",
		Data: metricdata.Sum[int64]{DataPoints: points, Temporality: metricdata.CumulativeTemporality, IsMonotonic: true},
	}
}

func (b *board) runDurations(now time.Time) metricdata.Metrics {
	m := metricdata.Metrics{Name: "sonde.check.run.duration", Unit: "s", Description: "How long the runs took that started."}
	var exponentials []metricdata.ExponentialHistogramDataPoint[float64]
	var classics []metricdata.HistogramDataPoint[float64]
	for _, c := range b.sorted {
		switch h := c.durations.(type) {
		case *exponential:
			exponentials = append(exponentials, h.point(c.self, c.made, now))
		case *classic:
			classics = append(classics, h.point(c.self, c.made, now))
		}
	}
	m.Data = metricdata.ExponentialHistogram[float64]{DataPoints: exponentials, Temporality: metricdata.CumulativeTemporality}
	if len(classics) > 0 {
		m.Data = metricdata.Histogram[float64]{DataPoints: classics, Temporality: metricdata.CumulativeTemporality}
	}
	return m
}
