package export_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/resource"

	"github.com/sonde-dev/sonde/telemetry/export"
	"github.com/sonde-dev/sonde/telemetry/result"
	"github.com/sonde-dev/sonde/telemetry/series"
)

const (
	text        = "text/plain;version=0.0.4"
	openMetrics = "application/openmetrics-text;version=1.0.0"
	protobuf    = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"
)

// produce is a metric.Producer.
type produce func() ([]metricdata.ScopeMetrics, error)

func (p produce) Produce(context.Context) ([]metricdata.ScopeMetrics, error) { return p() }

type exposition struct {
	handler http.Handler
	meters  *sdkmetric.MeterProvider
	log     *bytes.Buffer
}

func expose(t *testing.T, p sdkmetric.Producer) exposition {
	t.Helper()
	log := &bytes.Buffer{}
	handler, meters, err := export.Prometheus(export.Config{
		Producer: p, Resource: resource.Empty(), Version: "v1.2.3", Log: slog.New(slog.NewTextHandler(log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = meters.Shutdown(context.WithoutCancel(t.Context())) })
	return exposition{handler, meters, log}
}

func (e exposition) scrape(t *testing.T, accept string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil)
	r.Header.Set("Accept", accept)
	w := httptest.NewRecorder()
	e.handler.ServeHTTP(w, r)
	return w
}

// families parses a scrape in text.
func (e exposition) families(t *testing.T) map[string]*dto.MetricFamily {
	t.Helper()
	w := e.scrape(t, text)
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(w.Body)
	if err != nil || w.Code != http.StatusOK {
		t.Fatalf("scrape: %d, %v", w.Code, err)
	}
	return families
}

func storeWithOneRun() *series.Store {
	t0 := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	s := series.New(series.Config{}, func() time.Time { return t0 })
	s.PutCheck(series.Check{UID: "u", Key: result.Key{Namespace: "shop", Name: "login"}, MaxSeries: 1})
	s.Record(result.Run{
		CheckUID: "u", ID: "0af76519-16cd-43dd-8448-eb211c80319c", Started: t0, Decided: t0, Duration: time.Second,
		Verdict: result.Verdict{Result: result.Success, Reason: result.Reported},
	})
	return s
}

func TestAScrapeHasAllThatBelongsToIt(t *testing.T) {
	e := expose(t, storeWithOneRun())
	own, err := e.meters.Meter("test").Int64Counter("sonde.receiver.reports")
	if err != nil {
		t.Fatal(err)
	}
	own.Add(t.Context(), 1)
	foreign, err := e.meters.Meter("test").Int64Counter("http.server.requests")
	if err != nil {
		t.Fatal(err)
	}
	foreign.Add(t.Context(), 1)

	families := e.families(t)
	for _, name := range []string{
		"sonde_check_ok", "sonde_runs_total", "sonde_build_info", "sonde_receiver_reports_total",
		"go_goroutines", "process_open_fds", "promhttp_metric_handler_errors_total",
	} {
		if families[name] == nil {
			t.Errorf("no %s", name)
		}
	}
	for _, name := range []string{"target_info", "otel_scope_info", "http_server_requests_total"} {
		if families[name] != nil {
			t.Errorf("there is %s", name)
		}
	}
	var info strings.Builder
	for _, l := range families["sonde_build_info"].GetMetric()[0].GetLabel() {
		fmt.Fprintf(&info, "%s=%s ", l.GetName(), l.GetValue())
	}
	if !strings.Contains(info.String(), "version=v1.2.3 ") || !strings.Contains(info.String(), "go_version=go1.") {
		t.Errorf("sonde_build_info has %s", info.String())
	}
}

func TestOpenMetricsHasTheTraceOfARun(t *testing.T) {
	w := expose(t, storeWithOneRun()).scrape(t, openMetrics)
	body := w.Body.String()
	if w.Code != http.StatusOK || !strings.HasPrefix(w.Header().Get("Content-Type"), "application/openmetrics-text") {
		t.Errorf("answer is %d, %s", w.Code, w.Header().Get("Content-Type"))
	}
	if !strings.HasSuffix(body, "# EOF\n") || !strings.Contains(body, `trace_id="0af7651916cd43dd8448eb211c80319c"`) {
		t.Errorf("no end or no trace in %s", body)
	}
}

func TestProtobufHasNativeHistograms(t *testing.T) {
	w := expose(t, storeWithOneRun()).scrape(t, protobuf)
	decoder := expfmt.NewDecoder(w.Body, expfmt.ResponseFormat(w.Header()))
	for {
		var family dto.MetricFamily
		if err := decoder.Decode(&family); errors.Is(err, io.EOF) {
			t.Fatal("no sonde_check_run_duration_seconds")
		} else if err != nil {
			t.Fatal(err)
		}
		if family.GetName() == "sonde_check_run_duration_seconds" {
			if h := family.GetMetric()[0].GetHistogram(); h.GetSchema() != 3 || h.GetSampleCount() != 1 || len(h.GetPositiveSpan()) != 1 {
				t.Errorf("histogram is %v", h)
			}
			return
		}
	}
}

// TestABrokenProducerSpoilsOnlyItself scrapes what the store never makes.
func TestABrokenProducerSpoilsOnlyItself(t *testing.T) {
	metrics := func(m ...metricdata.Metrics) produce {
		return func() ([]metricdata.ScopeMetrics, error) { return []metricdata.ScopeMetrics{{Metrics: m}}, nil }
	}
	point := func(attrs ...attribute.KeyValue) metricdata.DataPoint[float64] {
		return metricdata.DataPoint[float64]{Attributes: attribute.NewSet(attrs...), Value: 1}
	}
	gauge := func(name string, points ...metricdata.DataPoint[float64]) metricdata.Metrics {
		return metricdata.Metrics{Name: name, Data: metricdata.Gauge[float64]{DataPoints: points}}
	}
	for name, tc := range map[string]struct {
		producer produce
		logged   bool // by the handler; an error of Produce goes to OpenTelemetry's error handler
	}{
		"it panics":             {func() ([]metricdata.ScopeMetrics, error) { panic("broken") }, true},
		"it returns an error":   {func() ([]metricdata.ScopeMetrics, error) { return nil, errors.New("broken") }, false},
		"no data":               {metrics(metricdata.Metrics{Name: "x"}), true},
		"a summary":             {metrics(metricdata.Metrics{Name: "x", Data: metricdata.Summary{}}), true},
		"a series twice":        {metrics(gauge("x", point(), point())), true},
		"a value not in UTF-8":  {metrics(gauge("x", point(attribute.String("a", "\xff")))), true},
		"a key without a name":  {metrics(gauge("x", point(attribute.String("", "b")))), true},
		"a name without a name": {metrics(gauge("", point())), true},
		"missing buckets": {metrics(metricdata.Metrics{Name: "x", Data: metricdata.Histogram[float64]{
			DataPoints: []metricdata.HistogramDataPoint[float64]{{Bounds: []float64{1}}},
		}}), true},
	} {
		t.Run(name, func(t *testing.T) {
			e := expose(t, tc.producer)
			e.families(t)
			families := e.families(t) // counts the first
			if families["go_goroutines"] == nil {
				t.Error("the rest of the scrape is missing")
			}
			if got := strings.Contains(e.log.String(), "scrape is not whole"); got != tc.logged {
				t.Errorf("logged: %q", e.log)
			}
			errs := 0.0
			for _, m := range families["promhttp_metric_handler_errors_total"].GetMetric() {
				errs += m.GetCounter().GetValue()
			}
			if counted := errs > 0; counted != tc.logged {
				t.Errorf("%v errors counted", errs)
			}
		})
	}
}

func TestALineOfTheLogIsBounded(t *testing.T) {
	points := make([]metricdata.DataPoint[float64], 1000)
	e := expose(t, produce(func() ([]metricdata.ScopeMetrics, error) {
		return []metricdata.ScopeMetrics{{Metrics: []metricdata.Metrics{{Name: "x", Data: metricdata.Gauge[float64]{DataPoints: points}}}}}, nil
	}))
	e.scrape(t, text)
	if n := e.log.Len(); n == 0 || n > 3000 {
		t.Errorf("the log has %d bytes", n)
	}
}

func TestFurtherReadersHaveOwnMeters(t *testing.T) {
	reader := sdkmetric.NewManualReader()
	_, meters, err := export.Prometheus(export.Config{
		Producer: storeWithOneRun(), Resource: resource.Empty(), Readers: []sdkmetric.Reader{reader}, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = meters.Shutdown(t.Context()) }()
	var got metricdata.ResourceMetrics
	if err := reader.Collect(t.Context(), &got); err != nil || len(got.ScopeMetrics) != 1 || got.ScopeMetrics[0].Metrics[0].Name != "sonde.build.info" {
		t.Errorf("Collect() = %+v, %v", got, err)
	}
}
