package ledger

import (
	"errors"
	"sync/atomic"
	"time"

	"github.com/sonde-dev/sonde/telemetry/journal"
	"github.com/sonde-dev/sonde/telemetry/result"
	"github.com/sonde-dev/sonde/telemetry/series"
)

// The buckets of the snapshot.
const (
	bucketMeta    = "ledger"  // keyMeta: meta
	bucketChecks  = "checks"  // UID: checkRecord
	bucketRuns    = "runs"    // id: run
	bucketHeld    = "held"    // heldKey: holding
	bucketHistory = "history" // historyKey: result.Run
	keyMeta       = "meta"
)

const (
	// foldEvery is how often the journal is folded into the snapshot: what a check
	// reports within one run costs one write of its series.
	foldEvery = 5 * time.Second

	// foldEntries is with how many entries it is done sooner: 50 MB of reports with ten
	// samples each, which a start replays in 1.2 s (BenchmarkStart).
	foldEntries = 20_000
)

// meta is what is of no check and no run.
type meta struct {
	Listening time.Time
	Fleet     series.FleetState
}

// checkRecord is a check as it is kept.
type checkRecord struct {
	Check    Check
	Since    time.Time
	Standing *Standing
	Past     tombstones
	Runs     uint64
	Series   series.CheckState
}

// dirty is what differs from the snapshot. What is named there and is no more, is
// deleted from it.
type dirty struct {
	checks  map[string]bool
	runs    map[string]bool
	held    map[heldKey]bool
	history map[string]*result.Run // nil: deleted

	entries atomic.Int64 // in the journal
	folded  time.Time    // when it was last tried to empty it
}

func newDirty() dirty {
	return dirty{checks: map[string]bool{}, runs: map[string]bool{}, held: map[heldKey]bool{}, history: map[string]*result.Run{}}
}

// foldIsDue reports whether it is time to fold.
func (d *dirty) foldIsDue(now time.Time) bool {
	n := d.entries.Load()
	since := now.Sub(d.folded)
	return n > 0 && since >= foldEvery || n >= foldEntries && since >= tickEvery
}

// fold writes what differs into the snapshot and empties the journal. If that fails, the
// journal still has it all and takes more as long as the disk does; it is tried again
// in foldEvery.
func (l *Ledger) fold() {
	l.turn <- struct{}{}
	defer func() { <-l.turn }()
	if l.isBroken() {
		return
	}
	l.mu.Lock()
	changes, err := l.changes()
	l.mu.Unlock()
	if err == nil {
		err = l.config.Journal.Fold(changes)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.dirty.folded = l.config.Now()
	if err != nil {
		l.counters.failures.Add(1)
		l.config.Log.Warn("ledger not folded; its journal grows", "err", err)
		return
	}
	l.counters.folds.Add(1)
	clear(l.dirty.checks)
	clear(l.dirty.runs)
	clear(l.dirty.held)
	clear(l.dirty.history)
	l.dirty.entries.Store(0)
}

// changes returns what differs from the snapshot. The caller holds mu.
func (l *Ledger) changes() ([]journal.Change, error) {
	b := changeList{codec: l.codec}
	b.put(bucketMeta, keyMeta, meta{Listening: l.listening, Fleet: l.config.Series.Fleet()})
	for uid := range l.dirty.checks {
		if c, ok := l.checks[uid]; ok {
			state, _ := l.config.Series.State(uid)
			b.put(bucketChecks, uid, checkRecord{c.Check, c.Since, c.Standing, c.Past, c.Runs, state})
			continue
		}
		b.remove(bucketChecks, uid)
	}
	for id := range l.dirty.runs {
		change(&b, bucketRuns, id, l.runs[id])
	}
	for key := range l.dirty.held {
		change(&b, bucketHeld, key.String(), l.held.runs[key])
	}
	for key, done := range l.dirty.history {
		change(&b, bucketHistory, key, done)
	}
	return b.changes, errors.Join(b.errs...)
}

// changeList collects changes.
type changeList struct {
	codec   codec
	changes []journal.Change
	errs    []error
}

// change puts value, or removes the key if there is none.
func change[T any](b *changeList, bucket, key string, value *T) {
	if value == nil {
		b.remove(bucket, key)
		return
	}
	b.put(bucket, key, value)
}

func (b *changeList) put(bucket, key string, value any) {
	raw, err := b.codec.Marshal(value)
	if err != nil {
		b.errs = append(b.errs, err)
		return
	}
	b.changes = append(b.changes, journal.Change{Bucket: bucket, Key: key, Value: raw})
}

func (b *changeList) remove(bucket, key string) {
	b.changes = append(b.changes, journal.Change{Bucket: bucket, Key: key})
}
