package receiver

import (
	"context"
	"fmt"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/sonde-dev/sonde/receiver/otlp"
	"github.com/sonde-dev/sonde/receiver/problem"
	"github.com/sonde-dev/sonde/telemetry/result"
)

// attrSignal is metrics, traces or logs. Outcome and reason are as with
// sonde.reports; an outcome may also be partial.
const attrSignal = attribute.Key("signal")

// partial is the outcome of a request of which points were rejected.
const partial = "partial"

// otlpCounter counts the OTLP requests that came, by what became of them, and the
// points that were not taken.
type otlpCounter struct {
	requests metric.Int64Counter
	points   metric.Int64Counter
	of       map[otlpOutcome]metric.MeasurementOption     // never changed
	because  map[result.Rejected]metric.MeasurementOption // never changed
}

type otlpOutcome struct {
	signal          otlp.Signal
	outcome, reason string
}

// newOTLPCounter makes the counters with every series at 0, 68 in all.
func newOTLPCounter(ctx context.Context, m metric.Meter) (*otlpCounter, error) {
	requests, err := m.Int64Counter("sonde.otlp.requests", metric.WithUnit("{request}"),
		metric.WithDescription("OTLP requests of checks, by what became of them."))
	if err != nil {
		return nil, fmt.Errorf("make counter: %w", err)
	}
	points, err := m.Int64Counter("sonde.otlp.points.rejected", metric.WithUnit("{point}"),
		metric.WithDescription("Data points in OTLP requests that were not taken, by reason."))
	if err != nil {
		return nil, fmt.Errorf("make counter: %w", err)
	}
	c := &otlpCounter{
		requests: requests, points: points,
		of: map[otlpOutcome]metric.MeasurementOption{}, because: map[result.Rejected]metric.MeasurementOption{},
	}
	for _, o := range otlpOutcomes() {
		c.of[o] = metric.WithAttributeSet(attribute.NewSet(
			attrSignal.String(string(o.signal)), attrOutcome.String(o.outcome), attrReason.String(o.reason)))
		requests.Add(ctx, 0, c.of[o])
	}
	for _, r := range otlp.Reasons() {
		c.because[r] = metric.WithAttributeSet(attribute.NewSet(attrReason.String(string(r))))
		points.Add(ctx, 0, c.because[r])
	}
	return c, nil
}

// otlpOutcomes returns what may become of a request.
func otlpOutcomes() []otlpOutcome {
	var all []otlpOutcome
	for _, s := range otlp.Signals() {
		for _, d := range []result.Disposition{result.Accepted, result.Held, result.Ignored} {
			all = append(all, otlpOutcome{s, string(d), "none"})
		}
		for _, k := range otlpRefusalKinds() {
			all = append(all, otlpOutcome{s, "refused", k.Label()})
		}
	}
	return append(all, otlpOutcome{otlp.Metrics, partial, "none"}) // only points are rejected
}

// otlpRefusalKinds returns the kinds that details may give of an OTLP request.
func otlpRefusalKinds() []problem.Kind {
	return []problem.Kind{
		problem.MissingCredential, problem.MalformedCredential, problem.UnknownKey, problem.BadSignature,
		problem.UnsupportedMediaType, problem.UnsupportedEncoding, problem.BodyTooLarge, problem.MalformedEncoding,
		problem.IncompleteBody, problem.SlowBody, problem.MalformedOTLP, problem.ForeignRun, problem.RunOver,
		problem.TooManyAtOnce, problem.Overloaded, problem.NoRoom, problem.Unavailable,
	}
}

// taken counts a request that was taken, and what of it was not.
func (c *otlpCounter) taken(ctx context.Context, s otlp.Signal, d result.Disposition, rejected otlp.Rejected) {
	outcome := string(d)
	if rejected.Points > 0 {
		outcome = partial
	}
	c.add(ctx, otlpOutcome{s, outcome, "none"})
	for reason, n := range rejected.ByReason {
		if set, ok := c.because[reason]; ok {
			c.points.Add(ctx, int64(n), set)
		}
	}
}

// refused counts a request that was not taken.
func (c *otlpCounter) refused(ctx context.Context, s otlp.Signal, k problem.Kind) {
	c.add(ctx, otlpOutcome{s, "refused", k.Label()})
}

func (c *otlpCounter) add(ctx context.Context, o otlpOutcome) {
	if set, ok := c.of[o]; ok {
		c.requests.Add(ctx, 1, set)
	}
}
