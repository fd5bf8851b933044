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
	ID, Name string
	CheckUID string
	Terms    verdict.Terms
	Job      verdict.Job
	Heard    verdict.Heard
	Said     time.Duration // how long the check took, in its own words; zero if it did not say

	Stale   bool // nothing was seen of the Job since a break: the clock must wait
	Decided bool
	Again   time.Time // when to decide again though nothing happens; zero for never
	Ended   time.Time // when the ledger first saw it over, by the collector's clock
	Closed  bool      // reports of it are no longer accepted, and its streams are forgotten
	Gone    bool      // the Job's object is gone
}

// lastWords is how long after an attempt's end what is received is still its own:
// clocks differ, and the times of pods have whole seconds. The Job controller waits
// 10 s at least before it makes the next pod.
const lastWords = 5 * time.Second

// attempt returns the number of the attempt that a report is of: as many had ended
// when it was received.
func (r *run) attempt(received time.Time) int {
	ended := 0
	for _, p := range r.Job.Pods {
		if !p.Ended.IsZero() && received.After(p.Ended.Add(lastWords)) {
			ended++
		}
	}
	return min(ended, r.Job.Retries)
}

// hear takes what a report claims. It returns whether that contradicts what the
// same attempt has claimed before. A failure stays a failure, unless a more explicit
// form says otherwise.
func (r *run) hear(report result.Report) bool {
	if r.advance(report.Received) > r.attempt(report.Received) {
		return false // it was overtaken
	}
	r.Heard.Anything = true
	if report.Duration > 0 {
		r.Said = report.Duration
	}
	if report.Claim == result.ClaimNone {
		return false
	}
	was := r.Heard
	stronger := was.Claim == result.ClaimNone || report.Form < was.Form
	turned := report.Form == was.Form && was.Claim == result.ClaimSuccess && report.Claim == result.ClaimFailure
	if stronger || turned {
		r.Heard.Claim, r.Heard.Form, r.Heard.Errors, r.Heard.Received = report.Claim, report.Form, report.Errors, report.Received
		if report.Form.Explicit() {
			r.Heard.Refused = "" // what was refused has been said after all
		}
	}
	return was.Claim != result.ClaimNone && was.Claim != report.Claim
}

// advance returns the attempt that was heard last, which may be the one that speaks at
// received for the first time.
func (r *run) advance(received time.Time) int {
	if n := r.attempt(received); n > r.Heard.Attempt {
		r.Said, r.Heard = 0, verdict.Heard{Attempt: n}
	}
	return r.Heard.Attempt
}

// closed reports whether reports of the run are no longer accepted.
func (r *run) closed(now time.Time) bool {
	return !r.Ended.IsZero() && now.After(r.Ended.Add(acceptedFor))
}

// silent reports whether a report of the run, which was just taken, would change
// nothing: it says that the run is there, which is known.
func (r *run) silent(report result.Report) bool {
	return report.Claim == result.ClaimNone && len(report.Samples) == 0 && report.Duration == 0 &&
		r.Heard.Anything && r.attempt(report.Received) == r.Heard.Attempt
}

// duration returns how long the newest attempt took: what it said, else from its
// start to its explicit report, its end or now, in that order; zero if it never
// started.
func (r *run) duration(now time.Time) time.Duration {
	if len(r.Job.Pods) == 0 {
		return r.Said
	}
	newest := len(r.Job.Pods) - 1
	p, spoke := r.Job.Pods[newest], r.Heard.Attempt >= newest
	if spoke && r.Said > 0 {
		return r.Said
	}
	end := p.Ended
	if spoke && r.Heard.Form.Explicit() {
		end = r.Heard.Received
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
		Check: c.Key, CheckUID: c.UID, ID: r.ID, Job: r.Name,
		Scheduled: r.Job.Scheduled, Decided: now, Duration: r.duration(now), Verdict: v,
	}
	i := slices.IndexFunc(r.Job.Pods, func(p verdict.Pod) bool { return !p.Started.IsZero() })
	if i >= 0 {
		out.Started = r.Job.Pods[i].Started
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
