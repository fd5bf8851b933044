//go:build e2e

package durability

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/sonde-dev/sonde/test/harness"
)

// TestALossOfPower has the disk forget all that was not synced while reports come, ten
// times. SIGKILL alone cannot prove that a commit is synced: the kernel keeps what a
// dead process has written.
func TestALossOfPower(t *testing.T) {
	const losses, clients = 10, 8
	w := setUp(t, 2)
	v := newVolume(t, 64<<20)
	w.dataDir = filepath.Join(v.mount, "data")
	l := newLoad(w)
	ctx, stop := context.WithCancel(t.Context())
	forgotten := 0
	var all sync.WaitGroup
	for i := range clients {
		all.Go(func() { l.lead(ctx, t, i%2, fmt.Sprint("client-", i)) })
	}
	for i := range losses {
		p := w.receiver(t)
		before := l.acked.Load()
		if i%2 == 0 { // else also before the runs are known
			w.awaitReady(t)
		}
		harness.Eventually(t, "reports are acknowledged", func(context.Context) bool { return l.acked.Load() > before+100 })
		unsynced := filepath.Join(v.mount, "unsynced")
		if err := os.WriteFile(unsynced, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
		v.losePower(t)
		p.Signal(syscall.SIGKILL)
		v.detach(t)
		v.attach(t)
		if content, err := os.ReadFile(unsynced); err != nil || len(content) == 0 { // the name may be synced with the ledger
			forgotten++
		}
	}
	if forgotten < losses/2 {
		t.Errorf("%d of %d losses have forgotten what was not synced, so they prove little", forgotten, losses)
	}
	w.receiver(t)
	w.awaitReady(t)
	stop()
	all.Wait()
	l.check(t)
}

// large is a report that takes 100 KB of the disk, so that one is soon too many.
func large(client string, n int) string {
	var b strings.Builder
	fmt.Fprintf(&b, `{"metrics": [{"name": "crash.steps", "kind": "counter", "value": %d, "labels": {"client": %q}}`, n, client)
	for i := range 100 {
		fmt.Fprintf(&b, `, {"name": "crash.large", "value": %d, "labels": {"i": "%d", "text": "%s"}}`, n, i, strings.Repeat("x", 1000))
	}
	return b.String() + "]}"
}

// until sends reports, each with a step more, until one is answered with status, and
// returns how many steps were acknowledged by then, and how the last was answered.
func (l *load) until(t *testing.T, r run, said int, wanted int) (int, string) {
	t.Helper()
	retryAfter := ""
	harness.Eventually(t, fmt.Sprintf("a report is answered with %d", wanted), func(ctx context.Context) bool {
		status, header, err := l.try(ctx, r, large("one", said+1))
		if err != nil {
			t.Fatal(err)
		}
		if status < 300 {
			said++
		} else if status != 503 {
			t.Fatalf("status %d, want 200 or 503", status)
		}
		retryAfter = header.Get("Retry-After")
		return status == wanted
	})
	return said, retryAfter
}

// trouble is a disk that takes nothing for a while.
type trouble struct {
	begin func(*volume, *testing.T) (end func())
	says  string
	most  int // lines in the log
}

// TestADiskThatTakesNothing has the receiver go on by itself once its disk does.
func TestADiskThatTakesNothing(t *testing.T) {
	for name, tc := range map[string]trouble{
		"full": {
			(*volume).fill, "no space left on device", 10, // a fold makes some room again
		},
		"read-only": {
			(*volume).turnReadOnly, "read-only file system", 1,
		},
	} {
		t.Run(name, func(t *testing.T) { tc.play(t) })
	}
}

func (tc trouble) play(t *testing.T) {
	t.Helper()
	w := setUp(t, 1)
	v := newVolume(t, 64<<20)
	w.dataDir = filepath.Join(v.mount, "data")
	p := w.receiver(t)
	w.awaitReady(t)
	l := newLoad(w)
	r, err := w.newRun(t, 0)
	if err != nil {
		t.Fatal(err)
	}
	said, _ := l.until(t, r, 0, 200)

	end := tc.begin(v, t)
	harness.Eventually(t, "the metric says so", func(ctx context.Context) bool {
		var retryAfter string // until a fold has made the last room there is
		if said, retryAfter = l.until(t, r, said, 503); retryAfter != "30" {
			t.Errorf("Retry-After is %q, want 30", retryAfter)
		}
		writable, err := w.metrics(ctx, "sonde_ledger_writable", "")
		return err == nil && writable[""] == 0
	})
	time.Sleep(3 * time.Second) // it is tried again meanwhile, and must not be logged each time
	if n := strings.Count(p.Logs.String(), "ledger cannot be written"); n == 0 || n > tc.most || !strings.Contains(p.Logs.String(), tc.says) {
		t.Errorf("it is logged %d times, want %d at most, with %q", n, tc.most, tc.says)
	}
	w.has(t, "crash_steps_total", float64(said))

	p.Signal(syscall.SIGKILL) // the next finds the same disk
	p = w.receiver(t)
	w.awaitReady(t)
	w.has(t, "crash_steps_total", float64(said))
	said, _ = l.until(t, r, said, 503)

	end()
	said, _ = l.until(t, r, said, 200)
	w.has(t, "sonde_ledger_writable", 1)
	w.has(t, "crash_steps_total", float64(said))
	if !strings.Contains(p.Logs.String(), "ledger can be written again") {
		t.Error("its end is not logged")
	}
	p.Signal(syscall.SIGKILL)
	w.receiver(t)
	w.awaitReady(t)
	w.has(t, "crash_steps_total", float64(said))
}

// has fails the test unless the sum of a metric's series is as wanted.
func (w *world) has(t *testing.T, name string, want float64) {
	t.Helper()
	series, err := w.metrics(t.Context(), name, "client")
	if err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for _, v := range series {
		sum += v
	}
	if sum != want {
		t.Errorf("%s = %v, want %v", name, sum, want)
	}
}
