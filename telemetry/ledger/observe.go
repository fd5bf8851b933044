package ledger

import (
	"context"
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
// check is not known; the caller tries again when it is. What is known already is not
// written again. The error is that of PutCheck.
func (l *Ledger) Observe(ctx context.Context, ref RunRef, job verdict.Job) (known bool, err error) {
	if known, news := l.news(ref, job); !known || !news {
		return known, nil
	}
	o := l.commit(ctx, entry{Observed: &observation{ref, job}})
	return o.known, o.err
}

// news reports whether the check of a run is known, and whether job says anything new
// of it.
func (l *Ledger) news(ref RunRef, job verdict.Job) (known, news bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c, ok := l.checks[ref.CheckUID]
	if !ok {
		return false, false
	}
	if c.Past.has(ref.ID) {
		return true, false
	}
	r, ok := l.runs[ref.ID]
	return true, !ok || r.Stale || !verdict.Merge(r.Job, job, l.config.Now()).Equal(r.Job)
}

// observe takes an observation. A run that was over before its check was first seen,
// and has said nothing here, may have had its verdict from somebody else: it is passed
// over, and counted as that.
func (l *Ledger) observe(o observation, now time.Time) (known bool) {
	c, ok := l.checks[o.Ref.CheckUID]
	if !ok {
		return false
	}
	if c.Past.has(o.Ref.ID) {
		return true // decided, and its Job was seen to go
	}
	r, ok := l.runs[o.Ref.ID]
	if !ok {
		r = &run{ID: o.Ref.ID, Name: o.Ref.Name, CheckUID: o.Ref.CheckUID, Terms: c.Terms}
		_, spoke := l.held.runs[heldKey{r.ID, r.CheckUID}]
		if r.Decided = !o.Job.Ended.IsZero() && o.Job.Ended.Before(c.Since) && !spoke; r.Decided {
			l.counters.passedOver.Add(1)
		}
		l.runs[r.ID] = r
	}
	l.dirty.runs[r.ID] = true
	r.Stale = false
	r.Job = verdict.Merge(r.Job, o.Job, now)
	r.seenOver(now)
	l.release(r)
	l.decide(r, now)
	return true
}

// JobGone says that the Job of a run was deleted. A run that had not ended is an
// error. The error is that of PutCheck.
func (l *Ledger) JobGone(ctx context.Context, runID string) error {
	return l.gone(ctx, departure{runID, verdict.JobDeleted})
}

// JobMissing says that the Job of a run is not there any more, and that nobody was
// there to see it go.
func (l *Ledger) JobMissing(ctx context.Context, runID string) error {
	return l.gone(ctx, departure{runID, verdict.Unseen})
}

func (l *Ledger) gone(ctx context.Context, d departure) error {
	l.mu.Lock()
	r, ok := l.runs[d.RunID]
	news := ok && !r.Gone
	l.mu.Unlock()
	if !news {
		return nil
	}
	return l.commit(ctx, entry{Gone: &d}).err
}

func (l *Ledger) jobGone(d departure, now time.Time) {
	r, ok := l.runs[d.RunID]
	if !ok {
		return
	}
	l.dirty.runs[r.ID] = true
	r.Gone, r.Stale = true, false
	if r.Job.Ended.IsZero() {
		r.Job.Ended, r.Job.End = now, d.End
	}
	r.seenOver(now)
	l.decide(r, now)
}

// seenOver notes when the run was first seen to be over.
func (r *run) seenOver(now time.Time) {
	if r.Ended.IsZero() && !r.Job.Ended.IsZero() {
		r.Ended = now
	}
}

// decide asks for the verdict on r, and records it if it is final.
func (l *Ledger) decide(r *run, now time.Time) {
	c, ok := l.checks[r.CheckUID]
	if r.Decided || r.Stale || !ok {
		return
	}
	d := verdict.Decide(verdict.Facts{Terms: r.Terms, Job: r.Job, Heard: r.Heard, Listening: l.listening}, now)
	r.Again = d.Again
	l.dirty.runs[r.ID] = true
	if !d.Final {
		return
	}
	r.Decided = true
	done := r.finished(c, d.Verdict, now)
	l.config.Series.Record(done)
	l.record(c, done)
	if d.Verdict.Reason != result.CollectorDown {
		c.score(done)
		l.config.Changed(c.Key)
	}
}

// score counts one more run of c.
func (c *check) score(done result.Run) {
	next := Standing{Transition: done, Verdict: done.Verdict}
	if was := c.Standing; was != nil {
		if was.Verdict.Result == done.Verdict.Result && was.Verdict.Reason == done.Verdict.Reason {
			next.Transition = was.Transition
		}
		next.Bad = was.Bad
	}
	next.Bad++
	if done.Verdict.Result == result.Success {
		next.Bad = 0
	}
	c.Standing = &next
}
