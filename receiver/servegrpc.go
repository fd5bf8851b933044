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
	stopped := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() { stopped <- stopGRPC(srv, grace) })
	defer stop()
	if err := srv.Serve(netutil.LimitListener(l, MaxConnections)); err != nil && !errors.Is(err, grpc.ErrServerStopped) {
		return fmt.Errorf("serve on %s: %w", l.Addr(), err)
	}
	return <-stopped
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
		srv.Stop()
		return fmt.Errorf("stop gRPC: %w after %s", errCutOff, grace)
	}
}
