package receiver_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sonde-dev/sonde/receiver"
)

// pipes is a listener without a network, so that a test's clock is the server's.
type pipes chan net.Conn

func (p pipes) Accept() (net.Conn, error) {
	c, ok := <-p
	if !ok {
		return nil, net.ErrClosed
	}
	return c, nil
}
func (p pipes) Close() error   { close(p); return nil }
func (p pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "pipe"} }

func (p pipes) dial() net.Conn {
	client, server := net.Pipe()
	p <- server
	return client
}

// serve runs Serve over h until stop; ended has what it returned.
func serve(t *testing.T, h http.Handler) (l pipes, stop func(), ended chan error) {
	t.Helper()
	l, ended = make(pipes), make(chan error, 1)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { ended <- receiver.Serve(ctx, l, h, 10*time.Second, slog.New(slog.DiscardHandler)) }()
	return l, cancel, ended
}

// statusOf reads one answer from c.
func statusOf(t *testing.T, c net.Conn) int {
	t.Helper()
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	return resp.StatusCode
}

const head = "POST /v1/results HTTP/1.1\r\nHost: sonde\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"

func TestSlowBodyIsRefusedInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sink := &recorder{}
		h, _ := edge(t, sink)
		l, stop, ended := serve(t, h)

		began := time.Now()
		c := l.dial()
		fmt.Fprintf(c, head, good(t), 100)
		written := make(chan struct{})
		go func() {
			defer close(written)
			for range 100 { // one byte each second: never idle, never done
				if _, err := c.Write([]byte{' '}); err != nil {
					return
				}
				time.Sleep(time.Second)
			}
		}()
		if got := statusOf(t, c); got != http.StatusRequestTimeout {
			t.Errorf("answer = %d, want 408", got)
		}
		if took := time.Since(began); took != receiver.ReadTimeout {
			t.Errorf("answered after %v, want %v", took, receiver.ReadTimeout)
		}
		if len(sink.refused) != 1 || !strings.Contains(sink.refused[0], "Slow body") {
			t.Errorf("refused = %v", sink.refused)
		}
		_ = c.Close()
		<-written
		stop()
		if err := <-ended; err != nil {
			t.Errorf("Serve() = %v", err)
		}
	})
}

func TestSlowHeaderIsCutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _ := edge(t, &recorder{})
		l, stop, ended := serve(t, h)
		began := time.Now()
		c := l.dial()
		fmt.Fprint(c, "POST /v1/results HTTP/1.1\r\n")
		if _, err := c.Read(make([]byte, 1)); err == nil {
			t.Error("half a header was answered")
		}
		if took := time.Since(began); took != receiver.ReadHeaderTimeout {
			t.Errorf("cut off after %v, want %v", took, receiver.ReadHeaderTimeout)
		}
		stop()
		if err := <-ended; err != nil {
			t.Errorf("Serve() = %v", err)
		}
	})
}

func TestServeLetsRequestsEnd(t *testing.T) {
	for name, tc := range map[string]struct {
		takes time.Duration
		whole bool
	}{
		"a request within the grace is answered":   {9 * time.Second, true},
		"a request beyond the grace is not waited": {time.Hour, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sink := &recorder{accept: func(ctx context.Context) {
					select {
					case <-time.After(tc.takes):
					case <-ctx.Done():
					}
				}}
				h, _ := edge(t, sink)
				l, stop, ended := serve(t, h)
				c := l.dial()
				fmt.Fprintf(c, head+"{}", good(t), 2)
				synctest.Wait()
				stop()
				if tc.whole {
					if got := statusOf(t, c); got != http.StatusOK {
						t.Errorf("answer = %d, want 200", got)
					}
				}
				if err := <-ended; (err == nil) != tc.whole {
					t.Errorf("Serve() = %v", err)
				}
				_ = c.Close()
			})
		})
	}
}

// TestOneCheckLeavesRoomForOthers: the ninth report at once of one check is
// refused, that of another check is not.
func TestOneCheckLeavesRoomForOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sink := &recorder{accept: func(context.Context) { time.Sleep(time.Second) }}
		h, _ := edge(t, sink)
		l, stop, ended := serve(t, h)
		var open []net.Conn
		for range receiver.MaxInFlightOfCheck {
			c := l.dial()
			fmt.Fprintf(c, head+"{}", good(t), 2)
			open = append(open, c)
		}
		synctest.Wait()

		ninth := l.dial()
		fmt.Fprintf(ninth, head+"{}", good(t), 2)
		if got := statusOf(t, ninth); got != http.StatusTooManyRequests {
			t.Errorf("the ninth is answered %d, want 429", got)
		}
		other := l.dial()
		fmt.Fprintf(other, head+"{}", credentialOf(t, 2), 2)
		for _, c := range append(open, other) {
			if got := statusOf(t, c); got != http.StatusOK {
				t.Errorf("answer = %d, want 200", got)
			}
			_ = c.Close()
		}
		_ = ninth.Close()
		stop()
		if err := <-ended; err != nil {
			t.Errorf("Serve() = %v", err)
		}
	})
}

// TestReportsWaitForTheirTurn: with every place taken, a report waits for
// MaxWait and is told to come again.
func TestReportsWaitForTheirTurn(t *testing.T) {
	for name, tc := range map[string]struct {
		busy time.Duration
		want int
	}{
		"a short burst is waited out": {receiver.MaxWait - time.Second, http.StatusOK},
		"a long one is not":           {receiver.MaxWait + time.Second, http.StatusServiceUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sink := &recorder{accept: func(context.Context) { time.Sleep(tc.busy) }}
				h, _ := edge(t, sink)
				l, stop, ended := serve(t, h)
				var open []net.Conn
				for i := range receiver.MaxInFlight {
					c := l.dial()
					fmt.Fprintf(c, head+"{}", credentialOf(t, i), 2)
					open = append(open, c)
				}
				synctest.Wait()
				last := l.dial()
				fmt.Fprintf(last, head+"{}", credentialOf(t, receiver.MaxInFlight), 2)
				for _, c := range open { // a pipe has no buffer: an answer waits to be read
					go func() { _, _ = io.Copy(io.Discard, c) }()
				}
				if got := statusOf(t, last); got != tc.want {
					t.Errorf("answer = %d, want %d", got, tc.want)
				}
				time.Sleep(2 * time.Second) // until the busy ones are answered too
				for _, c := range append(open, last) {
					_ = c.Close()
				}
				stop()
				if err := <-ended; err != nil {
					t.Errorf("Serve() = %v", err)
				}
			})
		})
	}
}
