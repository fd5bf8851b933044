package ledger

import (
	"context"
	"time"

	"github.com/sonde-dev/sonde/telemetry/result"
	"github.com/sonde-dev/sonde/telemetry/series"
)

const (
	// heldFor is how long a report waits for its run to become known. An informer
	// is behind by milliseconds, or by as long as the API server is away.
	heldFor = 2 * time.Minute

	// maxHeld bounds the reports that wait: 10,000 of 20 KB are 200 MB.
	maxHeld = 10_000

	// maxHeldPerRun bounds those of one run, so that none can fill the room.
	maxHeldPerRun = 16
)

// holding is what one unknown run has reported.
type holding struct {
	reports []result.Report
	refused refusal
	since   time.Time
}

// refusal is why a report was refused; the zero value if none was. The run that a
// sender names is not proven: it must turn out to be of the same check.
type refusal struct{ checkUID, why string }

// Accept takes a report. A nil error means that it is counted, or held until its
// run is known. The errors are result.ErrForeign, result.ErrRunOver and
// result.ErrNoRoom.
func (l *Ledger) Accept(_ context.Context, report result.Report) (result.Receipt, error) {
	now := l.config.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	if r, ok := l.runs[report.RunID]; ok {
		return l.take(r, report, now)
	}
	if c, ok := l.checks[report.CheckUID]; ok && c.past.has(report.RunID) {
		return result.Receipt{}, result.ErrRunOver
	}
	h := l.holding(report.RunID, now)
	if h == nil || l.kept >= maxHeld || len(h.reports) >= maxHeldPerRun {
		return result.Receipt{}, result.ErrNoRoom
	}
	h.reports = append(h.reports, report)
	l.kept++
	return result.Receipt{Disposition: result.Held}, nil
}

// Refused notes that a report of a run was refused and why, so that the verdict
// can say it. The report was authenticated.
func (l *Ledger) Refused(runID, checkUID, why string) {
	now := l.config.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	why = result.Truncate(why, result.MaxMessageBytes)
	if r, ok := l.runs[runID]; ok {
		if r.checkUID == checkUID {
			r.heard.Refused = why
		}
		return
	}
	if h := l.holding(runID, now); h != nil {
		h.refused = refusal{checkUID, why}
	}
}

// holding returns what is held for a run, or nil if there is no room.
func (l *Ledger) holding(runID string, now time.Time) *holding {
	if h, ok := l.held[runID]; ok {
		return h
	}
	if l.kept >= maxHeld || len(l.held) >= maxHeld {
		return nil
	}
	h := &holding{since: now}
	l.held[runID] = h
	return h
}

// take counts a report of a known run.
func (l *Ledger) take(r *run, report result.Report, now time.Time) (result.Receipt, error) {
	c, ok := l.checks[r.checkUID]
	switch {
	case r.checkUID != report.CheckUID:
		return result.Receipt{}, result.ErrForeign
	case !ok || r.closed(now):
		return result.Receipt{}, result.ErrRunOver
	}
	receipt := result.Receipt{Check: c.Key, Disposition: result.Accepted}
	if r.decided && report.Claim != result.ClaimNone {
		receipt.Disposition = result.Ignored
	}
	if r.hear(report) {
		l.counters.contradictory.Add(1)
	}
	source := series.Source{RunID: r.id, Attempt: r.attempt(report.Received)}
	receipt.Rejected = l.config.Series.Add(c.UID, source, report.Samples, report.Received)
	l.decide(r, now)
	return receipt, nil
}

// release takes the reports that were held for r.
func (l *Ledger) release(r *run) {
	h, ok := l.held[r.id]
	if !ok {
		return
	}
	delete(l.held, r.id)
	l.kept -= len(h.reports)
	if h.refused.checkUID == r.checkUID {
		r.heard.Refused = h.refused.why
	}
	for _, report := range h.reports {
		if _, err := l.take(r, report, report.Received); err != nil {
			l.counters.dropped(err)
		}
	}
}
