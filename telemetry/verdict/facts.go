// Package verdict decides how a run ended. It is arithmetic: no goroutine, no
// lock, no I/O, and the clock is an argument.
package verdict

import (
	"time"

	"github.com/sonde-dev/sonde/telemetry/result"
)

// Mode says what counts as a check's answer.
type Mode string

// The modes, as in the Check's spec.report.
const (
	Auto     Mode = "Auto"     // a report; else, if anything was heard of the run, the exit code
	Required Mode = "Required" // a report only: JSON, or the gauge sonde.check.ok
	ExitCode Mode = "ExitCode" // the exit code only
)

// Terms are what a check was promised: the part of its spec that verdicts depend
// on, as it was when the run was first seen.
type Terms struct {
	Mode           Mode
	Timeout        time.Duration // of a running container
	StartAllowance time.Duration // for scheduling and image pull
}

// Facts are all that a verdict may depend on.
type Facts struct {
	Terms Terms
	Job   Job
	Heard Heard

	// Listening is since when reports have been listened for. A run that was
	// created before may have reported to nobody.
	Listening time.Time
}

// Job is what Kubernetes says of a run. Times are by the clocks of the API server
// and the nodes.
type Job struct {
	Created   time.Time
	Scheduled time.Time // the slot; Created where no slot asked for the Job
	Retries   int       // more pods that may be tried

	// Ended is when the Job was seen to be over, though its pods may still be
	// ending; zero while it goes on.
	Ended time.Time

	End     End
	Message string // of the condition that ended it

	// Pods are the attempts, in order of creation. A pod that was deleted stays, as
	// it was last seen.
	Pods []Pod
}

// End is how a Job ended.
type End string

// The ways in which a Job ends.
const (
	GoingOn    End = ""
	Completed  End = "completed"   // a pod succeeded
	GaveUp     End = "gave up"     // too many pods failed
	OutOfTime  End = "out of time" // the Job's own deadline passed
	JobDeleted End = "deleted"     // before it had ended
	Unseen     End = "unseen"      // the Job went away while nobody watched
)

// Pod is one attempt.
type Pod struct {
	UID  string
	Name string

	// Started is when the check's first container ran; zero if none has.
	Started time.Time

	// Ended is when the last container ended, or the pod was seen to be gone; zero
	// while it goes on.
	Ended time.Time

	// Failed says that Kubernetes counts the pod as failed, which it may do though no
	// container did: a kubelet that refuses a pod runs none.
	Failed bool

	// ExitCode is that of the container that failed; zero if all ended well.
	ExitCode int

	// OutOfTime says that the kubelet ended the pod at its deadline.
	OutOfTime bool

	// Cause is why the pod cannot start, or was taken away; empty if neither. The
	// cause of a pod that waits may pass.
	Cause result.Reason

	// Message explains Cause or ExitCode: a waiting or termination message.
	Message string
}

// Heard is what was received of a run, by the receiver's clock.
type Heard struct {
	// Anything says that authenticated telemetry came from the run.
	Anything bool

	// Attempt is the number of the attempt that all of this is of, from 0.
	Attempt int

	// Claim is what that attempt says of itself, in the most explicit form that was
	// heard. A failure stays one.
	Claim    result.Claim
	Form     result.Form // of Claim
	Errors   []string
	Received time.Time // of Claim

	// Refused is why a report of the run was refused; empty if none was.
	Refused string
}

// last returns the newest attempt, if there is one.
func (j Job) last() (Pod, bool) {
	if len(j.Pods) == 0 {
		return Pod{}, false
	}
	return j.Pods[len(j.Pods)-1], true
}

// claim returns what the newest attempt says of itself, as far as it counts: what an
// earlier one said is the reason why there is another.
func (f Facts) claim() result.Claim {
	switch {
	case f.Terms.Mode == ExitCode, f.Heard.Attempt < len(f.Job.Pods)-1:
		return result.ClaimNone
	case f.Terms.Mode == Required && !f.Heard.Form.Explicit():
		return result.ClaimNone
	case f.Heard.Claim == result.ClaimSuccess && !f.Heard.Form.Explicit() && f.Heard.Refused != "":
		return result.ClaimNone // what was refused may have said no, in more explicit words
	default:
		return f.Heard.Claim
	}
}

// spoke reports whether the newest attempt has said anything that was taken. What was
// refused may have been a failure.
func (f Facts) spoke() bool {
	return f.Heard.Anything && f.Heard.Refused == "" && f.Heard.Attempt >= len(f.Job.Pods)-1
}

// over reports whether no further attempt will come: the Job says so, or the last
// attempt that was allowed has ended.
func (f Facts) over() bool {
	if !f.Job.Ended.IsZero() {
		return true
	}
	last, ok := f.Job.last()
	return ok && !last.Ended.IsZero() && (last.succeeded() || f.lastAttempt())
}

// lastAttempt reports whether the newest attempt is the last one that may be made.
func (f Facts) lastAttempt() bool { return len(f.Job.Pods) > f.Job.Retries }

func (p Pod) succeeded() bool { return !p.Failed && p.ExitCode == 0 && !p.OutOfTime && p.Cause == "" }
