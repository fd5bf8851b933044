// Package series holds every series that Sonde exposes about checks: its own,
// made of verdicts, and the custom ones, made of what runs report. Reports of
// short-lived runs come in as totals of each run; what goes out is one cumulative
// series that lives as long as its check.
//
// It is the metric.Producer behind all exporters, so that they never tell
// different stories. It has no goroutine, does no I/O, reads the clock only to date
// what it produces, through the function it is given, and knows no Kubernetes: the
// same calls give the same state. The Store has the
// only lock; the types behind it have none.
package series

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/otel/sdk/instrumentation"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/sonde-dev/sonde/telemetry/result"
)

// ScopeName is the instrumentation scope of everything a Store produces.
const ScopeName = "github.com/sonde-dev/sonde/telemetry/series"

// Check is what the store needs to know of a check.
type Check struct {
	UID string
	Key result.Key

	// Labels become attributes of every series of the check. Those that could not
	// be exposed (reserved, empty, or equal to another after translation) are
	// left out.
	Labels []result.Label

	// Info are further attributes of sonde.check.info, for example
	// sonde.check.schedule.
	Info []result.Label

	// MaxSeries is how many custom series the check may have; zero means none.
	MaxSeries int

	// Since is when the check was first seen: the start of its counters.
	Since time.Time
}

// Source names who reports: an attempt of a run. The totals of different attempts add
// up; those of one attempt replace each other.
type Source struct {
	RunID   string // UID of the Job
	Attempt int    // 0 for the first pod of the Job
}

// Store is safe for use by many goroutines at once.
type Store struct {
	now func() time.Time

	mu     sync.Mutex // guards all below
	fleet  *fleet
	board  *board
	custom *custom
}

// New returns an empty store that reads the time from now.
func New(c Config, now func() time.Time) *Store {
	c = c.withDefaults()
	return &Store{
		now:    now,
		fleet:  newFleet(now()),
		board:  newBoard(c.ClassicBuckets),
		custom: newCustom(c),
	}
}

// PutCheck makes c known, with its counters at zero so that a first failure is an
// increase, or brings labels, info and limit of a known check up to date: values
// stay, and custom series get the new labels. A check of the same key and another
// UID is gone, and its series end.
func (s *Store) PutCheck(c Check) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if old, ok := s.board.byKey[c.Key]; ok && old.uid != c.UID {
		s.remove(old)
	}
	if known, ok := s.board.byUID[c.UID]; ok {
		s.board.update(known, c)
		s.custom.relabel(known.tenant, c.MaxSeries, known.identity)
		return
	}
	s.board.add(c)
}

// DeleteCheck ends all series of the check. Its part of sonde.runs stays.
func (s *Store) DeleteCheck(uid string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c, ok := s.board.byUID[uid]; ok {
		s.remove(c)
	}
}

func (s *Store) remove(c *check) {
	s.custom.remove(c.tenant)
	s.board.remove(c)
}

// Record counts one run with its final verdict. The caller records every run
// once, in the order in which they were decided. A run of a check that is not
// known is counted in sonde.runs only.
func (s *Store) Record(r result.Run) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fleet.count(result.Outcome{Result: r.Verdict.Result, Reason: r.Verdict.Reason})
	if c, ok := s.board.byUID[r.CheckUID]; ok {
		c.record(r)
	}
}

// SetNextRun says when the check is due next; the zero time means never.
func (s *Store) SetNextRun(uid string, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c, ok := s.board.byUID[uid]; ok {
		c.nextRun = at
	}
}

// Add takes the samples of one report into the custom series of a check. The
// samples must have passed CheckSample. at is when the report was received, and
// orders gauges. It returns the samples that were not taken, in order of Index;
// the rest was. Adding the same report again changes nothing.
func (s *Store) Add(checkUID string, src Source, samples []result.Sample, at time.Time) []result.Rejection {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := s.board.byUID[checkUID]
	if !ok {
		return rejectAll(samples, refusal{result.RejectedCheckLimit, "the check is not known, or was deleted, and may have no series"})
	}
	return s.custom.add(c.tenant, samples, arrival{src: src, at: at})
}

// EndRun forgets what the streams of a run have said. What they added stays. A report
// of the run that came later would count as that of a new stream, so the caller
// lets none through.
func (s *Store) EndRun(runID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.custom.endRun(runID)
}

// Produce implements metric.Producer. All sums are cumulative, the data is the
// caller's, and the error is always nil: an exporter that is told of an error
// withholds everything else too. Own metrics come first, then custom ones by
// name; the order of points is the same as long as the state is.
func (s *Store) Produce(context.Context) ([]metricdata.ScopeMetrics, error) {
	now := s.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	own := append(s.board.metrics(now), s.fleet.metric(now))
	slices.SortFunc(own, func(a, b metricdata.Metrics) int { return strings.Compare(a.Name, b.Name) })
	return []metricdata.ScopeMetrics{{
		Scope:   instrumentation.Scope{Name: ScopeName},
		Metrics: append(own, s.custom.metrics(now)...),
	}}, nil
}

// Stats returns how many checks and how many custom series there are.
func (s *Store) Stats() (checks, series int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.board.sorted), s.custom.series
}
