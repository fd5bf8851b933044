package receiver

import (
	"context"
	"fmt"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/sonde-dev/sonde/receiver/problem"
	"github.com/sonde-dev/sonde/telemetry/result"
)

// The attributes of sonde.reports.
const (
	attrOutcome = attribute.Key("outcome") // accepted, held, ignored or refused
	attrReason  = attribute.Key("reason")  // of a refusal, a problem.Kind's label; else "none"
)

// reportCounter counts the reports that came, by what became of them.
type reportCounter struct {
	reports metric.Int64Counter
	of      map[string]metric.MeasurementOption // by disposition or label of the kind; never changed
}

// newReportCounter makes the counter with every series at 0, so that the first
// refusal of a kind is an increase too.
func newReportCounter(ctx context.Context, m metric.Meter) (*reportCounter, error) {
	reports, err := m.Int64Counter("sonde.reports", metric.WithUnit("{report}"),
		metric.WithDescription("Reports of checks, by what became of them."))
	if err != nil {
		return nil, fmt.Errorf("make counter: %w", err)
	}
	c := &reportCounter{reports: reports, of: map[string]metric.MeasurementOption{}}
	for _, d := range []result.Disposition{result.Accepted, result.Held, result.Ignored} {
		c.of[string(d)] = attributes(string(d), "none")
	}
	for _, k := range refusalKinds() {
		c.of[k.Label()] = attributes("refused", k.Label())
	}
	for _, set := range c.of {
		c.reports.Add(ctx, 0, set)
	}
	return c, nil
}

// taken counts a report that was taken.
func (c *reportCounter) taken(ctx context.Context, d result.Disposition) { c.add(ctx, string(d)) }

// refused counts a report that was not.
func (c *reportCounter) refused(ctx context.Context, k problem.Kind) { c.add(ctx, k.Label()) }

func (c *reportCounter) add(ctx context.Context, which string) {
	if set, ok := c.of[which]; ok {
		c.reports.Add(ctx, 1, set)
	}
}

func attributes(outcome, reason string) metric.MeasurementOption {
	return metric.WithAttributeSet(attribute.NewSet(attrOutcome.String(outcome), attrReason.String(reason)))
}

// refusalKinds returns the kinds that details may give.
func refusalKinds() []problem.Kind {
	kinds := []problem.Kind{problem.InvalidReport, problem.MalformedJSON, problem.BodyTooLarge, problem.TooManyAtOnce, problem.Unavailable}
	for _, r := range refusals() {
		kinds = append(kinds, r.as.Kind)
	}
	return kinds
}
