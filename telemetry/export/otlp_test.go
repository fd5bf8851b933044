package export_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/resource"
	collector "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/sonde-dev/sonde/telemetry/export"
)

// pushing is an exposition with pushes.
type pushing struct {
	exposition
	log *syncBuffer
	all []*export.Push
}

// syncBuffer is a log that several goroutines write.
type syncBuffer struct {
	mu  sync.Mutex // guards buf
	buf bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.String()
}

// pushTo exposes what producer makes, and pushes it.
func pushTo(t *testing.T, producer sdkmetric.Producer, to ...export.Destination) pushing {
	t.Helper()
	log := &syncBuffer{}
	logger := slog.New(slog.NewTextHandler(log, nil))
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { logger.Error("telemetry failed", "err", err) }))
	var pushes []*export.Push
	for _, d := range to {
		p, err := export.OTLP(t.Context(), d, export.Pushing{
			Producer: producer, Log: logger, Now: func() time.Time { return time.Unix(1_700_000_000, 0) },
		})
		if err != nil {
			t.Fatal(err)
		}
		pushes = append(pushes, p)
	}
	handler, meters, err := export.Prometheus(export.Config{
		Producer: producer, Resource: resource.NewSchemaless(attribute.String("service.name", "sonde")), Pushes: pushes, Version: "test", Log: logger,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
		cancel()
		_ = meters.Shutdown(ctx)
	})
	return pushing{exposition{handler: handler, meters: meters}, log, pushes}
}

// push pushes to all destinations, one after the other.
func (p pushing) push(t *testing.T) {
	t.Helper()
	if err := p.meters.ForceFlush(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// pushes returns sonde_otlp_pushes_total as the destination and outcome have it.
func (p pushing) pushes(t *testing.T, destination, outcome string) float64 {
	t.Helper()
	for _, m := range p.families(t)["sonde_otlp_pushes_total"].GetMetric() {
		is := map[string]string{}
		for _, l := range m.GetLabel() {
			is[l.GetName()] = l.GetValue()
		}
		if is["destination"] == destination && is["outcome"] == outcome {
			return m.GetCounter().GetValue()
		}
	}
	t.Fatalf("no sonde_otlp_pushes_total of %s, %s", destination, outcome)
	return 0
}

func TestOTLPPushesWhatPrometheusScrapes(t *testing.T) {
	for _, protocol := range bothProtocols() {
		t.Run(string(protocol), func(t *testing.T) {
			b := serve(t, protocol, nil)
			p := pushTo(t, storeWithOneRun(), b.destination(protocol))
			p.push(t)

			names := b.names()
			for _, want := range []string{"sonde.check.runs", "sonde.runs", "sonde.build.info", "sonde.otlp.pushes"} {
				if names[want] == 0 {
					t.Errorf("%s was not pushed; %d metrics were", want, len(names))
				}
			}
			for name, points := range names {
				if points == 0 {
					t.Errorf("%s was pushed without points, for which Mimir refuses the whole request", name)
				}
			}
			a := b.came()[0]
			if got := a.metrics.GetResourceMetrics()[0].GetResource().GetAttributes()[0].GetValue().GetStringValue(); got != "sonde" {
				t.Errorf("the resource's first attribute is %q", got)
			}
			if a.headers["content-encoding"] != "gzip" || (protocol == export.HTTPProtobuf && a.path != "/v1/metrics") {
				t.Errorf("the request is to %q with %v", a.path, a.headers)
			}
		})
	}
}

func TestOutcomesAreCounted(t *testing.T) {
	for _, protocol := range bothProtocols() {
		t.Run(string(protocol), func(t *testing.T) {
			b := serve(t, protocol, nil)
			p := pushTo(t, storeWithOneRun(), b.destination(protocol))
			expect := func(successes, failures float64) {
				t.Helper()
				if s, f := p.pushes(t, "backend", "success"), p.pushes(t, "backend", "failure"); s != successes || f != failures {
					t.Errorf("%v successes and %v failures, want %v and %v", s, f, successes, failures)
				}
			}
			expect(0, 0)
			if p.families(t)["sonde_otlp_last_push_timestamp_seconds"] != nil {
				t.Error("there is a time of the last push before the first")
			}
			b.answer(func(b *backend) {
				b.status, b.body, b.err = http.StatusBadRequest, "no", status.Error(codes.InvalidArgument, "no")
			})
			p.push(t)
			expect(0, 1)
			b.answer(func(b *backend) {
				b.status, b.err, b.partial = 0, nil, &collector.ExportMetricsPartialSuccess{RejectedDataPoints: 3, ErrorMessage: "too old"}
			})
			p.push(t)
			expect(0, 2)
			b.answer(func(b *backend) { b.partial = nil })
			p.push(t)
			expect(1, 2)
			if got := p.families(t)["sonde_otlp_last_push_timestamp_seconds"].GetMetric()[0].GetGauge().GetValue(); got != 1_700_000_000 {
				t.Errorf("the last push was at %v", got)
			}
		})
	}
}

func TestAFailureIsLoggedOnce(t *testing.T) {
	b := serve(t, export.HTTPProtobuf, nil)
	p := pushTo(t, storeWithOneRun(), b.destination(export.HTTPProtobuf))
	p.push(t)
	b.answer(func(b *backend) {
		b.partial = &collector.ExportMetricsPartialSuccess{RejectedDataPoints: 3, ErrorMessage: "too old"}
	})
	p.push(t)
	p.push(t)
	b.answer(func(b *backend) { b.partial = nil })
	p.push(t)
	p.push(t) // tells of the one before
	p.push(t)
	b.answer(func(b *backend) { b.status, b.body = http.StatusBadRequest, "no" })
	p.push(t)

	lines := strings.Split(strings.TrimSpace(p.log.String()), "\n")
	wants := []string{
		`level=ERROR msg="push failed; not logged again until one succeeds" destination=backend err="failed to upload metrics: OTLP partial success: too old (3 metric data points rejected)"`,
		`level=INFO msg="push succeeds again" destination=backend`,
		`level=ERROR msg="push failed; not logged again until one succeeds" destination=backend err="failed to upload metrics: failed to send metrics to ` + b.url.String() + `: 400 Bad Request (body: no)"`,
	}
	if len(lines) != len(wants) {
		t.Fatalf("the log is\n%s", p.log)
	}
	for i, want := range wants {
		if !strings.HasSuffix(lines[i], want) {
			t.Errorf("line %d is\n%s\nwant\n%s", i, lines[i], want)
		}
	}
}

// TestOneBadRequestOfManyIsOneFailure has a backend that refuses always the same part:
// it must not look like a recovery at every push.
func TestOneBadRequestOfManyIsOneFailure(t *testing.T) {
	b := serve(t, export.HTTPProtobuf, nil)
	d := b.destination(export.HTTPProtobuf)
	d.MaxPoints = 10
	p := pushTo(t, storeWithOneRun(), d)
	for range 3 {
		b.answer(func(b *backend) { b.arrivals, b.status = nil, http.StatusBadRequest })
		done := make(chan struct{})
		go func() {
			for len(b.came()) < 1 {
				time.Sleep(time.Millisecond)
			}
			b.answer(func(b *backend) { b.status = 0 })
			close(done)
		}()
		p.push(t)
		<-done
	}
	if n := strings.Count(p.log.String(), "\n"); n != 1 {
		t.Errorf("the log has %d lines:\n%s", n, p.log)
	}
}

func TestALargePushIsSeveralRequests(t *testing.T) {
	gauge := metricdata.Gauge[float64]{}
	for i := range 95 {
		gauge.DataPoints = append(gauge.DataPoints, metricdata.DataPoint[float64]{Attributes: attribute.NewSet(attribute.Int("i", i))})
	}
	producer := produce(func() ([]metricdata.ScopeMetrics, error) {
		return []metricdata.ScopeMetrics{{Metrics: []metricdata.Metrics{{Name: "x", Data: gauge}}}}, nil
	})
	for _, protocol := range bothProtocols() {
		t.Run(string(protocol), func(t *testing.T) {
			b := serve(t, protocol, nil)
			d := b.destination(protocol)
			d.MaxPoints = 10
			pushTo(t, producer, d).push(t)
			total := 0
			for _, a := range b.came() {
				n := 0
				for _, points := range a.points() {
					n += points
				}
				if n < 1 || n > 10 {
					t.Errorf("a request has %d points", n)
				}
				total += a.points()["x"]
			}
			if total != 95 || len(b.came()) < 10 {
				t.Errorf("%d points in %d requests", total, len(b.came()))
			}
		})
	}
}

// TestHeadersFollowTheirFile replaces the file, as the kubelet does with a Secret.
func TestHeadersFollowTheirFile(t *testing.T) {
	for _, protocol := range bothProtocols() {
		t.Run(string(protocol), func(t *testing.T) {
			b := serve(t, protocol, nil)
			file := filepath.Join(t.TempDir(), "headers")
			writeFile(t, file, "# of the tenant\n\nAuthorization: Basic abc==\nX-Scope-OrgID=a b=c\n")
			d := b.destination(protocol)
			d.HeadersFile, d.Headers = file, []export.Header{{Name: "Fixed", Value: "1"}}
			p := pushTo(t, storeWithOneRun(), d)
			p.push(t)
			writeFile(t, file, "Authorization: Basic def==\n")
			p.push(t)
			if err := os.Remove(file); err != nil {
				t.Fatal(err)
			}
			p.push(t)

			came := b.came()
			if len(came) != 2 {
				t.Fatalf("%d requests came, of which one without the file", len(came))
			}
			for i, want := range []map[string]string{
				{"authorization": "Basic abc==", "x-scope-orgid": "a b=c", "fixed": "1"},
				{"authorization": "Basic def==", "x-scope-orgid": "", "fixed": "1"},
			} {
				for name, value := range want {
					if got := came[i].headers[name]; got != value {
						t.Errorf("request %d has %s: %q, want %q", i, name, got, value)
					}
				}
			}
			if log := p.log.String(); !strings.Contains(log, "read headers: open "+file) {
				t.Errorf("the log is %s", log)
			}
		})
	}
}

// TestNothingOfTheEnvironmentGoesToADestination has what the SDK reads by itself.
func TestNothingOfTheEnvironmentGoesToADestination(t *testing.T) {
	for _, signal := range []string{"", "METRICS_"} {
		for name, value := range map[string]string{
			"ENDPOINT": "https://127.0.0.1:1/elsewhere", "HEADERS": "authorization=secret", "COMPRESSION": "gzip", "TIMEOUT": "1",
			"CERTIFICATE": newAuthority(t).file, "INSECURE": "true",
		} {
			t.Setenv("OTEL_EXPORTER_OTLP_"+signal+name, value)
		}
	}
	t.Setenv("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "delta")
	t.Setenv("OTEL_METRIC_EXPORT_INTERVAL", "1")
	for _, protocol := range bothProtocols() {
		t.Run(string(protocol), func(t *testing.T) {
			b := serve(t, protocol, nil)
			d := b.destination(protocol)
			d.Compression = export.NoCompression
			p := pushTo(t, storeWithOneRun(), d)
			p.push(t)
			if len(b.came()) != 1 {
				t.Fatalf("%d requests came; %s", len(b.came()), p.log)
			}
			a := b.came()[0]
			if a.headers["authorization"] != "" || a.headers["content-encoding"] != "" {
				t.Errorf("the request has %v", a.headers)
			}
			for _, scope := range a.metrics.GetResourceMetrics()[0].GetScopeMetrics() {
				for _, m := range scope.GetMetrics() {
					if temporality := m.GetSum().GetAggregationTemporality(); m.GetSum() != nil && temporality != 2 {
						t.Errorf("%s is %v", m.GetName(), temporality)
					}
				}
			}
		})
	}
}

// TestADestinationThatHangsHarmsOnlyItself has one that answers, one that never does
// and one that nobody listens at.
func TestADestinationThatHangsHarmsOnlyItself(t *testing.T) {
	for _, protocol := range bothProtocols() {
		t.Run(string(protocol), func(t *testing.T) {
			good, hanging, gone := serve(t, protocol, nil), serve(t, protocol, nil), serve(t, protocol, nil)
			release := make(chan struct{})
			t.Cleanup(func() { close(release) })
			hanging.answer(func(b *backend) { b.hang = release })
			var to []export.Destination
			for name, b := range map[string]*backend{"good": good, "hanging": hanging, "gone": gone} {
				d := b.destination(protocol)
				d.Name, d.Interval, d.Timeout = name, 50*time.Millisecond, 20*time.Second
				if name == "gone" {
					u := *d.Endpoint
					u.Host = "127.0.0.1:1"
					d.Endpoint, d.Timeout = &u, 100*time.Millisecond
				}
				to = append(to, d)
			}
			p := pushTo(t, storeWithOneRun(), to...)
			eventually(t, func() bool {
				return len(hanging.came()) > 0 && len(good.came()) > 5 && p.pushes(t, "gone", "failure") > 1
			})
			if n := len(hanging.came()); n != 1 {
				t.Errorf("%d pushes wait for the destination that hangs", n)
			}
			if got := p.pushes(t, "good", "failure"); got != 0 {
				t.Errorf("%v pushes to the good one failed", got)
			}

			// The last push goes to all at once, and ends.
			before, began := len(good.came()), time.Now()
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer cancel()
			var group sync.WaitGroup
			for _, push := range p.all {
				group.Go(func() { _ = push.Shutdown(ctx) })
			}
			group.Wait()
			if err := p.meters.Shutdown(ctx); err != nil {
				t.Error(err)
			}
			if took := time.Since(began); took > 2*time.Second {
				t.Errorf("the shutdown took %s", took)
			}
			if len(good.came()) == before {
				t.Error("the last push did not come")
			}
			if log := p.log.String(); strings.Contains(log, "metrics: context canceled") || strings.Contains(log, "code = Canceled") || !strings.Contains(log, "destination=hanging") {
				t.Errorf("what the last push does again is logged as a failure, or its own is not:\n%s", log)
			}
		})
	}
}

func TestADestinationThatComesBackIsPushedTo(t *testing.T) {
	for _, protocol := range bothProtocols() {
		t.Run(string(protocol), func(t *testing.T) {
			b := serve(t, protocol, nil)
			b.answer(func(b *backend) {
				b.status, b.err = http.StatusServiceUnavailable, status.Error(codes.Unavailable, "starting")
			})
			d := b.destination(protocol)
			d.Interval, d.Timeout = 20*time.Millisecond, 50*time.Millisecond
			p := pushTo(t, storeWithOneRun(), d)
			eventually(t, func() bool { return p.pushes(t, "backend", "failure") > 1 })
			b.answer(func(b *backend) { b.status, b.err = 0, nil })
			eventually(t, func() bool { return strings.Contains(p.log.String(), "push succeeds again") })
			if n := strings.Count(p.log.String(), "level=ERROR"); n != 1 {
				t.Errorf("%d errors are logged:\n%s", n, p.log)
			}
		})
	}
}

// TestNoSecretIsLogged has a backend that answers with what it was sent.
func TestNoSecretIsLogged(t *testing.T) {
	const echo = `no Basic dXNlcjpwYXNzd29yZC1vZi11c2Vy, no dXNlcjpwYXNzd29yZC1vZi11c2Vy, no password-of-user, no token-of-tenant, see https://me:mine@help.example/?key=mykey` + "\nx"
	for _, protocol := range bothProtocols() {
		t.Run(string(protocol), func(t *testing.T) {
			b := serve(t, protocol, nil)
			b.answer(func(b *backend) {
				b.status, b.body, b.err = http.StatusUnauthorized, echo, status.Error(codes.Unauthenticated, echo)
			})
			file := filepath.Join(t.TempDir(), "headers")
			writeFile(t, file, "Authorization: Basic dXNlcjpwYXNzd29yZC1vZi11c2Vy\nX-Token: token-of-tenant\n")
			d := b.destination(protocol)
			d.HeadersFile = file
			p := pushTo(t, storeWithOneRun(), d)
			p.push(t)
			log := p.log.String()
			if !strings.Contains(log, "push failed") || !strings.Contains(log, "no [redacted]") || !strings.Contains(log, "https://help.example/") {
				t.Errorf("the log is %s", log)
			}
			scrape := p.scrape(t, text).Body.String()
			for _, secret := range []string{"dXNlcjpw", "password-of", "token-of-tenant", "mine", "mykey"} {
				if strings.Contains(log, secret) || strings.Contains(scrape, secret) {
					t.Errorf("%s is in the log or the metrics: %s", secret, log)
				}
			}
		})
	}
}

// TestARedirectionIsAFailure has one that would take the headers elsewhere.
func TestARedirectionIsAFailure(t *testing.T) {
	b := serve(t, export.HTTPProtobuf, nil)
	b.answer(func(b *backend) { b.status = http.StatusPermanentRedirect })
	p := pushTo(t, storeWithOneRun(), b.destination(export.HTTPProtobuf))
	p.push(t)
	if len(b.came()) != 1 || p.pushes(t, "backend", "failure") != 1 {
		t.Errorf("%d requests came; %s", len(b.came()), p.log)
	}
}

func eventually(t *testing.T, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("not within 20 s")
		}
	}
}
