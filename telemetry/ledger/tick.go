package ledger

import (
	"context"
	"fmt"
	"time"
)

// tickEvery is how often the clock is looked at: a verdict that only the clock can
// give is late by this much at most.
const tickEvery = time.Second

// Run decides what only the clock can decide, until ctx ends. It returns nil.
func (l *Ledger) Run(ctx context.Context) error {
	ticker := time.NewTicker(tickEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
			l.Tick()
		}
	}
}

// Tick decides what the clock can decide now, and forgets what is past.
func (l *Ledger) Tick() {
	now := l.config.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ticked = now
	for id, r := range l.runs {
		if !r.decided && !r.again.IsZero() && !now.Before(r.again) {
			l.decide(r, now)
		}
		if r.decided && r.gone && r.closed(now) {
			l.bury(id, r)
		}
	}
	l.counters.unknownRun.Add(int64(l.held.expire(now)))
}

// bury forgets a run but for its id.
func (l *Ledger) bury(id string, r *run) {
	delete(l.runs, id)
	l.config.Series.EndRun(id)
	if c, ok := l.checks[r.checkUID]; ok {
		c.past.add(id)
	}
}

// Alive returns an error if the clock has not been looked at for too long: then no
// run that hangs would ever be said to.
func (l *Ledger) Alive() error {
	const patience = 30 * tickEvery
	now := l.config.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	if late := now.Sub(l.ticked); late > patience {
		return fmt.Errorf("runs have not been looked at for %s", late.Round(time.Second))
	}
	return nil
}
