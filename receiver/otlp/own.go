package otlp

import (
	"fmt"
	"math"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/sonde-dev/sonde/receiver/report"
	"github.com/sonde-dev/sonde/telemetry/result"
	"github.com/sonde-dev/sonde/telemetry/series"
)

// elapsed is what a request says that the check took: its latest word.
type elapsed struct {
	duration time.Duration
	at       pcommon.Timestamp
}

// ownGauge takes the points of one of Sonde's own metrics; take returns what is
// wrong with a point, or "".
func (d *decoder) ownGauge(m pmetric.Metric, take func(pmetric.NumberDataPoint, pmetric.Metric) string) {
	if m.Type() != pmetric.MetricTypeGauge {
		d.rejectOwn(pointsOf(m), m, "must be a gauge")
		return
	}
	for _, p := range m.Gauge().DataPoints().All() {
		if p.Flags().NoRecordedValue() {
			continue
		}
		if d.points++; d.points > MaxPoints {
			d.rejectOwn(1, m, fmt.Sprintf("has too many points: of one request %d are taken", MaxPoints))
			return
		}
		if detail := take(p, m); detail != "" {
			d.rejectOwn(1, m, detail)
		}
	}
}

// rejectOwn refuses n points of one of Sonde's own metrics. What sonde.check.ok was
// to say is not known then, and may have been a failure.
func (d *decoder) rejectOwn(n int, m pmetric.Metric, detail string) {
	if n == 0 {
		return
	}
	d.reject(n, Invalid, m.Name(), detail)
	if m.Name() == metricOK && d.misspoken == "" {
		d.misspoken = m.Name() + " " + detail
	}
}

// ok hears a point of sonde.check.ok.
func (d *decoder) ok(p pmetric.NumberDataPoint, _ pmetric.Metric) string {
	value, ok := number(p)
	switch {
	case ok && value == 1:
		d.claim(result.FormGauge, result.ClaimSuccess)
	case ok && value == 0:
		d.claim(result.FormGauge, result.ClaimFailure, text(p.Attributes(), "error.message", "exception.message", "error"))
	case !ok:
		return "must be 1 or 0, and has no value"
	default:
		return fmt.Sprintf("must be 1 or 0, not %v", value)
	}
	return ""
}

// duration hears a point of sonde.check.duration.
func (d *decoder) duration(p pmetric.NumberDataPoint, m pmetric.Metric) string {
	value, ok := number(p)
	switch m.Unit() {
	case "", "s":
	case "ms":
		value /= 1000
	default:
		return fmt.Sprintf("must be in s or ms, not in %q", d.quoted(result.Truncate(m.Unit(), series.MaxUnitBytes)))
	}
	if !ok || !(value >= 0 && value <= report.MaxDuration.Seconds()) { // NaN is neither
		return fmt.Sprintf("must be from 0 to %.0f seconds", report.MaxDuration.Seconds())
	}
	if p.Timestamp() >= d.elapsed.at {
		d.elapsed = elapsed{time.Duration(math.Round(value * float64(time.Second))), p.Timestamp()}
	}
	return ""
}
