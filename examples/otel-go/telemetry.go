package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/contrib/propagators/envcar"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// flushTimeout bounds the last export.
const flushTimeout = 5 * time.Second

// telemetry is what the check tells with.
type telemetry struct {
	traces *sdktrace.TracerProvider
	meters *sdkmetric.MeterProvider

	tracer   trace.Tracer
	pages    metric.Int64Counter
	load     metric.Float64Histogram
	ok       metric.Int64Gauge
	duration metric.Float64Gauge
}

// newTelemetry makes what the environment describes: the exporters read
// OTEL_EXPORTER_OTLP_*, the reader OTEL_METRIC_EXPORT_INTERVAL, the providers
// OTEL_RESOURCE_ATTRIBUTES and OTEL_SERVICE_NAME. The context that it returns has the
// run's trace, which is in TRACEPARENT.
func newTelemetry(ctx context.Context) (context.Context, *telemetry, error) {
	spans, err := otlptracehttp.New(ctx)
	if err != nil {
		return ctx, nil, fmt.Errorf("exporter of spans: %w", err)
	}
	points, err := otlpmetrichttp.New(ctx)
	if err != nil {
		return ctx, nil, fmt.Errorf("exporter of metrics: %w", err)
	}
	t := &telemetry{
		traces: sdktrace.NewTracerProvider(sdktrace.WithBatcher(spans)),
		meters: sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewPeriodicReader(points))),
	}
	t.tracer = t.traces.Tracer("example.com/checks/pages")
	return propagation.TraceContext{}.Extract(ctx, &envcar.Carrier{}), t, t.instruments()
}

func (t *telemetry) instruments() error {
	m := t.meters.Meter("example.com/checks/pages")
	var errs [4]error
	t.pages, errs[0] = m.Int64Counter("pages.visited", metric.WithUnit("{page}"), metric.WithDescription("Pages visited, by what came of it."))
	t.load, errs[1] = m.Float64Histogram("page.load.duration", metric.WithUnit("s"), metric.WithDescription("How long pages took."),
		metric.WithExplicitBucketBoundaries(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5))
	t.ok, errs[2] = m.Int64Gauge("sonde.check.ok", metric.WithDescription("1 if the check passed, else 0."))
	t.duration, errs[3] = m.Float64Gauge("sonde.check.duration", metric.WithUnit("s"), metric.WithDescription("How long the check took."))
	return errors.Join(errs[:]...)
}

func (t *telemetry) visited(ctx context.Context, outcome attribute.KeyValue, took time.Duration) {
	t.pages.Add(ctx, 1, metric.WithAttributes(outcome))
	t.load.Record(ctx, took.Seconds())
}

// verdict says how the check ended: well, if there is no failure.
func (t *telemetry) verdict(ctx context.Context, failure error, took time.Duration) {
	ok := int64(1)
	if failure != nil {
		ok = 0
	}
	t.ok.Record(ctx, ok)
	t.duration.Record(ctx, took.Seconds())
}

// shutdown sends what is left, also when the check was asked to end.
func (t *telemetry) shutdown(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushTimeout)
	defer cancel()
	return errors.Join(t.traces.Shutdown(ctx), t.meters.Shutdown(ctx))
}
