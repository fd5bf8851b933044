package ledger

import (
	"time"

	"github.com/sonde-dev/sonde/telemetry/result"
	"github.com/sonde-dev/sonde/telemetry/verdict"
)

// RunRef names a run: its Job, and the check that the Job belongs to by its owner
// references.
type RunRef struct {
	ID       string // UID of the Job
	Name     string // name of the Job
	CheckUID string
}

// Observe takes what Kubernetes says of a run now. It returns false where the
// check is not known; the caller tries again when it is. A run that was over
// before the ledger began to listen may have had its verdict from an earlier process,
// which is not known: it is passed over, and counted as that.
func (l *Ledger) Observe(ref RunRef, job verdict.Job) bool {
	now := l.config.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	c, ok := l.checks[ref.CheckUID]
	if !ok {
		return false
	}
	if c.past.has(ref.ID) {
		return true // decided, and its Job was seen to go
	}
	r, ok := l.runs[ref.ID]
	if !ok {
		r = &run{id: ref.ID, name: ref.Name, checkUID: ref.CheckUID, terms: c.Terms}
		if r.decided = !job.Ended.IsZero() && job.Ended.Before(l.listening); r.decided {
			l.counters.passedOver.Add(1)
		}
		l.runs[ref.ID] = r
	}
	r.job = verdict.Merge(r.job, job, now)
	r.seenOver(now)
	l.release(r)
	l.decide(r, now)
	return true
}

// JobGone says that the Job of a run was deleted. A run that had not ended is an
// error.
func (l *Ledger) JobGone(runID string) {
	now := l.config.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	r, ok := l.runs[runID]
	if !ok {
		return
	}
	r.gone = true
	if r.job.Ended.IsZero() {
		r.job.Ended, r.job.End = now, verdict.JobDeleted
	}
	r.seenOver(now)
	l.decide(r, now)
}

// seenOver notes when the run was first seen to be over.
func (r *run) seenOver(now time.Time) {
	if r.ended.IsZero() && !r.job.Ended.IsZero() {
		r.ended = now
	}
}

// decide asks for the verdict on r, and records it if it is final.
func (l *Ledger) decide(r *run, now time.Time) {
	c, ok := l.checks[r.checkUID]
	if r.decided || !ok {
		return
	}
	d := verdict.Decide(verdict.Facts{Terms: r.terms, Job: r.job, Heard: r.heard, Listening: l.listening}, now)
	r.again = d.Again
	if !d.Final {
		return
	}
	r.decided = true
	done := r.finished(c, d.Verdict, now)
	l.config.Series.Record(done)
	if d.Verdict.Reason != result.CollectorDown {
		c.score(done)
		l.config.Changed(c.Key)
	}
}

// score counts one more run of c.
func (c *check) score(done result.Run) {
	next := Standing{Transition: done, Verdict: done.Verdict}
	if was := c.standing; was != nil {
		if was.Verdict.Result == done.Verdict.Result && was.Verdict.Reason == done.Verdict.Reason {
			next.Transition = was.Transition
		}
		next.Bad = was.Bad
	}
	next.Bad++
	if done.Verdict.Result == result.Success {
		next.Bad = 0
	}
	c.standing = &next
}
