package ledger

import (
	"slices"
	"time"

	"github.com/sonde-dev/sonde/telemetry/result"
	"github.com/sonde-dev/sonde/telemetry/verdict"
)

// acceptedFor is how long after its end a run may still report: what was sent last
// may be on its way, or being retried.
const acceptedFor = time.Minute

// run is one Job with what was heard of it.
type run struct {
	id, name string
	checkUID string
	terms    verdict.Terms
	job      verdict.Job
	heard    verdict.Heard
	said     time.Duration // how long the check took, in its own words; zero if it did not say

	decided bool
	again   time.Time // when to decide again though nothing happens; zero for never
	ended   time.Time // when the ledger first saw it over, by the collector's clock
	gone    bool      // the Job's object is gone
}

// lastWords is how long after an attempt's end what is received is still its own:
// clocks differ, and the times of pods have whole seconds. The Job controller waits
// 10 s at least before it makes the next pod.
const lastWords = 5 * time.Second

// attempt returns the number of the attempt that a report is of: as many had ended
// when it was received.
func (r *run) attempt(received time.Time) int {
	ended := 0
	for _, p := range r.job.Pods {
		if !p.Ended.IsZero() && received.After(p.Ended.Add(lastWords)) {
			ended++
		}
	}
	return min(ended, r.job.Retries)
}

// hear takes what a report claims. It returns whether that contradicts what the
// same attempt has claimed before. A failure stays a failure.
func (r *run) hear(report result.Report) bool {
	if n := r.attempt(report.Received); n > r.heard.Attempt {
		r.said, r.heard = 0, verdict.Heard{Attempt: n}
	}
	r.heard.Anything = true
	if report.Duration > 0 {
		r.said = report.Duration
	}
	was := r.heard.Claim
	switch {
	case report.Claim == result.ClaimNone || was == report.Claim:
		return false
	case was == result.ClaimFailure: // success after failure
		return true
	}
	r.heard.Claim, r.heard.Errors, r.heard.Received = report.Claim, report.Errors, report.Received
	r.heard.Refused = "" // what was refused has been said after all
	return was != result.ClaimNone
}

// closed reports whether reports of the run are no longer accepted.
func (r *run) closed(now time.Time) bool {
	return !r.ended.IsZero() && now.After(r.ended.Add(acceptedFor))
}

// duration returns how long the newest attempt took: what it said, else from its
// start to its report, its end or now, in that order; zero if it never started.
func (r *run) duration(now time.Time) time.Duration {
	if len(r.job.Pods) == 0 {
		return r.said
	}
	newest := len(r.job.Pods) - 1
	p, spoke := r.job.Pods[newest], r.heard.Attempt >= newest
	if spoke && r.said > 0 {
		return r.said
	}
	end := p.Ended
	if spoke && r.heard.Claim != result.ClaimNone {
		end = r.heard.Received
	}
	if end.IsZero() {
		end = now // it hangs
	}
	if p.Started.IsZero() {
		return 0
	}
	return max(0, end.Sub(p.Started))
}

// finished returns the run as it is recorded.
func (r *run) finished(c *check, v result.Verdict, now time.Time) result.Run {
	out := result.Run{
		Check: c.Key, CheckUID: c.UID, ID: r.id, Job: r.name,
		Scheduled: r.job.Scheduled, Decided: now, Duration: r.duration(now), Verdict: v,
	}
	i := slices.IndexFunc(r.job.Pods, func(p verdict.Pod) bool { return !p.Started.IsZero() })
	if i >= 0 {
		out.Started = r.job.Pods[i].Started
	}
	return out
}

// maxTombstones is how many past runs of a check are remembered, so that a report
// that comes much too late is told so: ten hours of a check that runs every five
// minutes, 5 KB a check.
const maxTombstones = 120

// tombstones are the ids of past runs, oldest first.
type tombstones []string

func (t *tombstones) add(id string) {
	if len(*t) == maxTombstones {
		*t = slices.Delete(*t, 0, 1)
	}
	*t = append(*t, id)
}

func (t tombstones) has(id string) bool { return slices.Contains(t, id) }
