package receiver

import "time"

// The limits of the HTTP edge. Everything that comes in is bounded; package
// report bounds what may be in a body.
const (
	// MaxBodyBytes bounds a body as sent and again when decompressed. The largest
	// honest report, 2,000 metrics with five labels each, has 600 KB.
	MaxBodyBytes = 1 << 20

	// MaxHeaderBytes bounds the header of a request. Ours has 400 bytes; proxies
	// and service meshes add a few KB.
	MaxHeaderBytes = 16 << 10

	// ReadHeaderTimeout is how long a header may take: a pod and its collector are
	// in one cluster, and what needs longer holds a connection and nothing else.
	ReadHeaderTimeout = 5 * time.Second

	// ReadTimeout is how long header and body may take: 1 MiB at 35 KiB/s.
	ReadTimeout = 30 * time.Second

	// WriteTimeout is how long an answer may take from the end of the header:
	// ReadTimeout + MaxWait + AcceptTimeout is 50 s, and a scrape of 300,000 series
	// over a slow line is less.
	WriteTimeout = 60 * time.Second

	// IdleTimeout is how long a connection may wait for its next request. A run
	// sends one or two; a Prometheus that scrapes more seldom connects again.
	IdleTimeout = 30 * time.Second

	// MaxConnections bounds the connections of one listener; further ones wait in
	// the kernel's backlog. At 20 KB each they are 40 MB.
	MaxConnections = 2048

	// MaxInFlight bounds the authenticated reports that are being read or
	// committed. At 3 MB each (the body, and the report made of it) they are
	// 400 MB at the very worst and 2 MB as a rule; at 10 ms for a commit they are
	// 12,800 reports per second.
	MaxInFlight = 128

	// MaxInFlightOfCheck bounds how many of those are of one check, so that a
	// check that sends slowly or in a loop leaves room for the others. A run has
	// one or two at a time.
	MaxInFlightOfCheck = 8

	// MaxWait is how long a report waits for its turn. All checks of a cron minute
	// come at once; waiting saves a client that does not try again.
	MaxWait = 5 * time.Second

	// AcceptTimeout bounds Sink.Accept, which waits for a disk at most.
	AcceptTimeout = 15 * time.Second

	// RetryAfterOverload and RetryAfterNoRoom are what a sender is told to wait: a
	// burst is over in seconds, while a full disk waits for a person or for
	// retention.
	RetryAfterOverload = 2 * time.Second
	RetryAfterNoRoom   = 30 * time.Second

	// MaxOTLPBytes bounds an OTLP request as sent and again when decompressed. It is
	// what gRPC servers take unless told otherwise, so that no sender meets it here
	// first; MaxPoints of package otlp are 1 to 3 MB.
	MaxOTLPBytes = 4 << 20

	// MaxOTLPInFlight bounds the OTLP requests, of both transports together, that are
	// being read, decoded or committed. At 14 MB each (the body, and the report made
	// of it) they are 450 MB at the very worst; a request of 20 points has 50 KB.
	MaxOTLPInFlight = 32

	// MaxOTLPInFlightOfCheck bounds how many of those are of one check. An SDK has
	// one of each signal at a time.
	MaxOTLPInFlightOfCheck = 4

	// maxDecoding bounds the requests that are being decoded, which takes 45 MB each
	// at the very worst (MaxParts of package otlp) and 25 ms of a core for 9,000
	// points.
	maxDecoding = 4

	// MaxStreams bounds the requests in flight on one gRPC connection. Others wait
	// with their sender.
	MaxStreams = 16

	// OTLPIdleTimeout is how long a gRPC connection may be without a request: twice
	// the minute in which SDKs export metrics unless told otherwise.
	OTLPIdleTimeout = 2 * time.Minute
)
