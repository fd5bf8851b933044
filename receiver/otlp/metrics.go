package otlp

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/sonde-dev/sonde/receiver/report"
	"github.com/sonde-dev/sonde/telemetry/result"
)

// Sonde's own metrics that a check may send.
const (
	metricOK       = "sonde.check.ok"       // gauge, 1 or 0
	metricDuration = "sonde.check.duration" // gauge, in s or ms
)

// FromMetrics returns what metrics say of a run.
func FromMetrics(metrics pmetric.Metrics, from report.Origin) Taken {
	d := &decoder{from: from}
	d.samples = make([]result.Sample, 0, min(metrics.DataPointCount(), MaxPoints))
	for _, resource := range metrics.ResourceMetrics().All() {
		d.attributes(resource.Resource().Attributes(), "")
		for _, scope := range resource.ScopeMetrics().All() {
			from := newOrigin(resource.Resource(), scope.Scope())
			for _, m := range scope.Metrics().All() {
				d.metric(m, from)
			}
		}
	}
	if len(d.samples) == 0 {
		d.samples = nil
	}
	return d.taken()
}

// metric takes the points of one metric.
func (d *decoder) metric(m pmetric.Metric, from origin) {
	switch m.Name() {
	case metricOK:
		d.ownGauge(m, d.ok)
		return
	case metricDuration:
		d.ownGauge(m, d.duration)
		return
	}
	switch m.Type() {
	case pmetric.MetricTypeGauge:
		of := d.of(m, result.Gauge, from)
		for _, p := range m.Gauge().DataPoints().All() {
			d.point(p, of)
		}
	case pmetric.MetricTypeSum:
		d.sum(m, from)
	case pmetric.MetricTypeHistogram, pmetric.MetricTypeExponentialHistogram, pmetric.MetricTypeSummary:
		d.reject(pointsOf(m), UnsupportedKind, m.Name(), "histograms and summaries are not taken yet; send a gauge or a sum")
	case pmetric.MetricTypeEmpty:
	}
}

// sum takes the points of a sum.
func (d *decoder) sum(m pmetric.Metric, from origin) {
	of := d.of(m, result.Gauge, from)
	if m.Sum().IsMonotonic() {
		of.kind = result.Counter
	}
	switch m.Sum().AggregationTemporality() {
	case pmetric.AggregationTemporalityCumulative:
		of.temporality = result.Cumulative
	case pmetric.AggregationTemporalityDelta:
		of.temporality = result.Delta
	case pmetric.AggregationTemporalityUnspecified:
		fallthrough
	default: // any number can be sent
		d.reject(pointsOf(m), Invalid, m.Name(), "must say whether its sum is cumulative or delta")
		return
	}
	for _, p := range m.Sum().DataPoints().All() {
		d.point(p, of)
	}
}

// reject refuses n points of the metric name.
func (d *decoder) reject(n int, reason result.Rejected, name, detail string) {
	d.rejected.Add(n, reason, d.quoted(name), d.clean(detail))
}

// pointsOf returns how many points a metric has that say something.
func pointsOf(m pmetric.Metric) int {
	n := 0
	count := func(flags pmetric.DataPointFlags) {
		if !flags.NoRecordedValue() {
			n++
		}
	}
	switch m.Type() {
	case pmetric.MetricTypeGauge:
		countAll(m.Gauge().DataPoints().All(), count)
	case pmetric.MetricTypeSum:
		countAll(m.Sum().DataPoints().All(), count)
	case pmetric.MetricTypeHistogram:
		countAll(m.Histogram().DataPoints().All(), count)
	case pmetric.MetricTypeExponentialHistogram:
		countAll(m.ExponentialHistogram().DataPoints().All(), count)
	case pmetric.MetricTypeSummary:
		countAll(m.Summary().DataPoints().All(), count)
	case pmetric.MetricTypeEmpty:
	}
	return n
}

// countAll calls count with the flags of every point.
func countAll[P interface{ Flags() pmetric.DataPointFlags }](points func(func(int, P) bool), count func(pmetric.DataPointFlags)) {
	for _, p := range points {
		count(p.Flags())
	}
}

// number returns the value of a point as a double; false if it has none.
func number(p pmetric.NumberDataPoint) (float64, bool) {
	switch p.ValueType() {
	case pmetric.NumberDataPointValueTypeInt:
		return float64(p.IntValue()), true
	case pmetric.NumberDataPointValueTypeDouble:
		return p.DoubleValue(), true
	case pmetric.NumberDataPointValueTypeEmpty:
	}
	return 0, false
}

// inRange says whether a time can be told in nanoseconds of an int64: until 2262.
func inRange(t pcommon.Timestamp) bool { return int64(t) >= 0 }
