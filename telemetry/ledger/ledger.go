// Package ledger joins what runs say with what Kubernetes says of them, has each
// run decided once, and keeps the score of each check. It is the one writer of the
// series store and the one place that knows which runs are open.
//
// It is a state machine in front of a journal. Whatever changes it is an entry, with
// the time at which it came; the entry is written and synced first, then applied, and
// only then is the caller told. So nobody is told, shown or sent what a crash could
// take back, and a new process that applies the same entries to the last snapshot
// has the same state. It knows no Kubernetes.
package ledger

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"go.opentelemetry.io/otel/metric"

	"github.com/sonde-dev/sonde/telemetry/journal"
	"github.com/sonde-dev/sonde/telemetry/result"
	"github.com/sonde-dev/sonde/telemetry/series"
	"github.com/sonde-dev/sonde/telemetry/verdict"
)

// Check is what the ledger needs to know of a check.
type Check struct {
	UID   string
	Key   result.Key
	Terms verdict.Terms

	MaxSeries int            // of custom metrics
	Labels    []result.Label // attributes of its metrics
	Info      []result.Label // attributes of sonde.check.info
	NextRun   time.Time      // zero: none is due; not remembered
}

// Standing is the score of a check.
type Standing struct {
	// Transition is the run with which result or reason last changed.
	Transition result.Run

	// Verdict is that of the last run.
	Verdict result.Verdict

	// Bad is how many runs in a row have not been a success.
	Bad int
}

// Journal is where the ledger keeps what must survive it. *journal.Journal is one.
type Journal interface {
	// Append returns once entries are synced, all or none of them.
	Append(entries [][]byte) error

	// Fold makes changes to the snapshot and forgets all entries, at once.
	Fold(changes []journal.Change) error

	// Each calls do with what the snapshot has in a bucket, by key.
	Each(bucket, prefix string, do func(key string, value []byte) error) error

	// Entries calls do with the entries since the last Fold, in order.
	Entries(do func(entry []byte) error) error

	// Size returns the bytes that it takes.
	Size() (int64, error)
}

// Config is what a Ledger needs.
type Config struct {
	Series  *series.Store
	Journal Journal // the caller closes it, after the ledger
	Log     *slog.Logger

	// Meter makes the ledger's own instruments.
	Meter metric.Meter

	// Now is the collector's clock.
	Now func() time.Time

	// Changed is called, with the ledger locked, when the Standing of a check may
	// have changed. It must not block and must not call the ledger.
	Changed func(result.Key)
}

// Ledger is safe for use by many goroutines at once.
type Ledger struct {
	config   Config
	codec    codec
	counters *counters

	queue queue         // of entries that wait for the disk
	turn  chan struct{} // holds one: who writes. It comes before mu.

	mu        sync.Mutex // guards all below
	listening time.Time  // since when reports are taken without a break
	checks    map[string]*check
	byKey     map[result.Key]*check
	runs      map[string]*run // by id; open, and decided ones while their Job exists
	held      waiting         // what runs that are not known yet have said
	dirty     dirty
	ticked    time.Time
	broken    bool // the last write failed
	failed    int  // bytes of the batch that failed first
}

// check is a Check with its score.
type check struct {
	Check
	Since    time.Time // when it was first seen
	Standing *Standing // nil until the first verdict
	Past     tombstones
	Runs     uint64 // how many runs it has had: numbers its history
}

// New returns the ledger that the journal holds. It takes reports from now on, or as
// soon as the disk does.
func New(c Config) (*Ledger, error) {
	l := &Ledger{
		config: c, turn: make(chan struct{}, 1),
		checks: map[string]*check{}, byKey: map[result.Key]*check{},
		runs: map[string]*run{}, held: newWaiting(), dirty: newDirty(),
	}
	var err error
	if l.codec, err = newCodec(); err != nil {
		return nil, err
	}
	if l.counters, err = newCounters(c.Meter, l); err != nil {
		return nil, fmt.Errorf("make the ledger's instruments: %w", err)
	}
	if err := l.restore(); err != nil {
		return nil, fmt.Errorf("restore the ledger: %w", err)
	}
	l.ticked = c.Now()
	l.dirty.folded = l.ticked
	l.wrote(l.resume())
	return l, nil
}

// PutCheck makes c known or brings it up to date. A check of the same key and
// another UID is gone, with its runs. The error is result.ErrNotWritten, or that
// of ctx.
func (l *Ledger) PutCheck(ctx context.Context, c Check) error {
	next := c.NextRun
	c.NextRun = time.Time{}
	if !l.knows(c) {
		if o := l.commit(ctx, entry{Check: &c}); o.err != nil {
			return o.err
		}
	}
	l.config.Series.SetNextRun(c.UID, next)
	return nil
}

// DeleteCheck forgets the check called key, its open runs and its series. Its runs
// are not decided: nobody asks any more. The error is that of PutCheck.
func (l *Ledger) DeleteCheck(ctx context.Context, key result.Key) error {
	l.mu.Lock()
	_, ok := l.byKey[key]
	l.mu.Unlock()
	if !ok {
		return nil
	}
	return l.commit(ctx, entry{Deleted: &key}).err
}

// Standing returns the score of the check with that UID; false until its first
// verdict.
func (l *Ledger) Standing(checkUID string) (Standing, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c, ok := l.checks[checkUID]
	if !ok || c.Standing == nil {
		return Standing{}, false
	}
	return *c.Standing, true
}

// Stale returns the ids of the runs that cannot be decided before their Jobs are observed
// again, as after a start or a failed write.
func (l *Ledger) Stale() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var ids []string
	for id, r := range l.runs {
		if r.Stale {
			ids = append(ids, id)
		}
	}
	return ids
}

// Known returns the keys of the checks, and the ids of the runs whose Jobs are not
// known to be gone: what a caller that was away must look for.
func (l *Ledger) Known() (checks []result.Key, runs []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for key := range l.byKey {
		checks = append(checks, key)
	}
	for id, r := range l.runs {
		if !r.Gone {
			runs = append(runs, id)
		}
	}
	return checks, runs
}
