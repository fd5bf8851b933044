package main

import (
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	metricspb "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	tracepb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	pb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// endpoint is where telemetry goes: it takes what comes, if it comes with the
// credential.
type endpoint struct {
	t       *testing.T
	mu      sync.Mutex // guards the rest
	metrics map[string]float64
	spans   []*pb.Span
}

func (e *endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if r.Header.Get("Authorization") != "Bearer run.token" {
		e.t.Errorf("authorization %q", r.Header.Get("Authorization"))
	}
	unzipped, err := gzip.NewReader(r.Body)
	if err != nil {
		e.t.Error(err)
		return
	}
	body, err := io.ReadAll(unzipped)
	if err != nil {
		e.t.Error(err)
	}
	switch r.URL.Path {
	case "/v1/metrics":
		e.takeMetrics(body)
	case "/v1/traces":
		e.takeSpans(body)
	}
}

func (e *endpoint) takeMetrics(body []byte) {
	var batch metricspb.ExportMetricsServiceRequest
	if err := proto.Unmarshal(body, &batch); err != nil {
		e.t.Error(err)
	}
	for _, m := range batch.GetResourceMetrics()[0].GetScopeMetrics()[0].GetMetrics() {
		for _, p := range append(m.GetGauge().GetDataPoints(), m.GetSum().GetDataPoints()...) {
			e.metrics[m.GetName()+labels(p.GetAttributes())] = p.GetAsDouble() + float64(p.GetAsInt())
		}
	}
}

func labels(attributes []*commonpb.KeyValue) string {
	out := ""
	for _, a := range attributes {
		out += fmt.Sprintf(" %s=%d", a.GetKey(), a.GetValue().GetIntValue())
	}
	return out
}

func (e *endpoint) takeSpans(body []byte) {
	var batch tracepb.ExportTraceServiceRequest
	if err := proto.Unmarshal(body, &batch); err != nil {
		e.t.Error(err)
	}
	e.spans = append(e.spans, batch.GetResourceSpans()[0].GetScopeSpans()[0].GetSpans()...)
}

// visit runs the check as Sonde would, and returns what it told.
func visit(t *testing.T, pages ...string) *endpoint {
	t.Helper()
	e := &endpoint{t: t, metrics: map[string]float64{}}
	server := httptest.NewServer(e)
	t.Cleanup(server.Close)
	for name, value := range map[string]string{
		"OTEL_EXPORTER_OTLP_ENDPOINT":    server.URL,
		"OTEL_EXPORTER_OTLP_HEADERS":     "authorization=Bearer%20run.token",
		"OTEL_EXPORTER_OTLP_COMPRESSION": "gzip",
		"TRACEPARENT":                    "00-6374187966ea4840889043164dc563d1-889043164dc563d1-01",
	} {
		t.Setenv(name, value)
	}
	if err := run(t.Context(), pages); err != nil {
		t.Fatal(err)
	}
	return e
}

// site has one page.
func site(t *testing.T) string {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("/login", func(http.ResponseWriter, *http.Request) {})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL
}

func TestPagesThatAnswer(t *testing.T) {
	url := site(t)
	told := visit(t, url+"/login", url+"/login?again")
	if told.metrics["sonde.check.ok"] != 1 || told.metrics["sonde.check.duration"] <= 0 {
		t.Errorf("metrics %v, want ok 1 and a duration", told.metrics)
	}
	if got := told.metrics["pages.visited http.response.status_code=200"]; got != 2 {
		t.Errorf("metrics %v, want 2 pages visited", told.metrics)
	}
	root := told.spans[len(told.spans)-1] // it ends last
	if len(told.spans) != 3 || root.GetStatus().GetCode() != pb.Status_STATUS_CODE_OK {
		t.Fatalf("%d spans, the last %v", len(told.spans), root)
	}
	if got := string(root.GetParentSpanId()); got != "\x88\x90\x43\x16\x4d\xc5\x63\xd1" {
		t.Errorf("the root's parent is %x, not that of TRACEPARENT", got)
	}
}

func TestAPageThatDoesNot(t *testing.T) {
	told := visit(t, site(t)+"/basket")
	root := told.spans[len(told.spans)-1]
	if told.metrics["sonde.check.ok"] != 0 || !strings.Contains(root.GetStatus().GetMessage(), "404 Not Found") {
		t.Errorf("metrics %v, status %v", told.metrics, root.GetStatus())
	}
	if got := told.metrics["pages.visited http.response.status_code=404"]; got != 1 {
		t.Errorf("metrics %v, want one page with 404", told.metrics)
	}
}
