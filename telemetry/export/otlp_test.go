package export_test

import (
	"context"
	"log/slog"
	"net"
	"testing"
	"time"

	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	collector "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	"google.golang.org/grpc"

	"github.com/sonde-dev/sonde/telemetry/export"
	"github.com/sonde-dev/sonde/telemetry/result"
	"github.com/sonde-dev/sonde/telemetry/series"
)

// backend is an OTLP server that passes on what it is sent.
type backend struct {
	collector.UnimplementedMetricsServiceServer
	pushed chan *collector.ExportMetricsServiceRequest
}

// Export implements the service.
func (b *backend) Export(_ context.Context, r *collector.ExportMetricsServiceRequest) (*collector.ExportMetricsServiceResponse, error) {
	b.pushed <- r
	return &collector.ExportMetricsServiceResponse{}, nil
}

// TestOTLPPushesWhatPrometheusScrapes sends to a real gRPC server, by the standard
// variables alone.
func TestOTLPPushesWhatPrometheusScrapes(t *testing.T) {
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := &backend{pushed: make(chan *collector.ExportMetricsServiceRequest, 8)}
	server := grpc.NewServer()
	collector.RegisterMetricsServiceServer(server, b)
	go func() { _ = server.Serve(l) }()
	t.Cleanup(server.Stop)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://"+l.Addr().String())

	store := series.New(series.Config{}, time.Now)
	store.PutCheck(series.Check{UID: "u", Key: result.Key{Namespace: "shop", Name: "login"}})
	reader, err := export.OTLP(t.Context(), store)
	if err != nil {
		t.Fatal(err)
	}
	_, meters, err := export.Prometheus(export.Config{
		Producer: store, Resource: resource.Empty(), Readers: []sdkmetric.Reader{reader}, Version: "test", Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := meters.Shutdown(t.Context()); err != nil { // the last push
		t.Fatal(err)
	}
	names := map[string]bool{}
	for len(b.pushed) > 0 {
		for _, r := range (<-b.pushed).GetResourceMetrics() {
			for _, s := range r.GetScopeMetrics() {
				for _, m := range s.GetMetrics() {
					names[m.GetName()] = true
				}
			}
		}
	}
	for _, want := range []string{"sonde.check.runs", "sonde.runs", "sonde.build.info"} {
		if !names[want] {
			t.Errorf("%s was not pushed; %d metrics were", want, len(names))
		}
	}
}
