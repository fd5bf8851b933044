package export

import (
	"context"
	"net"
	"net/http"
	"time"

	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
)

// httpExporter sends to d. What the SDK would take from the environment is set, so that
// one destination's headers never go to another.
func httpExporter(ctx context.Context, d Destination, h *headers) (sdkmetric.Exporter, error) {
	compression := otlpmetrichttp.NoCompression
	if d.Compression == Gzip {
		compression = otlpmetrichttp.GzipCompression
	}
	transport := newTransport(d)
	exporter, err := otlpmetrichttp.New(
		ctx,
		otlpmetrichttp.WithEndpointURL(d.Endpoint.String()),
		otlpmetrichttp.WithTLSClientConfig(nil), // the transport has it
		otlpmetrichttp.WithHeaders(nil),         // so has it these
		otlpmetrichttp.WithCompression(compression),
		otlpmetrichttp.WithTimeout(d.Timeout),
		otlpmetrichttp.WithTemporalitySelector(sdkmetric.CumulativeTemporalitySelector),
		otlpmetrichttp.WithAggregationSelector(sdkmetric.DefaultAggregationSelector),
		otlpmetrichttp.WithHTTPClient(&http.Client{
			Transport:     withHeaders{transport, h},
			CheckRedirect: noRedirect,
			Timeout:       d.Timeout,
		}),
	)
	if err != nil {
		return nil, err
	}
	return closing{exporter, transport}, nil
}

// newTransport returns a transport of d alone, with the limits that the SDK's own has.
func newTransport(d Destination) *http.Transport {
	t := &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         (&net.Dialer{Timeout: d.Timeout, KeepAlive: 30 * time.Second}).DialContext,
		ForceAttemptHTTP2:   true,
		MaxIdleConns:        2,
		IdleConnTimeout:     90 * time.Second,
		TLSHandshakeTimeout: d.Timeout,
		// A connection over HTTP/2 that nobody answers on is given up, not used again.
		HTTP2: &http.HTTP2Config{SendPingTimeout: 30 * time.Second, PingTimeout: 15 * time.Second},
	}
	if d.secure() {
		t.TLSClientConfig = d.tlsConfig()
	}
	return t
}

// withHeaders puts headers on each request.
type withHeaders struct {
	next    http.RoundTripper
	headers *headers
}

// RoundTrip implements http.RoundTripper.
func (w withHeaders) RoundTrip(r *http.Request) (*http.Response, error) {
	all, err := w.headers.read()
	if err != nil {
		_ = r.Body.Close() // as a RoundTripper must
		return nil, err
	}
	r = r.Clone(r.Context())
	for _, header := range all {
		r.Header.Set(header.Name, header.Value)
	}
	return w.next.RoundTrip(r)
}

// noRedirect makes of a redirection the answer, which is an error: the headers are for
// the host that was configured, and for no other.
func noRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// closing is an exporter that closes its connections at the end.
type closing struct {
	sdkmetric.Exporter
	transport *http.Transport
}

// Shutdown implements sdkmetric.Exporter.
func (c closing) Shutdown(ctx context.Context) error {
	defer c.transport.CloseIdleConnections()
	return c.Exporter.Shutdown(ctx)
}
