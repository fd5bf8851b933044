package verdict

import (
	"cmp"
	"time"

	"github.com/sonde-dev/sonde/telemetry/result"
)

const (
	// clockSlack is how far the clocks of nodes and receiver may differ before a
	// report in time looks late. NTP keeps nodes within tens of milliseconds.
	clockSlack = 2 * time.Second

	// settling is how long the parts of the picture may take to come together after
	// a run has ended: a report that was sent last, the pod's own end behind the
	// Job's. They come by separate connections.
	settling = 5 * time.Second
)

// Decision is what is to be said of a run at one moment.
type Decision struct {
	// Final says that Verdict holds for ever. Until then Verdict is empty.
	Final   bool
	Verdict result.Verdict

	// Again is when to decide again though nothing was heard; zero if only an
	// event can change anything, or the decision is final.
	Again time.Time
}

// rule has an opinion, or not.
type rule func(Facts, time.Time) (Decision, bool)

// Decide returns what is to be said at now. The first rule that has an opinion
// wins; the order of the rules is behaviour.
func Decide(f Facts, now time.Time) Decision {
	for _, r := range []rule{
		toldByTheWay,
		reportedFailure,
		reportedSuccess,
		pictureIncomplete,
		unseen,
		jobDeleted,
		neverStarted,
		takenAway,
		outOfTime,
		exitCode,
		silent,
	} {
		if d, ok := r(f, now); ok {
			return d
		}
	}
	return Decision{} // going on, and nothing is due
}

func final(r result.Result, reason result.Reason, message string) (Decision, bool) {
	v := result.Verdict{Result: r, Reason: reason, Message: result.Truncate(message, result.MaxMessageBytes)}
	return Decision{Final: true, Verdict: v}, true
}

func wait(until time.Time) (Decision, bool) { return Decision{Again: until}, true }

func noOpinion() (Decision, bool) { return Decision{}, false }

// toldByTheWay: the claim is only a by-product of telemetry. An explicit one may
// still come, and is believed over it.
func toldByTheWay(f Facts, now time.Time) (Decision, bool) {
	if f.claim() == result.ClaimNone || f.Heard.Form.Explicit() {
		return noOpinion()
	}
	if !f.over() {
		return wait(time.Time{})
	}
	if ready := f.ended().Add(settling); now.Before(ready) {
		return wait(ready)
	}
	return noOpinion()
}

// reportedFailure: the check said no. With attempts left, the last one counts. A
// report may overtake the news that its pod has started; then there is a short wait
// for that, or the duration would not be known.
func reportedFailure(f Facts, now time.Time) (Decision, bool) {
	if f.claim() != result.ClaimFailure {
		return noOpinion()
	}
	if !f.over() && !f.lastAttempt() && f.Job.Retries > 0 {
		return wait(time.Time{})
	}
	p, _ := f.Job.last()
	if ready := f.Heard.Received.Add(settling); p.Started.IsZero() && !f.over() && now.Before(ready) {
		return wait(ready)
	}
	return final(result.Failure, result.Reported, failureMessage(f.Heard.Errors))
}

// reportedSuccess: the check said yes. In time it is a success whatever the exit
// code, but only once the run is over: until then it may still say no.
func reportedSuccess(f Facts, _ time.Time) (Decision, bool) {
	if f.claim() != result.ClaimSuccess {
		return noOpinion()
	}
	if p, ok := f.Job.last(); ok && !p.Started.IsZero() && f.Heard.Received.After(p.Started.Add(f.Terms.Timeout+clockSlack)) {
		return final(result.Timeout, result.ReportedLate, lateMessage(f.Terms.Timeout, f.Heard.Received.Sub(p.Started)))
	}
	if !f.over() {
		return wait(time.Time{})
	}
	return final(result.Success, result.Reported, "")
}

// pictureIncomplete: the Job is over, and its last pod has not been seen to end.
func pictureIncomplete(f Facts, now time.Time) (Decision, bool) {
	p, ok := f.Job.last()
	known := ok && !p.Ended.IsZero()
	ready := f.Job.Ended.Add(settling)
	if f.Job.Ended.IsZero() || known || !now.Before(ready) {
		return noOpinion()
	}
	return wait(ready)
}

// unseen: the Job ended, or was deleted, and went away while nobody watched.
func unseen(f Facts, _ time.Time) (Decision, bool) {
	if f.Job.End != Unseen {
		return noOpinion()
	}
	return final(result.Error, result.CollectorDown, "the Job went away while this collector was down")
}

// jobDeleted: somebody deleted the Job before it ended.
func jobDeleted(f Facts, _ time.Time) (Decision, bool) {
	if f.Job.End != JobDeleted {
		return noOpinion()
	}
	return final(result.Error, result.JobDeleted, "the Job was deleted before it ended")
}

// neverStarted: no container of the last attempt ran, and none will in time.
func neverStarted(f Facts, now time.Time) (Decision, bool) {
	p, ok := f.Job.last()
	if ok && (!p.Started.IsZero() || p.succeeded() && !p.Ended.IsZero()) {
		return noOpinion()
	}
	if !ok && f.Job.End == Completed {
		return noOpinion() // the pod is gone, but it ran
	}
	if deadline, again := f.startDeadline(now); again && !f.over() {
		return wait(deadline)
	}
	if cause := f.cause(p); cause != "" {
		return final(result.Error, cause, p.Message)
	}
	if p.Cause != "" {
		p.Message = "" // it tells of the deletion
	}
	return final(result.Error, result.NotStarted, cmp.Or(p.Message, f.Job.Message, "no container started within the start allowance"))
}

// startDeadline returns when the newest attempt must have started, and whether
// that is still to come. A retry has the Job's own deadline, which is an event:
// the back-off before it is not the check's fault.
func (f Facts) startDeadline(now time.Time) (time.Time, bool) {
	if len(f.Job.Pods) > 1 {
		return time.Time{}, true
	}
	deadline := f.Job.Created.Add(f.Terms.StartAllowance + settling)
	return deadline, now.Before(deadline)
}

// takenAway: the attempt was running, and something ended it that is not the
// check's doing.
func takenAway(f Facts, _ time.Time) (Decision, bool) {
	p, ok := f.Job.last()
	cause := f.cause(p)
	if !ok || cause == "" || p.Ended.IsZero() && f.Job.Ended.IsZero() || !f.over() {
		return noOpinion()
	}
	return final(result.Error, cause, p.Message)
}

// cause returns why p could not start or was taken away. That its Job's deadline
// deleted it is none: the deadline is what counts.
func (f Facts) cause(p Pod) result.Reason {
	if p.Cause == result.PodDeleted && f.Job.End == OutOfTime {
		return ""
	}
	return p.Cause
}

// outOfTime: the last attempt ran, or still runs, longer than the timeout.
func outOfTime(f Facts, now time.Time) (Decision, bool) {
	p, ok := f.Job.last()
	if !ok || p.Started.IsZero() {
		return noOpinion()
	}
	deadline := p.Started.Add(f.Terms.Timeout + clockSlack)
	running := p.Ended.IsZero() && f.Job.Ended.IsZero()
	switch {
	case running && now.Before(deadline):
		return wait(deadline)
	case running && !f.lastAttempt(): // its pod is ended at its deadline, and another may do better
		return wait(time.Time{})
	case running, f.over() && (p.OutOfTime || f.Job.End == OutOfTime || p.Ended.After(deadline)):
		return final(result.Timeout, result.DeadlineExceeded, deadlineMessage(f.Terms.Timeout))
	}
	return noOpinion()
}

// exitCode: the check ended by itself and its exit code counts.
func exitCode(f Facts, now time.Time) (Decision, bool) {
	if f.Terms.Mode == Required || f.Terms.Mode == Auto && !f.spoke() {
		return noOpinion()
	}
	if !f.over() {
		return wait(time.Time{})
	}
	if f.Terms.Mode == Auto && f.ended().Before(f.Listening) {
		return noOpinion() // its last words may have been said to nobody
	}
	if ready := f.ended().Add(settling); f.Terms.Mode == Auto && now.Before(ready) {
		return wait(ready) // a report may be on its way
	}
	p, _ := f.Job.last()
	if p.ExitCode == 0 && !p.Failed && f.Job.End != GaveUp {
		return final(result.Success, result.ExitCode, "")
	}
	return final(result.Failure, result.ExitCode, exitMessage(p))
}

// silent: the check ended by itself and has said nothing that counts; or it may
// have said it while nobody listened.
func silent(f Facts, now time.Time) (Decision, bool) {
	if !f.over() {
		return noOpinion()
	}
	if ready := f.ended().Add(settling); now.Before(ready) {
		return wait(ready)
	}
	if f.Job.Created.Before(f.Listening) {
		return final(result.Error, result.CollectorDown, "what the run said last may have been lost while this collector was down")
	}
	p, _ := f.Job.last()
	return final(result.Error, result.NoReport, noReportMessage(p, f.Heard.Refused))
}

// ended returns when the run ended: its last pod, or the Job where that is not
// known.
func (f Facts) ended() time.Time {
	if p, ok := f.Job.last(); ok && !p.Ended.IsZero() {
		return p.Ended
	}
	return f.Job.Ended
}
