package receiver_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"

	"github.com/sonde-dev/sonde/receiver"
)

// rpc runs ServeGRPC over s in a bubble, and returns a connection to it.
func rpc(t *testing.T, s receiver.Sink, grace time.Duration) (conn *grpc.ClientConn, stop func(), ended chan error) {
	t.Helper()
	_, srv, _ := otlpEdge(t, s)
	l := make(pipes)
	ctx, cancel := context.WithCancel(t.Context())
	ended = make(chan error, 1)
	go func() { ended <- receiver.ServeGRPC(ctx, l, srv, grace) }()
	conn, err := grpc.NewClient("passthrough:pipe", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(context.Context, string) (net.Conn, error) { return l.dial(), nil }))
	if err != nil {
		t.Fatal(err)
	}
	return conn, cancel, ended
}

// outgoing returns the context of a call with the run's credential.
func outgoing(t *testing.T) context.Context {
	t.Helper()
	return metadata.AppendToOutgoingContext(t.Context(), "authorization", "Bearer "+good(t))
}

// TestOTLPSlowMessageIsRefusedInTime: who opens a stream and sends nothing does not
// keep a place for ever.
func TestOTLPSlowMessageIsRefusedInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sink := &recorder{receipt: accepted()}
		conn, stop, ended := rpc(t, sink, 10*time.Second)
		began := time.Now()
		stream, err := conn.NewStream(outgoing(t), &grpc.StreamDesc{ClientStreams: true},
			"/opentelemetry.proto.collector.metrics.v1.MetricsService/Export")
		if err != nil {
			t.Fatal(err)
		}
		err = stream.RecvMsg(&raw{})
		if got := codeOf(err) + again(err); got != "Unavailable again in 2s" || time.Since(began) != receiver.ReadTimeout {
			t.Errorf("after %s: %v", time.Since(began), err)
		}
		if len(sink.refused) > 0 {
			t.Errorf("refused = %v: the sender tries again", sink.refused)
		}
		_ = conn.Close()
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// TestOTLPShareOfACheck: both transports count as one.
func TestOTLPShareOfACheck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		h, _, _ := otlpEdge(t, &recorder{receipt: accepted(), accept: func(context.Context) { <-release }})
		ended := make(chan int, receiver.MaxOTLPInFlight+1)
		post := func(r *http.Request) {
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			ended <- w.Code
		}
		for range receiver.MaxOTLPInFlightOfCheck {
			go post(send(t, "traces", rootOK))
		}
		synctest.Wait()
		w := httptest.NewRecorder()
		h.ServeHTTP(w, send(t, "metrics", okIsOne))
		golden(t, "otlp/too-many-at-once.txt", show(t, w))
		wantStatus(t, w)

		for i := range receiver.MaxOTLPInFlight - receiver.MaxOTLPInFlightOfCheck {
			go post(with(send(t, "logs", oneLog), "Authorization", "Bearer "+credentialOf(t, i)))
		}
		synctest.Wait()
		began := time.Now()
		w = httptest.NewRecorder()
		h.ServeHTTP(w, with(send(t, "logs", oneLog), "Authorization", "Bearer "+credentialOf(t, 100)))
		golden(t, "otlp/overloaded.txt", show(t, w))
		wantStatus(t, w)
		if time.Since(began) != receiver.MaxWait {
			t.Errorf("waited %s, want %s", time.Since(began), receiver.MaxWait)
		}
		close(release)
		for range receiver.MaxOTLPInFlight {
			if code := <-ended; code != 200 {
				t.Errorf("answer = %d", code)
			}
		}
	})
}

// TestServeGRPCLetsRequestsEnd: what is in flight when ctx ends is answered, and waited
// for no longer than grace.
func TestServeGRPCLetsRequestsEnd(t *testing.T) {
	for name, tc := range map[string]struct {
		grace    time.Duration
		complete bool
	}{
		"within the grace": {grace: time.Minute, complete: true},
		"after the grace":  {grace: 50 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			begun, release := make(chan struct{}), make(chan struct{})
			sink := &recorder{receipt: accepted(), accept: func(context.Context) { close(begun); <-release }}
			conn, stop, ended := rpc(t, sink, tc.grace)
			answered := make(chan error, 1)
			go func() {
				_, err := pmetricotlp.NewGRPCClient(conn).Export(outgoing(t), metricsOf(t, okIsOne))
				answered <- err
			}()
			<-begun
			stop()
			if tc.complete {
				close(release)
				if err := <-answered; err != nil {
					t.Errorf("answer = %v, want OK", err)
				}
			}
			if err := <-ended; (err == nil) != tc.complete {
				t.Errorf("ServeGRPC() = %v", err)
			}
			if !tc.complete {
				close(release)
				if err := <-answered; err == nil {
					t.Log("the call was answered all the same")
				}
			}
		})
	}
}

// TestOTLPSlowBodyIsRefusedInTime: over HTTP it is a 503 and not a 408, since OTLP
// senders try again only then.
func TestOTLPSlowBodyIsRefusedInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _, _ := otlpEdge(t, &recorder{})
		l := make(pipes)
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- receiver.Serve(ctx, l, h, time.Second, slog.New(slog.DiscardHandler)) }()
		c := l.dial()
		_, err := io.WriteString(c, "POST /v1/traces HTTP/1.1\r\nHost: sonde\r\nAuthorization: Bearer "+good(t)+
			"\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{")
		if err != nil {
			t.Fatal(err)
		}
		if got := statusOf(t, c); got != http.StatusServiceUnavailable {
			t.Errorf("answer = %d, want 503", got)
		}
		_ = c.Close()
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}
