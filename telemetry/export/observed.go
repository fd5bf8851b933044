package export

import (
	"context"
	"errors"

	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

// observed is an exporter whose errors end here: they are counted and logged, and not
// given to OpenTelemetry's error handler, which would log each.
type observed struct {
	sdkmetric.Exporter
	tally   *tally
	headers *headers
}

// Export implements sdkmetric.Exporter. It is called once for each request. That a
// server has taken a part only is an error too (sdkmetric: PartialSuccess).
func (o observed) Export(ctx context.Context, metrics *metricdata.ResourceMetrics) error {
	err := o.Exporter.Export(ctx, metrics)
	switch {
	case err == nil:
		o.tally.succeeded()
	case errors.Is(ctx.Err(), context.Canceled):
		// The process ends, and the last push sends the same again.
	default:
		o.tally.failed(redacted(err, o.headers.sent()))
	}
	return nil
}

// Shutdown implements sdkmetric.Exporter. That the time for the last push is up has
// been said, and is no reason not to close connections.
func (o observed) Shutdown(ctx context.Context) error {
	return o.Exporter.Shutdown(context.WithoutCancel(ctx))
}

// starting is a producer that tells when a push begins: the SDK splits it into requests
// of which none knows the others.
type starting struct {
	sdkmetric.Producer
	tally *tally
}

// Produce implements sdkmetric.Producer.
func (s starting) Produce(ctx context.Context) ([]metricdata.ScopeMetrics, error) {
	s.tally.begin()
	return s.Producer.Produce(ctx)
}
