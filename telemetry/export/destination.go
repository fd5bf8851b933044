package export

import (
	"net"
	"net/url"
	"time"
)

// Protocol is how OTLP is carried, by the name that the specification gives it
// (protocol/exporter.md, OTEL_EXPORTER_OTLP_PROTOCOL).
type Protocol string

// The protocols that the SDK speaks. There is no http/json in it.
const (
	GRPC         Protocol = "grpc"
	HTTPProtobuf Protocol = "http/protobuf"
)

// Compression is of the bodies of requests, by the name that the specification gives
// it.
type Compression string

// The compressions of the specification. Metrics compress to a twentieth and less:
// a point takes 135 bytes, and 5 of them with gzip.
const (
	Gzip          Compression = "gzip"
	NoCompression Compression = "none"
)

// DefaultMaxPoints keeps a push below the 4 MiB that gRPC servers, and Tempo and a
// Collector with them, accept unless they are told otherwise: a point takes 135 bytes,
// so that it may be three times as long.
const DefaultMaxPoints = 10_000

// Destination is where metrics are pushed to. Its files are read again whenever they
// are needed, so that a mounted Secret may change.
type Destination struct {
	// Name is what logs and metrics call it.
	Name string

	// Endpoint has the scheme http or https. For http/protobuf it is the whole URL, as
	// it is sent to; for grpc the path means nothing. It has no userinfo, no query and
	// no fragment: an endpoint is logged.
	Endpoint *url.URL

	Protocol    Protocol
	Compression Compression
	Interval    time.Duration // from one push to the next
	Timeout     time.Duration // of one request and its repetitions
	MaxPoints   int           // of one request; a push of more is several requests

	Headers     []Header // of each request, besides those of HeadersFile
	HeadersFile string   // none if empty; see ReadHeaders

	CAFile   string // PEM: who may sign the server's certificate; the system's if empty
	CertFile string // PEM: the client's certificate and what it is signed by, if any
	KeyFile  string // PEM: the key of CertFile
}

// address returns the host and port of d.
func (d Destination) address() string {
	port := d.Endpoint.Port()
	switch {
	case port != "":
	case d.secure():
		port = "443"
	default:
		port = "80"
	}
	return net.JoinHostPort(d.Endpoint.Hostname(), port)
}

// secure reports whether d is spoken to with TLS.
func (d Destination) secure() bool { return d.Endpoint.Scheme == "https" }
