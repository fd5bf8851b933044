// Package run watches what becomes of the Jobs of checks and tells the ledger, and
// writes the ledger's verdicts into the status of the Checks. It may read
// workloads and change none.
package run

import (
	"fmt"
	"slices"
	"strings"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/sonde-dev/sonde/receiver/credential"
	"github.com/sonde-dev/sonde/telemetry/verdict"
)

// Job returns what a Job and its pods tell of a run. It is a pure function, but for
// the order of pods.
func Job(job *batchv1.Job, pods []corev1.Pod) verdict.Job {
	out := verdict.Job{Created: job.CreationTimestamp.Time, Scheduled: scheduledTime(job)}
	if job.Spec.BackoffLimit != nil {
		out.Retries = int(*job.Spec.BackoffLimit)
	}
	for _, c := range job.Status.Conditions {
		if end := endOf(c); end != verdict.GoingOn && out.Ended.IsZero() {
			out.Ended, out.End, out.Message = c.LastTransitionTime.Time, end, c.Message
		}
	}
	slices.SortFunc(pods, func(a, b corev1.Pod) int {
		if c := a.CreationTimestamp.Compare(b.CreationTimestamp.Time); c != 0 {
			return c
		}
		return strings.Compare(a.Name, b.Name)
	})
	for i := range pods {
		out.Pods = append(out.Pods, attempt(&pods[i]))
	}
	return out
}

// endOf returns how a condition of a Job ends it. FailureTarget and
// SuccessCriteriaMet come as soon as the end is certain, Failed and Complete only
// when the last pod is gone.
func endOf(c batchv1.JobCondition) verdict.End {
	switch {
	case c.Status != corev1.ConditionTrue:
		return verdict.GoingOn
	case c.Type == batchv1.JobComplete, c.Type == batchv1.JobSuccessCriteriaMet:
		return verdict.Completed
	case c.Type != batchv1.JobFailed && c.Type != batchv1.JobFailureTarget:
		return verdict.GoingOn
	case c.Reason == batchv1.JobReasonDeadlineExceeded:
		return verdict.OutOfTime
	default:
		return verdict.GaveUp
	}
}

// scheduledTime returns the slot that the CronJob controller made the Job for.
func scheduledTime(job *batchv1.Job) time.Time {
	at, err := time.Parse(time.RFC3339, job.Annotations[batchv1.CronJobScheduledTimestampAnnotation])
	if err != nil {
		return job.CreationTimestamp.Time
	}
	return at
}

// attempt returns what a pod tells.
func attempt(pod *corev1.Pod) verdict.Pod {
	out := verdict.Pod{
		UID: string(pod.UID), Name: pod.Name,
		Started:   started(pod.Status.ContainerStatuses),
		OutOfTime: pod.Status.Reason == "DeadlineExceeded",
		Failed:    pod.Status.Phase == corev1.PodFailed,
	}
	if pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed {
		out.Ended = ended(pod)
	}
	out.ExitCode, out.Message = exit(pod)
	if cause, message := cause(pod); cause != "" {
		out.Cause, out.Message = cause, message
	}
	if out.Message == "" && !out.OutOfTime {
		out.Message = pod.Status.Message // of the kubelet
	}
	out.Message = credential.Mask(out.Message) // a check's last words may hold its own
	return out
}

// started returns when the first of the containers ran; zero if none has.
func started(containers []corev1.ContainerStatus) time.Time {
	var first time.Time
	for _, c := range containers {
		for _, at := range []time.Time{startOf(c.State), startOf(c.LastTerminationState)} {
			if at.Unix() > 0 && (first.IsZero() || at.Before(first)) {
				first = at
			}
		}
	}
	return first
}

// startOf returns when a container in that state began to run. One that the
// runtime could not start has the beginning of 1970 there.
func startOf(s corev1.ContainerState) time.Time {
	switch {
	case s.Running != nil:
		return s.Running.StartedAt.Time
	case s.Terminated != nil:
		return s.Terminated.StartedAt.Time
	default:
		return time.Time{}
	}
}

// ended returns when a pod that is over ended: its last container or, where none
// tells, the last change of its conditions.
func ended(pod *corev1.Pod) time.Time {
	last := pod.CreationTimestamp.Time
	found := false
	for _, c := range pod.Status.ContainerStatuses {
		if t := c.State.Terminated; t != nil && t.FinishedAt.Unix() > 0 && (!found || t.FinishedAt.After(last)) {
			last, found = t.FinishedAt.Time, true
		}
	}
	for _, c := range pod.Status.Conditions {
		if !found && c.LastTransitionTime.After(last) {
			last = c.LastTransitionTime.Time
		}
	}
	return last
}

// exit returns the exit code of the first container that failed, and its
// termination message. How init containers ended counts only where no other has
// run: those that go on beside the others are killed at the end, and the pod is a
// success all the same.
func exit(pod *corev1.Pod) (code int, message string) {
	if pod.Status.Phase == corev1.PodSucceeded {
		return 0, ""
	}
	if t := failed(pod.Status.ContainerStatuses); t != nil {
		return int(t.State.Terminated.ExitCode), strings.TrimSpace(t.State.Terminated.Message)
	}
	if t := failed(pod.Status.InitContainerStatuses); t != nil {
		code = int(t.State.Terminated.ExitCode)
		return code, strings.TrimSpace(fmt.Sprintf("init container %s ended with exit code %d. %s", t.Name, code, t.State.Terminated.Message))
	}
	return 0, ""
}

// failed returns the first of containers that has ended with another code than 0,
// or nil.
func failed(containers []corev1.ContainerStatus) *corev1.ContainerStatus {
	for i, c := range containers {
		if c.State.Terminated != nil && c.State.Terminated.ExitCode != 0 {
			return &containers[i]
		}
	}
	return nil
}
