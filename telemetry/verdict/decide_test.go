package verdict_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sonde-dev/sonde/telemetry/result"
	"github.com/sonde-dev/sonde/telemetry/verdict"
)

var t0 = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// at returns the moment that many seconds after the Job was created.
func at(seconds float64) time.Time { return t0.Add(time.Duration(seconds * float64(time.Second))) }

// facts are those of a run with a timeout of 30 s and a start allowance of 2 min,
// changed by each of edits.
func facts(edits ...func(*verdict.Facts)) verdict.Facts {
	f := verdict.Facts{
		Terms:     verdict.Terms{Mode: verdict.Auto, Timeout: 30 * time.Second, StartAllowance: 2 * time.Minute},
		Job:       verdict.Job{Created: t0, Scheduled: t0},
		Listening: t0.Add(-time.Hour),
	}
	for _, edit := range edits {
		edit(&f)
	}
	return f
}

func mode(m verdict.Mode) func(*verdict.Facts) { return func(f *verdict.Facts) { f.Terms.Mode = m } }

func retries(n int) func(*verdict.Facts) { return func(f *verdict.Facts) { f.Job.Retries = n } }

func pod(p verdict.Pod) func(*verdict.Facts) {
	return func(f *verdict.Facts) { f.Job.Pods = append(f.Job.Pods, p) }
}

// running is a pod that started 5 s after the Job was created.
func running() func(*verdict.Facts) { return pod(verdict.Pod{Started: at(5)}) }

// exited is such a pod that ended with code after seconds.
func exited(code int, seconds float64) func(*verdict.Facts) {
	return pod(verdict.Pod{Started: at(5), Ended: at(seconds), ExitCode: code})
}

func job(end verdict.End, seconds float64) func(*verdict.Facts) {
	return func(f *verdict.Facts) { f.Job.End, f.Job.Ended = end, at(seconds) }
}

func said(claim result.Claim, seconds float64, errors ...string) func(*verdict.Facts) {
	return func(f *verdict.Facts) {
		f.Heard = verdict.Heard{Anything: true, Claim: claim, Form: result.FormJSON, Errors: errors, Received: at(seconds)}
	}
}

// alsoRefused is a claim of a run of which something was refused too.
func alsoRefused(f *verdict.Facts) { f.Heard.Refused = "too large" }

func by(form result.Form) func(*verdict.Facts) {
	return func(f *verdict.Facts) { f.Heard.Form = form }
}

func byAttempt(n int) func(*verdict.Facts) {
	return func(f *verdict.Facts) { f.Heard.Attempt = n }
}

func heardSomething(f *verdict.Facts) { f.Heard.Anything = true }
func refused(f *verdict.Facts)        { f.Heard.Refused = "/ok must be true or false" }
func listeningLate(f *verdict.Facts)  { f.Listening = at(1) }

func verdictOf(r result.Result, reason result.Reason, message string) verdict.Decision {
	return verdict.Decision{Final: true, Verdict: result.Verdict{Result: r, Reason: reason, Message: message}}
}

func again(seconds float64) verdict.Decision { return verdict.Decision{Again: at(seconds)} }

func TestDecide(t *testing.T) {
	onlyEvents := verdict.Decision{}
	for name, tc := range map[string]struct {
		facts verdict.Facts
		now   time.Time
		want  verdict.Decision
	}{
		// Rule 1: failure reported.
		"a failure is final at once": {
			facts(running(), said(result.ClaimFailure, 6, "no login form")), at(6),
			verdictOf(result.Failure, result.Reported, "no login form"),
		},
		"a failure without an error says so": {
			facts(running(), said(result.ClaimFailure, 6)), at(6),
			verdictOf(result.Failure, result.Reported, "the check reported failure and gave no error"),
		},
		"of many errors the first is shown": {
			facts(running(), said(result.ClaimFailure, 6, "a", "b", "c")), at(6),
			verdictOf(result.Failure, result.Reported, "a (and 2 more)"),
		},
		"a failure before the pod is seen to run waits for that": {
			facts(said(result.ClaimFailure, 1, "x")), at(1), again(6),
		},
		"a failure whose pod is not seen to run counts": {
			facts(said(result.ClaimFailure, 1, "x")), at(6), verdictOf(result.Failure, result.Reported, "x"),
		},
		"a failure with an attempt left waits for it": {
			facts(retries(1), running(), said(result.ClaimFailure, 6)), at(6), onlyEvents,
		},
		"a failure of an earlier attempt is not the newest one's": {
			facts(retries(1), exited(1, 7), pod(verdict.Pod{Started: at(20)}), said(result.ClaimFailure, 6, "x")), at(21), again(52),
		},
		"a success of an earlier attempt is not the newest one's": {
			facts(retries(1), exited(1, 7), exited(1, 22), said(result.ClaimSuccess, 6)), at(28),
			verdictOf(result.Error, result.NoReport, "the check ended with exit code 1 and did not report"),
		},
		"a failure of an earlier attempt, and the newest ends well and silent": {
			facts(retries(1), exited(1, 7), exited(0, 22), said(result.ClaimFailure, 6, "x")), at(28),
			verdictOf(result.Error, result.NoReport, "the check ended with exit code 0 and did not report"),
		},
		"a failure of the last attempt is final at once": {
			facts(retries(1), exited(1, 7), pod(verdict.Pod{Started: at(20)}), said(result.ClaimFailure, 21, "x"), byAttempt(1)), at(21),
			verdictOf(result.Failure, result.Reported, "x"),
		},
		"a failure reported by a pod that exits 0 is not tried again": {
			facts(retries(1), exited(0, 7), said(result.ClaimFailure, 6, "x")), at(7),
			verdictOf(result.Failure, result.Reported, "x"),
		},
		"a failure beats the Job's success": {
			facts(exited(0, 7), job(verdict.Completed, 8), said(result.ClaimFailure, 6, "x")), at(9),
			verdictOf(result.Failure, result.Reported, "x"),
		},

		// Rule 2: success reported.
		"a failing gauge is final at once": {
			facts(running(), said(result.ClaimFailure, 6, "x"), by(result.FormGauge)), at(6),
			verdictOf(result.Failure, result.Reported, "x"),
		},
		"a failing attribute waits for the end, as the check may still say it itself": {
			facts(running(), said(result.ClaimFailure, 6, "x"), by(result.FormAttribute)), at(6), onlyEvents,
		},
		"a failing span waits a little longer, for what is on its way": {
			facts(exited(0, 7), said(result.ClaimFailure, 6, "x"), by(result.FormSpan)), at(11), again(12),
		},
		"a failing span is a failure whatever the exit code": {
			facts(exited(0, 7), said(result.ClaimFailure, 6, "x"), by(result.FormSpan)), at(12),
			verdictOf(result.Failure, result.Reported, "x"),
		},
		"a span that ended well is a success": {
			facts(exited(0, 7), said(result.ClaimSuccess, 6), by(result.FormSpan)), at(12),
			verdictOf(result.Success, result.Reported, ""),
		},
		"with a report required, a span is none": {
			facts(mode(verdict.Required), exited(0, 7), said(result.ClaimSuccess, 6), by(result.FormSpan)), at(12),
			verdictOf(result.Error, result.NoReport, "the check ended with exit code 0 and did not report"),
		},
		"with a report required, the gauge is one": {
			facts(mode(verdict.Required), exited(0, 7), said(result.ClaimSuccess, 6), by(result.FormGauge)), at(7),
			verdictOf(result.Success, result.Reported, ""),
		},
		"a span that ended well says nothing after a report was refused": {
			facts(exited(0, 7), said(result.ClaimSuccess, 6), by(result.FormSpan), alsoRefused), at(12),
			verdictOf(result.Error, result.NoReport, "the check ended with exit code 0, and its report was refused: too large"),
		},
		"a span that failed says so all the same": {
			facts(exited(0, 7), said(result.ClaimFailure, 6, "x"), by(result.FormSpan), alsoRefused), at(12),
			verdictOf(result.Failure, result.Reported, "x"),
		},
		"an exit code does not count where the last words may be lost": {
			facts(exited(0, 7), said(result.ClaimNone, 6), func(f *verdict.Facts) { f.Listening = at(9) }), at(20),
			verdictOf(result.Error, result.CollectorDown, "what the run said last may have been lost while this collector was down"),
		},
		"a Job that went away unseen is not the check's fault": {
			facts(job(verdict.Unseen, 8), listeningLate), at(13),
			verdictOf(result.Error, result.CollectorDown, "the Job went away while this collector was down"),
		},
		"nor is it judged by an exit code that nobody saw": {
			facts(mode(verdict.ExitCode), running(), job(verdict.Unseen, 60), listeningLate), at(65),
			verdictOf(result.Error, result.CollectorDown, "the Job went away while this collector was down"),
		},
		"a success waits for the end of the Job": {facts(running(), said(result.ClaimSuccess, 6)), at(6), onlyEvents},
		"a success is final when the pod has ended": {
			facts(exited(0, 7), said(result.ClaimSuccess, 6)), at(7), verdictOf(result.Success, result.Reported, ""),
		},
		"a success with a non-zero exit stays one": {
			facts(exited(3, 7), job(verdict.GaveUp, 8), said(result.ClaimSuccess, 6)), at(8),
			verdictOf(result.Success, result.Reported, ""),
		},
		"a success at the last moment is in time": {
			facts(exited(0, 38), said(result.ClaimSuccess, 37)), at(38), verdictOf(result.Success, result.Reported, ""),
		},
		"a success a nanosecond later is a timeout": {
			facts(running(), func(f *verdict.Facts) {
				f.Heard = verdict.Heard{Anything: true, Claim: result.ClaimSuccess, Form: result.FormJSON, Received: at(37).Add(1)}
			}), at(38),
			verdictOf(result.Timeout, result.ReportedLate, "success was reported 32s after the start, and the timeout is 30s"),
		},
		"a success whose pod hangs afterwards stays one": {
			facts(pod(verdict.Pod{Started: at(5), Ended: at(150), OutOfTime: true, ExitCode: 137}), said(result.ClaimSuccess, 6)), at(151),
			verdictOf(result.Success, result.Reported, ""),
		},
		"a success survives the deletion of the Job": {
			facts(running(), job(verdict.JobDeleted, 8), said(result.ClaimSuccess, 6)), at(8),
			verdictOf(result.Success, result.Reported, ""),
		},

		// Rule 3: never started, or taken away.
		"no pod yet": {facts(), at(1), again(125)},
		"an image that is slow to come may still come": {
			facts(pod(verdict.Pod{Cause: result.ImagePull, Message: "no such tag"})), at(124), again(125),
		},
		"an image that did not come in time": {
			facts(pod(verdict.Pod{Cause: result.ImagePull, Message: "no such tag"})), at(125),
			verdictOf(result.Error, result.ImagePull, "no such tag"),
		},
		"nothing says why it did not start": {
			facts(), at(125), verdictOf(result.Error, result.NotStarted, "no container started within the start allowance"),
		},
		"what never started is an error in mode ExitCode too": {
			facts(mode(verdict.ExitCode), pod(verdict.Pod{Cause: result.ContainerConfig, Message: "no Secret x"})), at(125),
			verdictOf(result.Error, result.ContainerConfig, "no Secret x"),
		},
		"the Job's deadline deleted a pod that never started": {
			facts(pod(verdict.Pod{Cause: result.PodDeleted, Ended: at(160)}), job(verdict.OutOfTime, 160)), at(170),
			verdictOf(result.Error, result.NotStarted, "no container started within the start allowance"),
		},
		"a pod that could not start at all": {
			facts(pod(verdict.Pod{Cause: result.StartError, Message: "no such file", Ended: at(6), ExitCode: 128}), job(verdict.GaveUp, 7)), at(7),
			verdictOf(result.Error, result.StartError, "no such file"),
		},
		"a pod that the kubelet refused is no success in mode ExitCode": {
			facts(mode(verdict.ExitCode), pod(verdict.Pod{Ended: at(2), Failed: true, Cause: result.AdmissionRefused, Message: "OutOfcpu: no room"})), at(2),
			verdictOf(result.Error, result.AdmissionRefused, "OutOfcpu: no room"),
		},
		"a pod that failed and says nothing else is no success either": {
			facts(mode(verdict.ExitCode), pod(verdict.Pod{Ended: at(2), Failed: true}), job(verdict.GaveUp, 3)), at(3),
			verdictOf(result.Error, result.NotStarted, "no container started within the start allowance"),
		},
		"killed for its memory": {
			facts(pod(verdict.Pod{Started: at(5), Ended: at(9), Cause: result.OOMKilled, ExitCode: 137, Message: "too much"})), at(9),
			verdictOf(result.Error, result.OOMKilled, "too much"),
		},
		"killed for its memory with an attempt left": {
			facts(retries(1), pod(verdict.Pod{Started: at(5), Ended: at(9), Cause: result.OOMKilled, ExitCode: 137})), at(9), onlyEvents,
		},
		"on a node that was lost, and never seen to end": {
			facts(pod(verdict.Pod{Started: at(5), Cause: result.NodeLost, Message: "unreachable"}), job(verdict.GaveUp, 20)), at(25),
			verdictOf(result.Error, result.NodeLost, "unreachable"),
		},
		"a Job that was deleted": {
			facts(running(), job(verdict.JobDeleted, 8)), at(13),
			verdictOf(result.Error, result.JobDeleted, "the Job was deleted before it ended"),
		},

		// Rule 4: still running at its deadline.
		"running, in time": {facts(running()), at(36), again(37)},
		"running at its deadline, by the clock": {
			facts(running()), at(37),
			verdictOf(result.Timeout, result.DeadlineExceeded, "the check was still running after its timeout of 30s"),
		},
		"running at its deadline with an attempt left": {facts(retries(1), running()), at(37), onlyEvents},
		"ended by the kubelet at its deadline": {
			facts(pod(verdict.Pod{Started: at(5), Ended: at(35), OutOfTime: true})), at(36),
			verdictOf(result.Timeout, result.DeadlineExceeded, "the check was still running after its timeout of 30s"),
		},
		"deleted by the Job's deadline": {
			facts(pod(verdict.Pod{Started: at(5), Ended: at(36), Cause: result.PodDeleted}), job(verdict.OutOfTime, 36)), at(37),
			verdictOf(result.Timeout, result.DeadlineExceeded, "the check was still running after its timeout of 30s"),
		},
		"exit code 0 after the timeout is no success": {
			facts(mode(verdict.ExitCode), exited(0, 38)), at(38),
			verdictOf(result.Timeout, result.DeadlineExceeded, "the check was still running after its timeout of 30s"),
		},

		// Rule 5: ended by itself without a report.
		"no report, and one may be on its way": {facts(exited(0, 7)), at(7), again(12)},
		"no report": {
			facts(exited(0, 7)), at(12), verdictOf(result.Error, result.NoReport, "the check ended with exit code 0 and did not report"),
		},
		"no report, with last words": {
			facts(pod(verdict.Pod{Started: at(5), Ended: at(7), ExitCode: 2, Message: "panic: nil map"})), at(12),
			verdictOf(result.Error, result.NoReport, "the check ended with exit code 2 and did not report: panic: nil map"),
		},
		"a report that was refused is none": {
			facts(exited(0, 7), refused), at(12),
			verdictOf(result.Error, result.NoReport, "the check ended with exit code 0, and its report was refused: /ok must be true or false"),
		},
		"after a refused report the exit code does not count": {
			facts(exited(0, 7), heardSomething, refused), at(12),
			verdictOf(result.Error, result.NoReport, "the check ended with exit code 0, and its report was refused: /ok must be true or false"),
		},
		"something was heard: exit code 0": {
			facts(exited(0, 7), heardSomething), at(12), verdictOf(result.Success, result.ExitCode, ""),
		},
		"something was heard: exit code 3": {
			facts(exited(3, 7), heardSomething), at(12), verdictOf(result.Failure, result.ExitCode, "exit code 3"),
		},
		"something was heard, and a report is required": {
			facts(mode(verdict.Required), exited(0, 7), heardSomething), at(12),
			verdictOf(result.Error, result.NoReport, "the check ended with exit code 0 and did not report"),
		},
		"mode ExitCode, 0": {facts(mode(verdict.ExitCode), exited(0, 7)), at(7), verdictOf(result.Success, result.ExitCode, "")},
		"mode ExitCode, 1 with last words": {
			facts(mode(verdict.ExitCode), pod(verdict.Pod{Started: at(5), Ended: at(7), ExitCode: 1, Message: "refused"})), at(7),
			verdictOf(result.Failure, result.ExitCode, "exit code 1: refused"),
		},
		"mode ExitCode hears no report": {
			facts(mode(verdict.ExitCode), exited(0, 7), said(result.ClaimFailure, 6, "x")), at(7),
			verdictOf(result.Success, result.ExitCode, ""),
		},
		"mode ExitCode, 1 with an attempt left": {facts(mode(verdict.ExitCode), retries(1), exited(1, 7)), at(7), onlyEvents},
		"mode ExitCode, the second attempt succeeds": {
			facts(mode(verdict.ExitCode), retries(1), exited(1, 7), pod(verdict.Pod{Started: at(20), Ended: at(22)})), at(22),
			verdictOf(result.Success, result.ExitCode, ""),
		},
		"the Job is over and its pod not yet seen to be": {
			facts(mode(verdict.ExitCode), running(), job(verdict.GaveUp, 8)), at(8), again(13),
		},

		// Rule 7: nobody listened.
		"begun before the collector, and no report": {
			facts(exited(0, 7), listeningLate), at(12),
			verdictOf(result.Error, result.CollectorDown, "what the run said last may have been lost while this collector was down"),
		},
		"begun before the collector, and reported": {
			facts(exited(0, 7), said(result.ClaimSuccess, 6), listeningLate), at(12), verdictOf(result.Success, result.Reported, ""),
		},
		"begun before the collector, and hangs": {
			facts(running(), listeningLate), at(37),
			verdictOf(result.Timeout, result.DeadlineExceeded, "the check was still running after its timeout of 30s"),
		},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, verdict.Decide(tc.facts, tc.now)); diff != "" {
				t.Errorf("Decide() (-want +got):\n%s", diff)
			}
		})
	}
}

func TestMergeKeepsWhatTheObjectsLose(t *testing.T) {
	was := verdict.Job{Created: t0, Pods: []verdict.Pod{
		{UID: "a", Started: at(5)},
		{UID: "b", Cause: result.ImagePull, Message: "no such tag"},
	}}
	is := verdict.Job{Created: t0, Ended: at(9), End: verdict.OutOfTime, Pods: []verdict.Pod{{UID: "b", Ended: at(8), OutOfTime: true}}}
	want := verdict.Job{Created: t0, Ended: at(9), End: verdict.OutOfTime, Pods: []verdict.Pod{
		{UID: "a", Started: at(5), Ended: at(10), Cause: result.PodDeleted, Message: "the pod was deleted before it ended"},
		{UID: "b", Ended: at(8), OutOfTime: true, Cause: result.ImagePull, Message: "no such tag"},
	}}
	if diff := cmp.Diff(want, verdict.Merge(was, is, at(10))); diff != "" {
		t.Errorf("Merge() (-want +got):\n%s", diff)
	}
	if was.Pods[0].Cause != "" || is.Pods[0].Cause != "" {
		t.Error("Merge changed its arguments")
	}
}
