package keep

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.uber.org/zap"
)

// gauge is a batch of one metric with a point for each value, from one resource.
func gauge(resource, name string, values ...float64) pmetric.Metrics {
	batch := pmetric.NewMetrics()
	of := batch.ResourceMetrics().AppendEmpty()
	of.Resource().Attributes().PutStr("service.name", resource)
	metric := of.ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
	metric.SetName(name)
	points := metric.SetEmptyGauge().DataPoints()
	for _, v := range values {
		points.AppendEmpty().SetDoubleValue(v)
	}
	return batch
}

func ask(t *testing.T, s *store, path string) string {
	t.Helper()
	w := httptest.NewRecorder()
	s.handler().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
	if w.Code != http.StatusOK {
		t.Fatalf("GET %s: %d %s", path, w.Code, w.Body)
	}
	return w.Body.String()
}

func TestTheLatestOfEachMetricIsTold(t *testing.T) {
	now := time.Unix(1000, 0)
	s := newStore(func() time.Time { return now })
	s.addMetrics(gauge("a", "pages", 1, 2))
	now = now.Add(time.Minute)
	s.addMetrics(gauge("b", "pages", 3))
	s.addMetrics(gauge("b", "pages", 4))
	read := func(path string) pmetric.Metrics {
		got, err := (&pmetric.JSONUnmarshaler{}).UnmarshalMetrics([]byte(ask(t, s, path)))
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	if all := read("/v1/metrics"); all.MetricCount() != 2 || all.DataPointCount() != 3 {
		t.Errorf("all: %d metrics with %d points, want 2 with 3", all.MetricCount(), all.DataPointCount())
	}
	fresh := read("/v1/metrics?within=10s")
	if fresh.DataPointCount() != 1 {
		t.Fatalf("within 10 s: %d points, want 1", fresh.DataPointCount())
	}
	point := fresh.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().At(0).Gauge().DataPoints().At(0)
	if point.DoubleValue() != 4 {
		t.Errorf("value %v, want the last, 4", point.DoubleValue())
	}
	if got, want := ask(t, s, "/"), `{"batches":3,"dataPoints":4,"spans":0,"logRecords":0}`+"\n"; got != want {
		t.Errorf("counts %s, want %s", got, want)
	}
}

func TestSpansAreBounded(t *testing.T) {
	s := newStore(time.Now)
	for range maxBatches + 1 {
		batch := ptrace.NewTraces()
		batch.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans().AppendEmpty().SetName("GET /")
		s.addTraces(batch)
	}
	got, err := (&ptrace.JSONUnmarshaler{}).UnmarshalTraces([]byte(ask(t, s, "/v1/traces")))
	if err != nil || got.SpanCount() != maxBatches {
		t.Errorf("%d spans, %v; want %d", got.SpanCount(), err, maxBatches)
	}
}

func TestTheFileTurnsOver(t *testing.T) {
	path := filepath.Join(t.TempDir(), "received.jsonl")
	k := newKeeper(Config{Path: path, MaxFileBytes: 1}, zap.NewNop())
	for _, name := range []string{"first", "second", "third"} {
		if err := k.ConsumeMetrics(t.Context(), gauge("a", name, 1)); err != nil {
			t.Fatal(err)
		}
	}
	if err := k.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]string{path: "third", path + ".1": "second"} {
		text, err := os.ReadFile(file)
		if err != nil || !strings.Contains(string(text), want) {
			t.Errorf("%s: %s, %v; want the batch of %s", file, text, err, want)
		}
	}
}
