package main

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/sonde-dev/sonde/receiver/credential"
	"github.com/sonde-dev/sonde/telemetry/ledger"
	"github.com/sonde-dev/sonde/telemetry/result"
	"github.com/sonde-dev/sonde/telemetry/verdict"
)

// house is a receiver without a cluster: the test says what Jobs do.
type house struct {
	pipe  *pipeline
	key   credential.Key
	doors map[string]string // addresses
}

func openHouse(t *testing.T) *house {
	t.Helper()
	key, err := credential.ParseKey([]byte("0123456789abcdef0123456789abcdef"))
	if err != nil {
		t.Fatal(err)
	}
	const local = "127.0.0.1:0"
	c := receiverConfig{
		DataDir: t.TempDir(), MaxSeries: 1000, ShutdownGrace: time.Second,
		CheckAddress: local, ReaderAddress: local, OTLPHTTP: local, OTLPGRPC: local,
	}
	log := slog.New(slog.DiscardHandler)
	pipe, err := openPipeline(t.Context(), c, log)
	if err != nil {
		t.Fatal(err)
	}
	doors, err := openDoors(t.Context(), c, pipe, parts{keys: credential.NewKeyring(key), log: log}, func() error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	h := &house{pipe: pipe, key: key, doors: map[string]string{}}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	serve := []func(context.Context) error{pipe.book.Run}
	for _, d := range doors {
		h.doors[d.name] = d.listener.Addr().String()
		serve = append(serve, d.serve)
	}
	for _, s := range serve {
		go func() { ended <- s(ctx) }()
	}
	t.Cleanup(func() {
		stop()
		for range serve {
			if err := <-ended; err != nil {
				t.Error(err)
			}
		}
		if err := pipe.close(context.Background(), time.Second); err != nil {
			t.Error(err)
		}
	})
	return h
}

// checkPod is a pod with a program that uses OpenTelemetry's SDK and nothing else.
type checkPod struct {
	meters  *sdkmetric.MeterProvider // over HTTP
	tracers *sdktrace.TracerProvider // over gRPC
}

// pod returns the pod of a run, as its environment would make it.
func (h *house) pod(t *testing.T, credential string, about ...attribute.KeyValue) *checkPod {
	t.Helper()
	headers := map[string]string{"authorization": "Bearer " + credential}
	metrics, err := otlpmetrichttp.New(t.Context(), otlpmetrichttp.WithEndpoint(h.doors["otlp_http_address"]), otlpmetrichttp.WithInsecure(), otlpmetrichttp.WithHeaders(headers))
	if err != nil {
		t.Fatal(err)
	}
	spans, err := otlptracegrpc.New(t.Context(), otlptracegrpc.WithEndpoint(h.doors["otlp_grpc_address"]), otlptracegrpc.WithInsecure(), otlptracegrpc.WithHeaders(headers))
	if err != nil {
		t.Fatal(err)
	}
	who := resource.NewSchemaless(append(about, attribute.String("k8s.pod.uid", "pod-1"))...)
	return &checkPod{
		meters:  sdkmetric.NewMeterProvider(sdkmetric.WithResource(who), sdkmetric.WithReader(sdkmetric.NewPeriodicReader(metrics))),
		tracers: sdktrace.NewTracerProvider(sdktrace.WithResource(who), sdktrace.WithBatcher(spans)),
	}
}

// exit ends the program as a well-behaved one does: it flushes.
func (p *checkPod) exit(t *testing.T) {
	t.Helper()
	for _, shutdown := range []func(context.Context) error{p.tracers.Shutdown, p.meters.Shutdown} {
		if err := shutdown(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

func (p *checkPod) count(t *testing.T) {
	t.Helper()
	pages, err := p.meters.Meter("check").Int64Counter("pages.visited")
	if err != nil {
		t.Fatal(err)
	}
	pages.Add(t.Context(), 5)
}

func (p *checkPod) says(t *testing.T, ok float64) {
	t.Helper()
	gauge, err := p.meters.Meter("check").Float64Gauge("sonde.check.ok")
	if err != nil {
		t.Fatal(err)
	}
	gauge.Record(t.Context(), ok)
}

func (p *checkPod) root(t *testing.T, code codes.Code, about string, attributes ...attribute.KeyValue) {
	t.Helper()
	_, span := p.tracers.Tracer("check").Start(t.Context(), "login", trace.WithAttributes(attributes...))
	span.SetStatus(code, about)
	span.End()
}

// TestVerdictsOfChecksThatKnowOnlyOpenTelemetry has every form of a report that OTLP has
// come from the SDK through the real doors to the verdict.
func TestVerdictsOfChecksThatKnowOnlyOpenTelemetry(t *testing.T) {
	t.Parallel()
	h := openHouse(t)
	suite := attribute.Key("test.suite.run.status")
	cases := map[string]struct {
		mode  verdict.Mode
		about []attribute.KeyValue
		main  func(*testing.T, *checkPod)
		code  int
		want  result.Verdict
	}{
		"the gauge says yes, whatever else": {
			main: func(t *testing.T, p *checkPod) { t.Helper(); p.says(t, 1); p.root(t, codes.Error, "no") }, code: 3,
			want: result.Verdict{Result: result.Success, Reason: result.Reported},
		},
		"the gauge says no": {
			main: func(t *testing.T, p *checkPod) { t.Helper(); p.says(t, 0) },
			want: result.Verdict{Result: result.Failure, Reason: result.Reported, Message: "the check reported failure and gave no error"},
		},
		"the gauge where a report is required": {
			mode: verdict.Required, main: func(t *testing.T, p *checkPod) { t.Helper(); p.says(t, 1) },
			want: result.Verdict{Result: result.Success, Reason: result.Reported},
		},
		"an attribute of the resource": {
			about: []attribute.KeyValue{attribute.String("cicd.pipeline.result", "failure")},
			main:  func(t *testing.T, p *checkPod) { t.Helper(); p.count(t) },
			want:  result.Verdict{Result: result.Failure, Reason: result.Reported, Message: "cicd.pipeline.result is failure"},
		},
		"an attribute of a span over the span's status": {
			main: func(t *testing.T, p *checkPod) { t.Helper(); p.root(t, codes.Error, "flaky", suite.String("success")) },
			want: result.Verdict{Result: result.Success, Reason: result.Reported},
		},
		"a span that is an error": {
			main: func(t *testing.T, p *checkPod) { t.Helper(); p.count(t); p.root(t, codes.Error, "the basket is empty") },
			want: result.Verdict{Result: result.Failure, Reason: result.Reported, Message: "the basket is empty"},
		},
		"a span that is Ok": {
			main: func(t *testing.T, p *checkPod) { t.Helper(); p.root(t, codes.Ok, "") },
			want: result.Verdict{Result: result.Success, Reason: result.Reported},
		},
		"a span where a report is required": {
			mode: verdict.Required, main: func(t *testing.T, p *checkPod) { t.Helper(); p.root(t, codes.Ok, "") },
			want: result.Verdict{Result: result.Error, Reason: result.NoReport, Message: "the check ended with exit code 0 and did not report"},
		},
		"a span without a status, and a crash": {
			main: func(t *testing.T, p *checkPod) { t.Helper(); p.root(t, codes.Unset, "") }, code: 3,
			want: result.Verdict{Result: result.Failure, Reason: result.ExitCode, Message: "exit code 3"},
		},
		"only telemetry, and exit code 0": {
			main: func(t *testing.T, p *checkPod) { t.Helper(); p.count(t) },
			want: result.Verdict{Result: result.Success, Reason: result.ExitCode},
		},
		"an SDK that had nothing to say, and exit code 0": {
			main: func(*testing.T, *checkPod) {},
			want: result.Verdict{Result: result.Success, Reason: result.ExitCode},
		},
		"nothing at all": {
			want: result.Verdict{Result: result.Error, Reason: result.NoReport, Message: "the check ended with exit code 0 and did not report"},
		},
	}
	for name, tc := range cases { // all at once: most verdicts wait for what may be on its way
		put := ledger.Check{
			UID: newUUID(name, "check"), Key: result.Key{Namespace: "shop", Name: name}, MaxSeries: 10,
			Terms: verdict.Terms{Mode: cmp.Or(tc.mode, verdict.Auto), Timeout: time.Minute, StartAllowance: time.Minute},
		}
		if err := h.pipe.book.PutCheck(t.Context(), put); err != nil {
			t.Fatal(err)
		}
		h.play(t, put.UID, newUUID(name, "run"), tc.code, tc.about, tc.main)
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := h.verdict(t, newUUID(name, "check")); got != tc.want {
				t.Errorf("verdict %+v, want %+v", got, tc.want)
			}
		})
	}
}

// newUUID returns an id that has the form of a UID.
func newUUID(of, kind string) string {
	n := 0
	for _, c := range of + kind {
		n = n*31 + int(c)
	}
	return fmt.Sprintf("0f8fad5b-d9cb-469f-a165-%012x", uint64(n)&0xffffffffffff)
}

// play leads a run from its start to its end.
func (h *house) play(t *testing.T, check, run string, code int, about []attribute.KeyValue, main func(*testing.T, *checkPod)) {
	t.Helper()
	began := time.Now()
	job := verdict.Job{Created: began, Scheduled: began, Pods: []verdict.Pod{{UID: "pod-1", Started: began}}}
	observe := func() {
		if _, err := h.pipe.book.Observe(t.Context(), ledger.RunRef{ID: run, Name: "job", CheckUID: check}, job); err != nil {
			t.Fatal(err)
		}
	}
	observe()
	if main != nil {
		pod := h.pod(t, credential.Compose(run, credential.Token(h.key, check)), about...)
		main(t, pod)
		pod.exit(t)
	}
	now := time.Now()
	job.Pods = []verdict.Pod{{UID: "pod-1", Started: began, Ended: now, ExitCode: code, Failed: code != 0}}
	job.Ended, job.End = now, verdict.Completed
	if code != 0 {
		job.End = verdict.GaveUp
	}
	observe()
}

// verdict waits for the verdict on the one run of a check.
func (h *house) verdict(t *testing.T, check string) result.Verdict {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if s, ok := h.pipe.book.Standing(check); ok {
			return s.Verdict
		}
	}
	t.Fatal("no verdict within a minute")
	return result.Verdict{}
}
