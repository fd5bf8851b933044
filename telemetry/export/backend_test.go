package export_test

import (
	"compress/gzip"
	"context"
	"crypto/tls"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	_ "google.golang.org/grpc/encoding/gzip" // the server takes it
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/stats"
	"google.golang.org/protobuf/proto"

	"github.com/sonde-dev/sonde/telemetry/export"
)

// arrival is a request as a backend sees it.
type arrival struct {
	path    string            // none with gRPC
	headers map[string]string // by name in lower case
	metrics *collector.ExportMetricsServiceRequest
}

// points returns how many points of each metric came.
func (a arrival) points() map[string]int {
	out := map[string]int{}
	for _, r := range a.metrics.GetResourceMetrics() {
		for _, s := range r.GetScopeMetrics() {
			for _, m := range s.GetMetrics() {
				out[m.GetName()] += len(m.GetGauge().GetDataPoints()) + len(m.GetSum().GetDataPoints()) +
					len(m.GetHistogram().GetDataPoints()) + len(m.GetExponentialHistogram().GetDataPoints())
			}
		}
	}
	return out
}

// backend is an OTLP server of both protocols, of which a test uses one.
type backend struct {
	collector.UnimplementedMetricsServiceServer
	url *url.URL

	mu       sync.Mutex // guards what is below
	arrivals []arrival

	// What requests are answered with.
	status  int                                    // with HTTP; 0 means 200
	body    string                                 // with HTTP
	err     error                                  // with gRPC
	partial *collector.ExportMetricsPartialSuccess // with both
	hang    <-chan struct{}                        // until it is closed
}

// answer changes what requests are answered with.
func (b *backend) answer(edit func(*backend)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	edit(b)
}

func (b *backend) came() []arrival {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.arrivals
}

func (b *backend) arrived(a arrival) {
	b.mu.Lock()
	b.arrivals = append(b.arrivals, a)
	hang := b.hang
	b.mu.Unlock()
	if hang != nil {
		<-hang
	}
}

// names returns the names of all metrics that came.
func (b *backend) names() map[string]int {
	all := map[string]int{}
	for _, a := range b.came() {
		maps.Copy(all, a.points())
	}
	return all
}

// Export implements the service of gRPC.
func (b *backend) Export(ctx context.Context, r *collector.ExportMetricsServiceRequest) (*collector.ExportMetricsServiceResponse, error) {
	a := arrival{headers: map[string]string{}, metrics: r}
	md, _ := metadata.FromIncomingContext(ctx)
	for name, values := range md {
		a.headers[name] = strings.Join(values, ", ")
	}
	a.headers["content-encoding"] = ctx.Value(encoding{}).(*encoding).name
	b.arrived(a)
	b.mu.Lock()
	defer b.mu.Unlock()
	return &collector.ExportMetricsServiceResponse{PartialSuccess: b.partial}, b.err
}

// ServeHTTP implements http.Handler.
func (b *backend) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a := arrival{path: r.URL.Path, headers: map[string]string{}, metrics: &collector.ExportMetricsServiceRequest{}}
	for name, values := range r.Header {
		a.headers[strings.ToLower(name)] = strings.Join(values, ", ")
	}
	body := io.Reader(r.Body)
	if a.headers["content-encoding"] == "gzip" {
		body, _ = gzip.NewReader(r.Body)
	}
	raw, err := io.ReadAll(body)
	if err == nil {
		err = proto.Unmarshal(raw, a.metrics)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	b.arrived(a)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.status != 0 {
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(b.status)
		_, _ = io.WriteString(w, b.body)
		return
	}
	w.Header().Set("Content-Type", "application/x-protobuf")
	answer, _ := proto.Marshal(&collector.ExportMetricsServiceResponse{PartialSuccess: b.partial})
	_, _ = w.Write(answer)
}

// compression is a stats.Handler that tells Export how the request was compressed: gRPC
// keeps that from its metadata.
type compression struct{}

// encoding is what compression finds, and the key of the context that has it.
type encoding struct{ name string }

func (compression) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context {
	return context.WithValue(ctx, encoding{}, &encoding{})
}

func (compression) HandleRPC(ctx context.Context, s stats.RPCStats) {
	if in, ok := s.(*stats.InHeader); ok {
		ctx.Value(encoding{}).(*encoding).name = in.Compression
	}
}

func (compression) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }
func (compression) HandleConn(context.Context, stats.ConnStats)                       {}

// serve starts a backend; config is that of TLS, if any.
func serve(t *testing.T, protocol export.Protocol, config *tls.Config) *backend {
	t.Helper()
	b := &backend{url: &url.URL{Scheme: "http"}}
	if config != nil {
		b.url.Scheme = "https"
	}
	if protocol == export.HTTPProtobuf {
		server := httptest.NewUnstartedServer(b)
		if server.TLS = config; config != nil {
			server.StartTLS()
		} else {
			server.Start()
		}
		t.Cleanup(server.CloseClientConnections)
		b.url.Host = server.Listener.Addr().String()
		b.url.Path = "/v1/metrics"
		return b
	}
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	options := []grpc.ServerOption{grpc.StatsHandler(compression{})}
	if config != nil {
		options = append(options, grpc.Creds(credentials.NewTLS(config)))
	}
	server := grpc.NewServer(options...)
	collector.RegisterMetricsServiceServer(server, b)
	go func() { _ = server.Serve(l) }()
	t.Cleanup(server.Stop)
	b.url.Host = l.Addr().String()
	return b
}

// destination returns a destination that is b, and pushes when it is told to.
func (b *backend) destination(protocol export.Protocol) export.Destination {
	return export.Destination{
		Name: "backend", Endpoint: b.url, Protocol: protocol, Compression: export.Gzip,
		Interval: time.Hour, Timeout: 5 * time.Second, MaxPoints: export.DefaultMaxPoints,
	}
}

func bothProtocols() []export.Protocol {
	return []export.Protocol{export.GRPC, export.HTTPProtobuf}
}
