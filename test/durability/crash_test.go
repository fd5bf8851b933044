//go:build e2e

package durability

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// TestAHundredCrashes kills the receiver with SIGKILL at random moments while reports
// come and Jobs end, a hundred times: while it starts, replays, commits, folds. What
// was acknowledged is counted, once, and nothing else is; each run has one verdict.
func TestAHundredCrashes(t *testing.T) {
	const crashes, clients, checks = 100, 8, 3
	w := setUp(t, checks)
	l := newLoad(w)
	ctx, stop := context.WithCancel(t.Context())
	var all sync.WaitGroup
	for i := range clients {
		all.Go(func() { l.lead(ctx, t, i%checks, fmt.Sprint("client-", i)) })
	}
	random := rand.New(rand.NewPCG(1, uint64(time.Now().UnixNano()))) //nolint:gosec // moments
	useful := 0
	for range crashes {
		before := l.acked.Load()
		p := w.receiver(t)
		time.Sleep(time.Duration(random.IntN(1200)) * time.Millisecond)
		if !p.Running() {
			t.Fatalf("the receiver has ended by itself:\n%s", p.Logs)
		}
		p.Signal(syscall.SIGKILL)
		if l.acked.Load() > before {
			useful++
		}
		if strings.Contains(p.Logs.String(), "panic") || strings.Contains(p.Logs.String(), `"level":"ERROR","msg":"ledger`) {
			t.Fatalf("the log of a receiver that was killed:\n%s", p.Logs)
		}
	}
	w.receiver(t)
	w.awaitReady(t)
	stop()
	all.Wait()
	if useful < crashes/4 {
		t.Errorf("only %d of %d crashes came after something was acknowledged", useful, crashes)
	}
	l.check(t)
}
