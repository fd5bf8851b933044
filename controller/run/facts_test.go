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

var t0 = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func at(seconds int) metav1.Time { return metav1.NewTime(t0.Add(time.Duration(seconds) * time.Second)) }

// pod returns a pod that was created with the Job, with a container called check in
// that state, as the kubelet writes it.
func pod(phase corev1.PodPhase, state corev1.ContainerState) corev1.Pod {
	return corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{UID: "pod", Name: "login-x", CreationTimestamp: at(0)},
		Status: corev1.PodStatus{
			Phase:             phase,
			ContainerStatuses: []corev1.ContainerStatus{{Name: "check", State: state}},
		},
	}
}

func terminated(code int32, reason, message string) corev1.ContainerState {
	return corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
		ExitCode: code, Reason: reason, Message: message, StartedAt: at(2), FinishedAt: at(5),
	}}
}

func waiting(reason, message string) corev1.ContainerState {
	return corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}}
}

func with(p corev1.Pod, edit func(*corev1.Pod)) corev1.Pod {
	edit(&p)
	return p
}

func TestPods(t *testing.T) {
	epoch := metav1.NewTime(time.Unix(0, 0))
	ran := verdict.Pod{Started: at(2).Time, Ended: at(5).Time}
	for name, tc := range map[string]struct {
		pod  corev1.Pod
		want verdict.Pod
	}{
		"creating":  {pod(corev1.PodPending, waiting("ContainerCreating", "")), verdict.Pod{}},
		"running":   {pod(corev1.PodRunning, corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: at(2)}}), verdict.Pod{Started: at(2).Time}},
		"succeeded": {pod(corev1.PodSucceeded, terminated(0, "Completed", "")), ran},
		"failed with last words": {
			pod(corev1.PodFailed, terminated(3, "Error", " no route\n")),
			verdict.Pod{Started: ran.Started, Ended: ran.Ended, Failed: true, ExitCode: 3, Message: "no route"},
		},
		"last words that hold a token": {
			pod(corev1.PodFailed, terminated(3, "Error", "401 for 0b8f81e3.11111111-2222-3333-4444-555555555555.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")),
			verdict.Pod{Started: ran.Started, Ended: ran.Ended, Failed: true, ExitCode: 3, Message: "401 for [redacted]"},
		},
		"ended by the kubelet at its deadline": {
			with(pod(corev1.PodFailed, terminated(137, "Error", "")), func(p *corev1.Pod) {
				p.Status.Reason, p.Status.Message = "DeadlineExceeded", "Pod was active on the node longer than the specified deadline"
			}),
			verdict.Pod{Started: ran.Started, Ended: ran.Ended, Failed: true, ExitCode: 137, OutOfTime: true},
		},
		"killed for its memory": {
			pod(corev1.PodFailed, terminated(137, "OOMKilled", "")),
			verdict.Pod{
				Started: ran.Started, Ended: ran.Ended, Failed: true, ExitCode: 137, Cause: result.OOMKilled,
				Message: "container check was killed for using more memory than its limit",
			},
		},
		"no such image": {
			pod(corev1.PodPending, waiting("ImagePullBackOff", "Back-off pulling image")),
			verdict.Pod{Cause: result.ImagePull, Message: "container check: ImagePullBackOff: Back-off pulling image"},
		},
		"no such Secret": {
			pod(corev1.PodPending, waiting("CreateContainerConfigError", `secret "x" not found`)),
			verdict.Pod{Cause: result.ContainerConfig, Message: `container check: CreateContainerConfigError: secret "x" not found`},
		},
		"no such command": {
			with(pod(corev1.PodFailed, terminated(128, "StartError", "exec: /nowhere: no such file")), func(p *corev1.Pod) {
				p.Status.ContainerStatuses[0].State.Terminated.StartedAt = epoch
			}),
			verdict.Pod{Ended: at(5).Time, Failed: true, ExitCode: 128, Cause: result.StartError, Message: "container check: exec: /nowhere: no such file"},
		},
		"no node takes it": {
			corev1.Pod{
				ObjectMeta: metav1.ObjectMeta{UID: "pod", Name: "login-x", CreationTimestamp: at(0)},
				Status: corev1.PodStatus{Phase: corev1.PodPending, Conditions: []corev1.PodCondition{
					{Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: "Unschedulable", Message: "0/3 nodes are available"},
				}},
			},
			verdict.Pod{Cause: result.Unschedulable, Message: "0/3 nodes are available"},
		},
		"refused by the kubelet": {
			corev1.Pod{
				ObjectMeta: metav1.ObjectMeta{UID: "pod", Name: "login-x", CreationTimestamp: at(1)},
				Status:     corev1.PodStatus{Phase: corev1.PodFailed, Reason: "OutOfcpu", Message: "Node didn't have enough resource"},
			},
			verdict.Pod{
				Ended: at(1).Time, Failed: true, Cause: result.AdmissionRefused,
				Message: "the kubelet refused the pod: OutOfcpu: Node didn't have enough resource",
			},
		},
		"evicted before its containers were known": {
			corev1.Pod{
				ObjectMeta: metav1.ObjectMeta{UID: "pod", Name: "login-x", CreationTimestamp: at(1)},
				Status:     corev1.PodStatus{Phase: corev1.PodFailed, Reason: "Evicted", Message: "The node was low on resource: memory."},
			},
			verdict.Pod{Ended: at(1).Time, Failed: true, Cause: result.Evicted, Message: "The node was low on resource: memory."},
		},
		"preempted": {
			with(pod(corev1.PodFailed, terminated(143, "Error", "")), func(p *corev1.Pod) {
				p.Status.Conditions = []corev1.PodCondition{{Type: corev1.DisruptionTarget, Status: corev1.ConditionTrue, Reason: "PreemptionByScheduler", Message: "for a larger pod"}}
			}),
			verdict.Pod{Started: ran.Started, Ended: ran.Ended, Failed: true, ExitCode: 143, Cause: result.Preempted, Message: "for a larger pod"},
		},
		"deleted by somebody": {
			with(pod(corev1.PodFailed, terminated(143, "Error", "")), func(p *corev1.Pod) { p.DeletionTimestamp = new(at(4)) }),
			verdict.Pod{Started: ran.Started, Ended: ran.Ended, Failed: true, ExitCode: 143, Cause: result.PodDeleted, Message: "the pod was deleted before it ended"},
		},
		"an init container failed": {
			with(pod(corev1.PodFailed, waiting("PodInitializing", "")), func(p *corev1.Pod) {
				p.Status.InitContainerStatuses = []corev1.ContainerStatus{{Name: "prepare", State: terminated(2, "Error", "no disk")}}
				p.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionFalse, LastTransitionTime: at(6)}}
			}),
			verdict.Pod{Ended: at(6).Time, Failed: true, ExitCode: 2, Message: "init container prepare ended with exit code 2. no disk"},
		},
		"a sidecar that was killed at the end of a success": {
			with(pod(corev1.PodSucceeded, terminated(0, "Completed", "")), func(p *corev1.Pod) {
				p.Status.InitContainerStatuses = []corev1.ContainerStatus{{Name: "mesh", State: terminated(137, "OOMKilled", "")}}
			}),
			ran,
		},
	} {
		t.Run(name, func(t *testing.T) {
			tc.want.UID, tc.want.Name = "pod", "login-x"
			got := run.Job(&batchv1.Job{ObjectMeta: metav1.ObjectMeta{CreationTimestamp: at(0)}}, []corev1.Pod{tc.pod})
			if diff := cmp.Diff([]verdict.Pod{tc.want}, got.Pods); diff != "" {
				t.Errorf("pods (-want +got):\n%s", diff)
			}
		})
	}
}

func TestJobs(t *testing.T) {
	condition := func(kind batchv1.JobConditionType, reason string, seconds int) batchv1.JobCondition {
		return batchv1.JobCondition{Type: kind, Status: corev1.ConditionTrue, Reason: reason, Message: reason, LastTransitionTime: at(seconds)}
	}
	for name, tc := range map[string]struct {
		conditions []batchv1.JobCondition
		end        verdict.End
		seconds    int
	}{
		"going on":                         {nil, verdict.GoingOn, 0},
		"suspended is going on":            {[]batchv1.JobCondition{condition(batchv1.JobSuspended, "JobSuspended", 3)}, verdict.GoingOn, 0},
		"complete":                         {[]batchv1.JobCondition{condition(batchv1.JobComplete, "", 9)}, verdict.Completed, 9},
		"sure to be complete":              {[]batchv1.JobCondition{condition(batchv1.JobSuccessCriteriaMet, "", 8), condition(batchv1.JobComplete, "", 9)}, verdict.Completed, 8},
		"too many pods failed":             {[]batchv1.JobCondition{condition(batchv1.JobFailed, batchv1.JobReasonBackoffLimitExceeded, 9)}, verdict.GaveUp, 9},
		"its deadline, before it is final": {[]batchv1.JobCondition{condition(batchv1.JobFailureTarget, batchv1.JobReasonDeadlineExceeded, 7)}, verdict.OutOfTime, 7},
		"its deadline, final":              {[]batchv1.JobCondition{condition(batchv1.JobFailureTarget, batchv1.JobReasonDeadlineExceeded, 7), condition(batchv1.JobFailed, batchv1.JobReasonDeadlineExceeded, 12)}, verdict.OutOfTime, 7},
	} {
		t.Run(name, func(t *testing.T) {
			job := &batchv1.Job{
				ObjectMeta: metav1.ObjectMeta{CreationTimestamp: at(0), Annotations: map[string]string{batchv1.CronJobScheduledTimestampAnnotation: t0.Add(-time.Minute).Format(time.RFC3339)}},
				Spec:       batchv1.JobSpec{BackoffLimit: new(int32(2))},
				Status:     batchv1.JobStatus{Conditions: tc.conditions},
			}
			got := run.Job(job, nil)
			if got.End != tc.end || tc.end != verdict.GoingOn && !got.Ended.Equal(at(tc.seconds).Time) || got.Retries != 2 || !got.Scheduled.Equal(t0.Add(-time.Minute)) {
				t.Errorf("job %+v, want the end %q at second %d", got, tc.end, tc.seconds)
			}
		})
	}
}

func TestAttemptsAreInOrder(t *testing.T) {
	older, newer := pod(corev1.PodFailed, terminated(1, "Error", "")), pod(corev1.PodRunning, waiting("", ""))
	older.UID, newer.UID, newer.CreationTimestamp = "older", "newer", at(20)
	got := run.Job(&batchv1.Job{}, []corev1.Pod{newer, older})
	if len(got.Pods) != 2 || got.Pods[0].UID != "older" {
		t.Errorf("pods %+v", got.Pods)
	}
}

func TestNextRun(t *testing.T) {
	cron := func(schedule string, last *metav1.Time, suspend bool) *batchv1.CronJob {
		return &batchv1.CronJob{
			ObjectMeta: metav1.ObjectMeta{CreationTimestamp: at(30)},
			Spec:       batchv1.CronJobSpec{Schedule: schedule, TimeZone: new("Europe/Lisbon"), Suspend: &suspend},
			Status:     batchv1.CronJobStatus{LastScheduleTime: last},
		}
	}
	for name, tc := range map[string]struct {
		cron *batchv1.CronJob
		want time.Time
	}{
		"cron, never run":            {cron("*/5 * * * *", nil, false), t0.Add(5 * time.Minute)},
		"cron, has run":              {cron("*/5 * * * *", new(at(600)), false), t0.Add(15 * time.Minute)},
		"@every from its creation":   {cron("@every 90s", nil, false), t0.Add(2 * time.Minute)},
		"@every from the last slot":  {cron("@every 90s", new(at(120)), false), t0.Add(210 * time.Second)},
		"a time zone in summer time": {cron("0 13 1 7 *", nil, false), time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)},
		"suspended":                  {cron("*/5 * * * *", nil, true), time.Time{}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := run.NextRun(tc.cron)
			if err != nil || !got.Equal(tc.want) {
				t.Errorf("NextRun() = %s, %v; want %s", got, err, tc.want)
			}
		})
	}
	if _, err := run.NextRun(cron("nonsense", nil, false)); err == nil {
		t.Error("a schedule that is none has a next run")
	}
}
