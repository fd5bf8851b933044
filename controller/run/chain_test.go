package run_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/sonde-dev/sonde/controller/run"
	"github.com/sonde-dev/sonde/telemetry/result"
	"github.com/sonde-dev/sonde/telemetry/verdict"
)

// moment is what the API server shows of a run at one second.
type moment struct {
	second     int
	conditions []batchv1.JobCondition
	pods       []corev1.Pod
}

// decided plays moments as the watcher sees them, and returns what is decided at
// second, with nothing heard. The check has a timeout of 30 s, a start allowance of
// 2 min, and is judged in mode.
func decided(mode verdict.Mode, retries int32, second int, moments ...moment) verdict.Decision {
	var job verdict.Job
	for _, m := range moments {
		seen := &batchv1.Job{
			ObjectMeta: metav1.ObjectMeta{CreationTimestamp: at(0)},
			Spec:       batchv1.JobSpec{BackoffLimit: &retries},
			Status:     batchv1.JobStatus{Conditions: m.conditions},
		}
		job = verdict.Merge(job, run.Job(seen, m.pods), at(m.second).Time)
	}
	return verdict.Decide(verdict.Facts{
		Terms:     verdict.Terms{Mode: mode, Timeout: 30 * time.Second, StartAllowance: 2 * time.Minute},
		Job:       job,
		Listening: t0.Add(-time.Hour),
	}, at(second).Time)
}

func over(kind batchv1.JobConditionType, reason, message string, second int) []batchv1.JobCondition {
	return []batchv1.JobCondition{{Type: kind, Status: corev1.ConditionTrue, Reason: reason, Message: message, LastTransitionTime: at(second)}}
}

// TestFromObjectsToVerdicts proves the chain from what Kubernetes writes to what is
// said of a run, for a check that reports nothing.
func TestFromObjectsToVerdicts(t *testing.T) {
	gaveUp := func(second int) []batchv1.JobCondition {
		return over(batchv1.JobFailureTarget, batchv1.JobReasonBackoffLimitExceeded, "Job has reached the specified backoff limit", second)
	}
	isRunning := pod(corev1.PodRunning, corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: at(2)}})
	noImage := pod(corev1.PodPending, waiting("ImagePullBackOff", "Back-off pulling image"))
	// At its end the kubelet writes that a container which never was cannot be found.
	neverWas := with(pod(corev1.PodFailed, corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
		ExitCode: 137, Reason: "ContainerStatusUnknown", Message: "The container could not be located when the pod was terminated",
	}}), func(p *corev1.Pod) {
		p.Status.Reason, p.Status.Message = "DeadlineExceeded", "Pod was active on the node longer than the specified deadline"
		p.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionFalse, LastTransitionTime: at(50)}}
	})
	second := with(pod(corev1.PodSucceeded, terminated(0, "Completed", "")), func(p *corev1.Pod) { p.UID, p.CreationTimestamp = "second", at(15) })
	for name, tc := range map[string]struct {
		mode    verdict.Mode
		retries int32
		second  int
		moments []moment
		want    result.Verdict
	}{
		"a success by its exit code": {
			verdict.ExitCode, 0, 6,
			[]moment{{2, nil, []corev1.Pod{isRunning}}, {6, over(batchv1.JobSuccessCriteriaMet, "", "", 6), []corev1.Pod{pod(corev1.PodSucceeded, terminated(0, "Completed", ""))}}},
			result.Verdict{Result: result.Success, Reason: result.ExitCode},
		},
		"a failure by its exit code": {
			verdict.ExitCode, 0, 6,
			[]moment{{6, gaveUp(6), []corev1.Pod{pod(corev1.PodFailed, terminated(3, "Error", "no route\n"))}}},
			result.Verdict{Result: result.Failure, Reason: result.ExitCode, Message: "exit code 3: no route"},
		},
		"the second attempt succeeds": {
			verdict.ExitCode, 1, 20,
			[]moment{
				{6, nil, []corev1.Pod{pod(corev1.PodFailed, terminated(3, "Error", ""))}},
				{20, nil, []corev1.Pod{second, pod(corev1.PodFailed, terminated(3, "Error", ""))}},
			},
			result.Verdict{Result: result.Success, Reason: result.ExitCode},
		},
		"silence": {
			verdict.Auto, 0, 11,
			[]moment{{6, nil, []corev1.Pod{pod(corev1.PodSucceeded, terminated(0, "Completed", ""))}}},
			result.Verdict{Result: result.Error, Reason: result.NoReport, Message: "the check ended with exit code 0 and did not report"},
		},
		"a hang, by the clock": {
			verdict.Auto, 0, 34,
			[]moment{{2, nil, []corev1.Pod{isRunning}}},
			result.Verdict{Result: result.Timeout, Reason: result.DeadlineExceeded, Message: "the check was still running after its timeout of 30s"},
		},
		"a hang, by the Job's deadline": {
			verdict.Auto, 0, 25,
			[]moment{
				{2, nil, []corev1.Pod{isRunning}},
				{20, over(batchv1.JobFailureTarget, batchv1.JobReasonDeadlineExceeded, "Job was active longer than specified deadline", 20), []corev1.Pod{isRunning}},
			},
			result.Verdict{Result: result.Timeout, Reason: result.DeadlineExceeded, Message: "the check was still running after its timeout of 30s"},
		},
		"no such image, by the clock": {
			verdict.Auto, 0, 125,
			[]moment{{5, nil, []corev1.Pod{noImage}}},
			result.Verdict{Result: result.Error, Reason: result.ImagePull, Message: "container check: ImagePullBackOff: Back-off pulling image"},
		},
		"no such image, after the pod's deadline": {
			verdict.Auto, 0, 52,
			[]moment{{5, nil, []corev1.Pod{noImage}}, {51, gaveUp(51), []corev1.Pod{neverWas}}},
			result.Verdict{Result: result.Error, Reason: result.ImagePull, Message: "container check: ImagePullBackOff: Back-off pulling image"},
		},
		"killed for its memory": {
			verdict.ExitCode, 0, 6,
			[]moment{{6, gaveUp(6), []corev1.Pod{pod(corev1.PodFailed, terminated(137, "OOMKilled", ""))}}},
			result.Verdict{Result: result.Error, Reason: result.OOMKilled, Message: "container check was killed for using more memory than its limit"},
		},
		"an init container failed": {
			verdict.ExitCode, 0, 12,
			[]moment{{6, gaveUp(6), []corev1.Pod{with(pod(corev1.PodFailed, waiting("PodInitializing", "")), func(p *corev1.Pod) {
				p.Status.InitContainerStatuses = []corev1.ContainerStatus{{Name: "prepare", State: terminated(2, "Error", "no disk")}}
			})}}},
			result.Verdict{Result: result.Error, Reason: result.NotStarted, Message: "init container prepare ended with exit code 2. no disk"},
		},
		"the pod was deleted, and its object is gone": {
			verdict.Auto, 0, 15,
			[]moment{{2, nil, []corev1.Pod{isRunning}}, {9, gaveUp(9), nil}},
			result.Verdict{Result: result.Error, Reason: result.PodDeleted, Message: "the pod was deleted before it ended"},
		},
		"no pod was ever made": {
			verdict.Auto, 0, 125,
			[]moment{{1, nil, nil}},
			result.Verdict{Result: result.Error, Reason: result.NotStarted, Message: "no container started within the start allowance"},
		},
		"the node went away": {
			verdict.ExitCode, 0, 8,
			[]moment{{2, nil, []corev1.Pod{isRunning}}, {8, gaveUp(8), []corev1.Pod{with(pod(corev1.PodFailed, terminated(143, "Error", "")), func(p *corev1.Pod) {
				p.Status.Reason, p.Status.Message = "Terminated", "Pod was terminated in response to imminent node shutdown."
			})}}},
			result.Verdict{Result: result.Error, Reason: result.NodeLost, Message: "Pod was terminated in response to imminent node shutdown."},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := decided(tc.mode, tc.retries, tc.second, tc.moments...)
			if diff := cmp.Diff(verdict.Decision{Final: true, Verdict: tc.want}, got); diff != "" {
				t.Errorf("Decide() (-want +got):\n%s", diff)
			}
		})
	}
}
