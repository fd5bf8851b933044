package ledger

import (
	"context"
	"time"

	"github.com/sonde-dev/sonde/telemetry/result"
	"github.com/sonde-dev/sonde/telemetry/series"
)

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
	if !l.held.add(report, now) {
		return result.Receipt{}, result.ErrNoRoom
	}
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
	l.held.refuse(heldKey{runID, checkUID}, why, now)
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

// release takes the reports that were held for r. Those that another check sent in
// its name are left to expire.
func (l *Ledger) release(r *run) {
	h := l.held.take(heldKey{r.id, r.checkUID})
	if h == nil {
		return
	}
	r.heard.Refused = h.refused
	for _, report := range h.reports {
		if _, err := l.take(r, report, report.Received); err != nil {
			l.counters.runOver.Add(1)
		}
	}
}
