package export

import (
	"context"
	"strings"
	"time"

	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetricgrpc"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/keepalive"
)

const (
	// reconnectBackoff is the longest wait before a connection is tried again. gRPC
	// waits for up to two minutes, in which pushes would fail that could succeed.
	reconnectBackoff = 10 * time.Second

	// unacknowledged is how long bytes may go unacknowledged before a connection is
	// given up (TCP_USER_TIMEOUT). Else the kernel tries for a quarter of an hour while
	// the node of the Collector is gone.
	unacknowledged = 20 * time.Second

	// pingAfter is longer than any request takes, and what servers allow (grpc-go:
	// EnforcementPolicy.MinTime). It is here since gRPC sets TCP_USER_TIMEOUT only
	// together with pings.
	pingAfter = 5 * time.Minute
)

// grpcExporter sends to d. What the SDK would take from the environment is set, so that
// one destination's headers never go to another.
func grpcExporter(ctx context.Context, d Destination, h *headers) (sdkmetric.Exporter, error) {
	transport := insecure.NewCredentials()
	if d.secure() {
		transport = credentials.NewTLS(d.tlsConfig())
	}
	compressor := "" // none
	if d.Compression == Gzip {
		compressor = gzip.Name
	}
	retry := backoff.DefaultConfig
	retry.MaxDelay = reconnectBackoff
	return otlpmetricgrpc.New(
		ctx,
		otlpmetricgrpc.WithEndpoint("dns:///"+d.address()),
		otlpmetricgrpc.WithTLSCredentials(transport),
		otlpmetricgrpc.WithHeaders(nil), // perRequest has them
		otlpmetricgrpc.WithTimeout(d.Timeout),
		otlpmetricgrpc.WithTemporalitySelector(sdkmetric.CumulativeTemporalitySelector),
		otlpmetricgrpc.WithAggregationSelector(sdkmetric.DefaultAggregationSelector),
		otlpmetricgrpc.WithDialOption(
			grpc.WithDefaultCallOptions(grpc.UseCompressor(compressor)),
			grpc.WithPerRPCCredentials(perRequest{h}),
			grpc.WithConnectParams(grpc.ConnectParams{Backoff: retry, MinConnectTimeout: d.Timeout}),
			grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: pingAfter, Timeout: unacknowledged}),
		),
	)
}

// perRequest gives the headers to gRPC, as credentials.PerRPCCredentials.
type perRequest struct{ headers *headers }

// GetRequestMetadata implements credentials.PerRPCCredentials.
func (p perRequest) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	all, err := p.headers.read()
	if err != nil {
		return nil, err
	}
	entries := map[string]string{}
	for _, h := range all {
		entries[strings.ToLower(h.Name)] = h.Value
	}
	return entries, nil
}

// RequireTransportSecurity implements credentials.PerRPCCredentials. Not every header
// is a secret, and the endpoint says whether there is TLS.
func (perRequest) RequireTransportSecurity() bool { return false }
