package main

import (
	"context"
	"net"
	"net/http"
	"time"

	"github.com/sonde-dev/sonde/receiver"
)

// door is a listener that is open, with what answers there.
type door struct {
	name     string // in the log
	listener net.Listener
	serve    func(context.Context) error
}

// openDoors opens the listeners of a receiver: for checks, by JSON and by OTLP, and for
// readers. Whoever is let in is answered once the doors are served.
func openDoors(ctx context.Context, c receiverConfig, pipe *pipeline, with parts, ready func() error) ([]door, error) {
	sink := sink{pipe.book}
	checks, err := receiver.CheckFacing{Keys: with.keys, Sink: sink, Log: with.log, Now: time.Now, Meter: pipe.meter}.Handler(ctx)
	if err != nil {
		return nil, err
	}
	otlp, rpc, err := receiver.OTLP{Keys: with.keys, Sink: sink, Log: with.log, Now: time.Now, Meter: pipe.meter}.Servers(ctx)
	if err != nil {
		return nil, err
	}
	readers := receiver.ReaderFacing{Metrics: pipe.metrics, Log: with.log, Live: pipe.book.Alive, Ready: ready}.Handler()
	overHTTP := func(h http.Handler) func(context.Context, net.Listener) error {
		return func(ctx context.Context, l net.Listener) error {
			return receiver.Serve(ctx, l, h, c.ShutdownGrace, with.log)
		}
	}
	var doors []door
	for _, d := range []struct {
		name, address string
		serve         func(context.Context, net.Listener) error
	}{
		{"check_address", c.CheckAddress, overHTTP(checks)},
		{"otlp_http_address", c.OTLPHTTP, overHTTP(otlp)},
		{"otlp_grpc_address", c.OTLPGRPC, func(ctx context.Context, l net.Listener) error {
			return receiver.ServeGRPC(ctx, l, rpc, c.ShutdownGrace)
		}},
		{"reader_address", c.ReaderAddress, overHTTP(readers)},
	} {
		l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", d.address)
		if err != nil {
			return nil, err // it names the address
		}
		doors = append(doors, door{d.name, l, func(ctx context.Context) error { return d.serve(ctx, l) }})
	}
	return doors, nil
}

// addresses returns the names and addresses of doors, as arguments of a logger.
func addresses(doors []door) []any {
	var out []any
	for _, d := range doors {
		out = append(out, d.name, d.listener.Addr().String())
	}
	return out
}
