package receiver

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"golang.org/x/net/netutil"
	"google.golang.org/grpc"
)

// errCutOff is that requests had not ended when there was no time left.
var errCutOff = errors.New("requests in flight were cut off")

// ServeGRPC answers on l with srv until ctx ends, then lets requests in flight end for
// at most grace and cuts off the rest. It closes l.
func ServeGRPC(ctx context.Context, l net.Listener, srv *grpc.Server, grace time.Duration) error {
	served := make(chan error, 1)
	go func() { served <- srv.Serve(netutil.LimitListener(l, MaxConnections)) }()
	select {
	case err := <-served:
		return fmt.Errorf("serve on %s: %w", l.Addr(), err)
	case <-ctx.Done():
		return stopGRPC(srv, grace) // Serve itself would wait for the handlers, however long they take
	}
}

// stopGRPC stops srv, and after grace without waiting for its handlers.
func stopGRPC(srv *grpc.Server, grace time.Duration) error {
	ended := make(chan struct{})
	go func() {
		srv.GracefulStop()
		close(ended)
	}()
	late := time.NewTimer(grace)
	defer late.Stop()
	select {
	case <-ended:
		return nil
	case <-late.C:
		go srv.Stop() // closes the connections, and would then wait for the handlers
		return fmt.Errorf("stop gRPC: %w after %s", errCutOff, grace)
	}
}
