package series

import (
	"slices"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/sonde-dev/sonde/telemetry/result"
)

// fleet counts the runs of all checks by outcome, those of deleted checks too.
type fleet struct {
	start time.Time
	runs  []outcomeCount
}

type outcomeCount struct {
	outcome result.Outcome
	set     attribute.Set
	count   int64
}

// newFleet returns a fleet with every outcome at zero.
func newFleet(start time.Time) *fleet {
	f := &fleet{start: start}
	for _, o := range result.Outcomes() {
		f.runs = append(f.runs, newOutcomeCount(o))
	}
	return f
}

func newOutcomeCount(o result.Outcome) outcomeCount {
	return outcomeCount{outcome: o, set: attribute.NewSet(
		attribute.String(AttributeResult, string(o.Result)), attribute.String(AttributeReason, string(o.Reason)))}
}

func (f *fleet) count(o result.Outcome) { f.at(o).count++ }

// at returns the count of one outcome. A pair that result.Outcomes does not have is
// counted as it is: both sets are closed, and a wrong count would be worse.
func (f *fleet) at(o result.Outcome) *outcomeCount {
	i := slices.IndexFunc(f.runs, func(c outcomeCount) bool { return c.outcome == o })
	if i < 0 {
		i = len(f.runs)
		f.runs = append(f.runs, newOutcomeCount(o))
	}
	return &f.runs[i]
}

func (f *fleet) metric(now time.Time) metricdata.Metrics {
	points := make([]metricdata.DataPoint[int64], len(f.runs))
	for i, c := range f.runs {
		points[i] = metricdata.DataPoint[int64]{Attributes: c.set, StartTime: f.start, Time: now, Value: c.count}
	}
	return metricdata.Metrics{
		Name: "sonde.runs", Unit: "{run}", Description: "Finished runs of all checks, by result and reason.",
		Data: metricdata.Sum[int64]{DataPoints: points, Temporality: metricdata.CumulativeTemporality, IsMonotonic: true},
	}
}
