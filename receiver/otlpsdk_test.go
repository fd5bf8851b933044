package receiver_test

import (
	"context"
	"encoding/hex"
	"errors"
	"log/slog"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetricgrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/metric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/sonde-dev/sonde/receiver"
	"github.com/sonde-dev/sonde/receiver/credential"
	"github.com/sonde-dev/sonde/telemetry/result"
)

// authorise is what the pod's environment makes exporters send.
func authorise(t *testing.T) map[string]string {
	t.Helper()
	return map[string]string{"authorization": "Bearer " + good(t)}
}

// metricExporters returns the exporters of metrics of the Go SDK, by transport.
func metricExporters(t *testing.T, s receiver.Sink, delta sdkmetric.TemporalitySelector) map[string]sdkmetric.Exporter {
	t.Helper()
	web, rpc := serveOTLP(t, s)
	overHTTP, err := otlpmetrichttp.New(t.Context(), otlpmetrichttp.WithEndpoint(web), otlpmetrichttp.WithInsecure(),
		otlpmetrichttp.WithHeaders(authorise(t)), otlpmetrichttp.WithCompression(otlpmetrichttp.GzipCompression), otlpmetrichttp.WithTemporalitySelector(delta))
	if err != nil {
		t.Fatal(err)
	}
	overGRPC, err := otlpmetricgrpc.New(t.Context(), otlpmetricgrpc.WithEndpoint(rpc), otlpmetricgrpc.WithInsecure(),
		otlpmetricgrpc.WithHeaders(authorise(t)), otlpmetricgrpc.WithCompressor("gzip"), otlpmetricgrpc.WithTemporalitySelector(delta))
	if err != nil {
		t.Fatal(err)
	}
	return map[string]sdkmetric.Exporter{"http": overHTTP, "grpc": overGRPC}
}

// spanExporters returns the exporters of spans of the Go SDK, by transport.
func spanExporters(t *testing.T, s receiver.Sink) map[string]sdktrace.SpanExporter {
	t.Helper()
	web, rpc := serveOTLP(t, s)
	overHTTP, err := otlptracehttp.New(t.Context(), otlptracehttp.WithEndpoint(web), otlptracehttp.WithInsecure(), otlptracehttp.WithHeaders(authorise(t)))
	if err != nil {
		t.Fatal(err)
	}
	overGRPC, err := otlptracegrpc.New(t.Context(), otlptracegrpc.WithEndpoint(rpc), otlptracegrpc.WithInsecure(), otlptracegrpc.WithHeaders(authorise(t)))
	if err != nil {
		t.Fatal(err)
	}
	return map[string]sdktrace.SpanExporter{"http": overHTTP, "grpc": overGRPC}
}

func cumulative(sdkmetric.InstrumentKind) metricdata.Temporality {
	return metricdata.CumulativeTemporality
}

func delta(sdkmetric.InstrumentKind) metricdata.Temporality { return metricdata.DeltaTemporality }

// TestSDKMetrics: each form of a claim that metrics have, and each kind of metric, as
// the Go SDK sends them over both transports.
func TestSDKMetrics(t *testing.T) {
	for name, tc := range map[string]struct {
		resource    *resource.Resource
		temporality sdkmetric.TemporalitySelector
		measure     func(t *testing.T, m metric.Meter)
		want        result.Report
	}{
		"sonde.check.ok is 1": {
			measure: func(t *testing.T, m metric.Meter) {
				t.Helper()
				ok, err := m.Int64Gauge("sonde.check.ok")
				took, err2 := m.Float64Gauge("sonde.check.duration", metric.WithUnit("s"))
				if err := errors.Join(err, err2); err != nil {
					t.Fatal(err)
				}
				ok.Record(t.Context(), 1)
				took.Record(t.Context(), 1.25)
			},
			want: result.Report{Claim: result.ClaimSuccess, Form: result.FormGauge, Duration: 1250 * time.Millisecond},
		},
		"sonde.check.ok is 0": {
			measure: func(t *testing.T, m metric.Meter) {
				t.Helper()
				ok, err := m.Float64Gauge("sonde.check.ok")
				if err != nil {
					t.Fatal(err)
				}
				ok.Record(t.Context(), 0, metric.WithAttributes(attribute.String("error", "the basket is empty")))
			},
			want: result.Report{Claim: result.ClaimFailure, Form: result.FormGauge, Errors: []string{"the basket is empty"}},
		},
		"an attribute of the resource": {
			resource: resource.NewSchemaless(attribute.String("cicd.pipeline.result", "failure")),
			measure:  addFive,
			want: result.Report{Claim: result.ClaimFailure, Form: result.FormAttribute, Errors: []string{"cicd.pipeline.result is failure"}, Samples: []result.Sample{
				{Name: "pages.visited", Kind: result.Counter, Unit: "{page}", Description: "Pages.", Value: 5, Temporality: result.Cumulative, Labels: []result.Label{{Name: "step", Value: "2"}}},
			}},
		},
		"a cumulative counter": {
			measure: addFive,
			want: result.Report{Samples: []result.Sample{
				{Name: "pages.visited", Kind: result.Counter, Unit: "{page}", Description: "Pages.", Value: 5, Temporality: result.Cumulative, Labels: []result.Label{{Name: "step", Value: "2"}}},
			}},
		},
		"a delta counter": {
			temporality: delta, measure: addFive,
			want: result.Report{Samples: []result.Sample{
				{Name: "pages.visited", Kind: result.Counter, Unit: "{page}", Description: "Pages.", Value: 5, Temporality: result.Delta, Labels: []result.Label{{Name: "step", Value: "2"}}},
			}},
		},
		"an up-down counter": {
			measure: func(t *testing.T, m metric.Meter) {
				t.Helper()
				open, err := m.Float64UpDownCounter("open")
				if err != nil {
					t.Fatal(err)
				}
				open.Add(t.Context(), -1.5)
			},
			want: result.Report{Samples: []result.Sample{{Name: "open", Kind: result.Gauge, Value: -1.5, Temporality: result.Cumulative}}},
		},
		"a gauge": {
			measure: func(t *testing.T, m metric.Meter) {
				t.Helper()
				size, err := m.Int64Gauge("basket.size")
				if err != nil {
					t.Fatal(err)
				}
				size.Record(t.Context(), 3)
			},
			want: result.Report{Samples: []result.Sample{{Name: "basket.size", Kind: result.Gauge, Value: 3}}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			selector := tc.temporality
			if selector == nil {
				selector = cumulative
			}
			sink := &recorder{receipt: accepted()}
			for transport, exporter := range metricExporters(t, sink, selector) {
				sink.reports = nil
				provider := sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewPeriodicReader(exporter)), sdkmetric.WithResource(tc.resource))
				tc.measure(t, provider.Meter("shop"))
				if err := provider.Shutdown(t.Context()); err != nil {
					t.Fatalf("%s: %v", transport, err)
				}
				want := tc.want
				want.RunID, want.CheckUID, want.Received = run, check, noon
				if diff := cmp.Diff([]result.Report{want}, withoutTimes(t, sink.reports)); diff != "" {
					t.Errorf("%s: reports (-want +got):\n%s", transport, diff)
				}
			}
		})
	}
}

func addFive(t *testing.T, m metric.Meter) {
	t.Helper()
	pages, err := m.Int64Counter("pages.visited", metric.WithUnit("{page}"), metric.WithDescription("Pages."))
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		pages.Add(t.Context(), 1, metric.WithAttributes(attribute.Int("step", 2), attribute.String("k8s.pod.name", "login-1")))
	}
}

// withoutTimes takes the times and streams of samples away, which must be there.
func withoutTimes(t *testing.T, reports []result.Report) []result.Report {
	t.Helper()
	for _, r := range reports {
		for i, s := range r.Samples {
			sum := s.Temporality != result.Total
			if s.Time.IsZero() || s.Start.IsZero() == sum || (s.Stream != "") != sum {
				t.Errorf("sample = %+v", s)
			}
			r.Samples[i].Time, r.Samples[i].Start, r.Samples[i].Stream = time.Time{}, time.Time{}, ""
		}
	}
	return reports
}

// TestSDKSpans: each form of a claim that spans have.
func TestSDKSpans(t *testing.T) {
	child := childOf(t, run)
	for name, tc := range map[string]struct {
		ctx  context.Context
		span func(ctx context.Context, tracer trace.Tracer)
		want result.Report
	}{
		"a root span that is Ok": {
			ctx:  t.Context(),
			span: func(ctx context.Context, tracer trace.Tracer) { root(ctx, tracer, codes.Ok, "") },
			want: result.Report{Claim: result.ClaimSuccess, Form: result.FormSpan},
		},
		"a root span with an error": {
			ctx:  t.Context(),
			span: func(ctx context.Context, tracer trace.Tracer) { root(ctx, tracer, codes.Error, "no basket") },
			want: result.Report{Claim: result.ClaimFailure, Form: result.FormSpan, Errors: []string{"no basket"}},
		},
		"a root span that is Unset": {
			ctx:  t.Context(),
			span: func(ctx context.Context, tracer trace.Tracer) { root(ctx, tracer, codes.Unset, "") },
		},
		"a root span with a recorded error": {
			ctx: t.Context(),
			span: func(ctx context.Context, tracer trace.Tracer) {
				_, span := tracer.Start(ctx, "login")
				span.RecordError(errors.New("connection refused"))
				span.SetStatus(codes.Error, "")
				span.End()
			},
			want: result.Report{Claim: result.ClaimFailure, Form: result.FormSpan, Errors: []string{"connection refused"}},
		},
		"a child of TRACEPARENT": {
			ctx:  child,
			span: func(ctx context.Context, tracer trace.Tracer) { root(ctx, tracer, codes.Error, "no basket") },
			want: result.Report{Claim: result.ClaimFailure, Form: result.FormSpan, Errors: []string{"no basket"}},
		},
		"a child of another run": {
			ctx:  childOf(t, "11111111-2222-3333-4444-555555555555"),
			span: func(ctx context.Context, tracer trace.Tracer) { root(ctx, tracer, codes.Error, "no basket") },
		},
		"an error within is not one of the root": {
			ctx: t.Context(),
			span: func(ctx context.Context, tracer trace.Tracer) {
				ctx, span := tracer.Start(ctx, "login")
				root(ctx, tracer, codes.Error, "tried again")
				span.SetStatus(codes.Ok, "")
				span.End()
			},
			want: result.Report{Claim: result.ClaimSuccess, Form: result.FormSpan},
		},
		"an attribute": {
			ctx: t.Context(),
			span: func(ctx context.Context, tracer trace.Tracer) {
				_, span := tracer.Start(ctx, "login", trace.WithAttributes(attribute.String("test.suite.run.status", "timed_out")))
				span.End()
			},
			want: result.Report{Claim: result.ClaimFailure, Form: result.FormAttribute, Errors: []string{"test.suite.run.status is timed_out"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			sink := &recorder{receipt: accepted()}
			for transport, exporter := range spanExporters(t, sink) {
				sink.reports = nil
				provider := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter), sdktrace.WithSampler(sdktrace.AlwaysSample()))
				tc.span(tc.ctx, provider.Tracer("shop"))
				if err := provider.Shutdown(t.Context()); err != nil {
					t.Fatalf("%s: %v", transport, err)
				}
				want := tc.want
				want.RunID, want.CheckUID, want.Received = run, check, noon
				if diff := cmp.Diff([]result.Report{want}, sink.reports); diff != "" {
					t.Errorf("%s: reports (-want +got):\n%s", transport, diff)
				}
			}
		})
	}
}

func root(ctx context.Context, tracer trace.Tracer, code codes.Code, description string) {
	_, span := tracer.Start(ctx, "login")
	span.SetStatus(code, description)
	span.End()
}

// childOf returns a context as propagators make it of the TRACEPARENT of a run.
func childOf(t *testing.T, run string) context.Context {
	t.Helper()
	raw, err := hex.DecodeString(strings.ReplaceAll(run, "-", ""))
	if err != nil {
		t.Fatal(err)
	}
	return trace.ContextWithRemoteSpanContext(t.Context(), trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: trace.TraceID(raw), SpanID: trace.SpanID(raw[8:]), TraceFlags: trace.FlagsSampled,
	}))
}

// TestSDKIsToldOfRejectedPoints: the exporter has an error for what was not taken, and
// does not send it again.
func TestSDKIsToldOfRejectedPoints(t *testing.T) {
	sink := &recorder{receipt: accepted()}
	for transport, exporter := range metricExporters(t, sink, cumulative) {
		sink.reports = nil
		reader := sdkmetric.NewManualReader()
		provider := sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))
		h, err := provider.Meter("shop").Float64Histogram("load")
		if err != nil {
			t.Fatal(err)
		}
		h.Record(t.Context(), 1)
		var collected metricdata.ResourceMetrics
		if err := reader.Collect(t.Context(), &collected); err != nil {
			t.Fatal(err)
		}
		err = exporter.Export(t.Context(), &collected)
		if err == nil || !strings.Contains(err.Error(), "histograms and summaries are not taken yet") || len(sink.reports) != 1 {
			t.Errorf("%s: error %v, %d reports", transport, err, len(sink.reports))
		}
	}
}

// TestOTLPIsCounted holds the whole closed set of series, most of them 0.
func TestOTLPIsCounted(t *testing.T) {
	reader := sdkmetric.NewManualReader()
	sink := &recorder{receipt: result.Receipt{Disposition: result.Held}}
	h, _, err := receiver.OTLP{
		Keys: credential.NewKeyring(key(t, 1)), Sink: sink, Now: func() time.Time { return noon },
		Log: slog.New(slog.DiscardHandler), Meter: sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)).Meter("test"),
	}.Servers(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	h.ServeHTTP(httptest.NewRecorder(), send(t, "metrics", okIsOne))
	h.ServeHTTP(httptest.NewRecorder(), send(t, "metrics", twoFaults))
	h.ServeHTTP(httptest.NewRecorder(), send(t, "traces", rootOK))
	h.ServeHTTP(httptest.NewRecorder(), send(t, "traces", `{`))
	h.ServeHTTP(httptest.NewRecorder(), with(send(t, "logs", oneLog), "Authorization", ""))

	var rm metricdata.ResourceMetrics
	if err := reader.Collect(t.Context(), &rm); err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, m := range rm.ScopeMetrics[0].Metrics {
		for _, p := range m.Data.(metricdata.Sum[int64]).DataPoints {
			line := m.Name + " " + p.Attributes.Encoded(attribute.DefaultEncoder())
			if p.Value > 0 {
				line += " " + strings.Repeat("+", int(p.Value))
			}
			lines = append(lines, line)
		}
	}
	slices.Sort(lines)
	if len(lines) >= 100 {
		t.Errorf("%d series", len(lines))
	}
	golden(t, "otlp-counted.txt", strings.Join(lines, "\n")+"\n")
}
