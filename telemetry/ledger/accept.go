package ledger

import (
	"context"
	"time"

	"github.com/sonde-dev/sonde/telemetry/result"
	"github.com/sonde-dev/sonde/telemetry/series"
)

// Accept takes a report. A nil error means that it is on disk, and counted, or held
// until its run is known. The errors are result.ErrForeign, result.ErrRunOver,
// result.ErrNoRoom, result.ErrNotWritten and that of ctx.
func (l *Ledger) Accept(ctx context.Context, report result.Report) (result.Receipt, error) {
	report.Received = report.Received.Round(0)
	if receipt, err, done := l.answer(report); done {
		return receipt, err
	}
	o := l.commit(ctx, entry{Report: &report})
	return o.receipt, o.err
}

// answer answers a report that changes nothing, so that it need not be written: one
// that is refused, or says what is known.
func (l *Ledger) answer(report result.Report) (receipt result.Receipt, err error, done bool) {
	now := l.config.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	r, ok := l.runs[report.RunID]
	switch {
	case ok:
		receipt, err = l.admit(r, report, now)
		return receipt, err, err != nil || r.silent(report)
	case l.isPast(report):
		return receipt, result.ErrRunOver, true
	case !l.held.hasRoom(report):
		return receipt, result.ErrNoRoom, true
	default:
		return receipt, nil, false
	}
}

// isPast reports whether the run of a report is one that is not even remembered.
func (l *Ledger) isPast(report result.Report) bool {
	c, ok := l.checks[report.CheckUID]
	return ok && c.Past.has(report.RunID)
}

// accept takes a report that is written.
func (l *Ledger) accept(report result.Report, now time.Time) (result.Receipt, error) {
	if r, ok := l.runs[report.RunID]; ok {
		return l.take(r, report, now)
	}
	if l.isPast(report) {
		return result.Receipt{}, result.ErrRunOver
	}
	if !l.held.add(report, now) {
		return result.Receipt{}, result.ErrNoRoom
	}
	l.dirty.held[heldKey{report.RunID, report.CheckUID}] = true
	return result.Receipt{Disposition: result.Held}, nil
}

// Refused notes that a report of a run was refused and why, so that the verdict
// can say it. The report was authenticated. It is written with what comes next: nobody
// waits for it, and if too much waits it is left out.
func (l *Ledger) Refused(runID, checkUID, why string) {
	c, err := l.command(entry{Refused: &refusal{runID, checkUID, result.Truncate(why, result.MaxMessageBytes)}})
	if err == nil && !l.isBroken() {
		l.queue.addIfRoom(c)
	}
}

func (l *Ledger) refused(x refusal, now time.Time) {
	r, ok := l.runs[x.RunID]
	switch {
	case !ok:
		key := heldKey{x.RunID, x.CheckUID}
		l.held.refuse(key, x.Why, now)
		l.dirty.held[key] = true
	case r.CheckUID == x.CheckUID:
		r.advance(now)
		r.Heard.Refused = x.Why
		l.dirty.runs[r.ID] = true
	}
}

// admit says what becomes of a report of a known run, or why nothing does.
func (l *Ledger) admit(r *run, report result.Report, now time.Time) (result.Receipt, error) {
	c, ok := l.checks[r.CheckUID]
	switch {
	case r.CheckUID != report.CheckUID:
		return result.Receipt{}, result.ErrForeign
	case !ok || r.Closed || r.closed(now):
		return result.Receipt{}, result.ErrRunOver
	case r.Decided && report.Claim != result.ClaimNone:
		return result.Receipt{Check: c.Key, Disposition: result.Ignored}, nil
	default:
		return result.Receipt{Check: c.Key, Disposition: result.Accepted}, nil
	}
}

// take counts a report of a known run, and decides the run if it can be.
func (l *Ledger) take(r *run, report result.Report, now time.Time) (result.Receipt, error) {
	receipt, err := l.count(r, report, now)
	if err == nil {
		l.decide(r, now)
	}
	return receipt, err
}

// count counts a report of a known run.
func (l *Ledger) count(r *run, report result.Report, now time.Time) (result.Receipt, error) {
	receipt, err := l.admit(r, report, now)
	if err != nil {
		return receipt, err
	}
	if r.hear(report) {
		l.counters.contradictory.Add(1)
	}
	source := series.Source{RunID: r.ID, Attempt: r.attempt(report.Received)}
	receipt.Rejected = l.config.Series.Add(r.CheckUID, source, report.Samples, report.Received)
	l.counters.reject(receipt.Rejected)
	l.dirty.runs[r.ID], l.dirty.checks[r.CheckUID] = true, true
	return receipt, nil
}

// release counts the reports that were held for r, all of them before anything is
// decided: the last may say no. Those that another check sent in its name are left to
// expire.
func (l *Ledger) release(r *run) {
	key := heldKey{r.ID, r.CheckUID}
	h := l.held.take(key)
	if h == nil {
		return
	}
	l.dirty.held[key] = true
	r.Heard.Refused = h.Refused
	for _, report := range h.Reports {
		if _, err := l.count(r, report, report.Received); err != nil {
			l.counters.runOver.Add(1)
		}
	}
}
