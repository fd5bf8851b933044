package ledger

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"
)

// tickEvery is how often the clock is looked at: a verdict that only the clock can
// give is late by this much at most.
const tickEvery = time.Second

// Run decides what only the clock can decide, and folds the journal, until ctx ends.
// It returns nil.
func (l *Ledger) Run(ctx context.Context) error {
	ticker := time.NewTicker(tickEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
			l.Tick(ctx)
		}
	}
}

// Close folds the journal, so that the next start has nothing to replay. The ledger is
// not used again.
func (l *Ledger) Close() { l.fold() }

// Tick decides what the clock can decide now, forgets what is past, and folds if it is
// time. After a failed write it tries again.
func (l *Ledger) Tick(ctx context.Context) {
	now := l.config.Now()
	l.mu.Lock()
	l.ticked = now
	due, broken, fold := l.due(now), l.broken, l.dirty.foldIsDue(now)
	l.mu.Unlock()
	if broken {
		l.wrote(l.resume())
	}
	if due || !l.queue.empty() {
		l.commit(ctx, entry{Tick: true})
	}
	if fold {
		l.fold()
	}
}

// due reports whether the clock has anything to decide or to end.
func (l *Ledger) due(now time.Time) bool {
	for _, r := range l.runs {
		if r.due(now) || r.Decided && r.closed(now) && (!r.Closed || r.Gone) {
			return true
		}
	}
	return l.held.expires(now, l.listening)
}

// due reports whether a verdict may be due by the clock.
func (r *run) due(now time.Time) bool {
	return !r.Decided && !r.Stale && !r.Again.IsZero() && !now.Before(r.Again)
}

func (l *Ledger) tick(now time.Time) {
	for _, id := range slices.Sorted(maps.Keys(l.runs)) { // in the same order when it is replayed
		r := l.runs[id]
		if r.due(now) {
			l.decide(r, now)
		}
		if r.Decided && r.closed(now) {
			l.end(id, r)
		}
	}
	reports := 0
	for _, key := range l.held.overdue(now, l.listening) {
		reports += len(l.held.take(key).Reports)
		l.dirty.held[key] = true
	}
	l.counters.unknownRun.Add(int64(reports))
}

// end forgets what the streams of a run have said, and the run but for its id once its
// Job is gone.
func (l *Ledger) end(id string, r *run) {
	c, ok := l.checks[r.CheckUID]
	if !r.Closed {
		l.config.Series.EndRun(id)
		r.Closed = true
		l.dirty.runs[id], l.dirty.checks[r.CheckUID] = true, true
	}
	if !r.Gone {
		return
	}
	l.forget(id)
	if ok {
		c.Past.add(id)
		l.dirty.checks[c.UID] = true
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
