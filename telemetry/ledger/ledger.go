// Package ledger joins what runs say with what Kubernetes says of them, has each
// run decided once, and keeps the score of each check. It is the one writer of the
// series store and the one place that knows which runs are open.
//
// It does no I/O and knows no Kubernetes. It is held in memory: a collector that
// restarts begins anew, and says of runs that it cannot judge that it was down.
package ledger

import (
	"fmt"
	"sync"
	"time"

	"go.opentelemetry.io/otel/metric"

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
	NextRun   time.Time      // zero: none is due
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

// Config is what a Ledger needs.
type Config struct {
	Series *series.Store

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
	config    Config
	counters  *counters
	listening time.Time // since when reports are taken

	mu     sync.Mutex // guards all below
	checks map[string]*check
	byKey  map[result.Key]*check
	runs   map[string]*run // by id; open, and decided ones while their Job exists
	held   waiting         // what runs that are not known yet have said
	ticked time.Time
}

// check is a Check with its score.
type check struct {
	Check
	standing *Standing // nil until the first verdict
	past     tombstones
}

// New returns an empty ledger. It listens from now on.
func New(c Config) (*Ledger, error) {
	counters, err := newCounters(c.Meter)
	if err != nil {
		return nil, fmt.Errorf("make the ledger's instruments: %w", err)
	}
	now := c.Now()
	return &Ledger{
		config: c, counters: counters, listening: now, ticked: now,
		checks: map[string]*check{}, byKey: map[result.Key]*check{},
		runs: map[string]*run{}, held: newWaiting(),
	}, nil
}

// PutCheck makes c known or brings it up to date. A check of the same key and
// another UID is gone, with its runs.
func (l *Ledger) PutCheck(c Check) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if old, ok := l.byKey[c.Key]; ok && old.UID != c.UID {
		l.remove(old)
	}
	known, ok := l.checks[c.UID]
	if !ok {
		known = &check{}
		l.checks[c.UID], l.byKey[c.Key] = known, known
	}
	known.Check = c
	l.config.Series.PutCheck(series.Check{UID: c.UID, Key: c.Key, Labels: c.Labels, Info: c.Info, MaxSeries: c.MaxSeries})
	l.config.Series.SetNextRun(c.UID, c.NextRun)
}

// DeleteCheck forgets the check called key, its open runs and its series. Its runs
// are not decided: nobody asks any more.
func (l *Ledger) DeleteCheck(key result.Key) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if c, ok := l.byKey[key]; ok {
		l.remove(c)
	}
}

func (l *Ledger) remove(c *check) {
	delete(l.checks, c.UID)
	delete(l.byKey, c.Key)
	for id, r := range l.runs {
		if r.checkUID == c.UID {
			delete(l.runs, id)
		}
	}
	l.config.Series.DeleteCheck(c.UID)
}

// Standing returns the score of the check with that UID; false until its first
// verdict.
func (l *Ledger) Standing(checkUID string) (Standing, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c, ok := l.checks[checkUID]
	if !ok || c.standing == nil {
		return Standing{}, false
	}
	return *c.standing, true
}
