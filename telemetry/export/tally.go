package export

import (
	"log/slog"
	"sync"
	"time"
)

// tally counts what became of pushes to one destination, and logs when that changes.
type tally struct {
	destination string
	now         func() time.Time
	log         *slog.Logger

	mu        sync.Mutex // guards what is below
	successes int64      // requests
	failures  int64
	last      time.Time // when a request succeeded last; zero before the first

	failing bool // as the log has it
	current outcomes
}

// outcomes is what became of the requests of one push.
type outcomes struct{ succeeded, failed bool }

// begin is called before the first request of a push. A destination succeeds again when
// all requests of one push did: where only one of many always fails, the log would say
// both at every interval. As nobody knows which request is the last, the next push
// tells, one interval later.
func (t *tally) begin() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.failing && t.current.succeeded && !t.current.failed {
		t.failing = false
		t.log.Info("push succeeds again", "destination", t.destination)
	}
	t.current = outcomes{}
}

func (t *tally) succeeded() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.successes++
	t.last = t.now()
	t.current.succeeded = true
}

// failed takes the reason as it may be logged.
func (t *tally) failed(reason string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.failures++
	t.current.failed = true
	if !t.failing {
		t.failing = true
		t.log.Error("push failed; not logged again until one succeeds", "destination", t.destination, "err", reason)
	}
}

// counts returns how many requests succeeded and failed, and when one succeeded last.
func (t *tally) counts() (successes, failures int64, last time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.successes, t.failures, t.last
}
