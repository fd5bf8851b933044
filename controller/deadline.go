package controller

import (
	"time"

	"github.com/sonde-dev/sonde/api/v1alpha1"
)

// The kubelet counts a pod's deadline from when it took the pod on, before images
// are pulled, and not from when a container started. So the deadline of the pod
// has to leave room for the start, and the verdict on the timeout is made from the
// container's start, by the receiver (docs/decisions/0003).

// deadlineMargin is how much later than its pod a Job's deadline is, so that the
// pod's fires first: that one keeps the pod with its logs, the Job's deletes it.
const deadlineMargin = 15 * time.Second

// slotMargin is how long before the next slot a pod has to be gone: its grace, and
// the time that kubelet and Job controller need to say so.
const slotMargin = 10 * time.Second

// podDeadline returns how long a pod may exist on its node: the start allowance
// and the timeout, but no longer than to the next slot, so that a check that hangs
// does not cost the run after it; and never less than the timeout.
func podDeadline(spec v1alpha1.CheckSpec, gap time.Duration) time.Duration {
	whole := spec.StartAllowance.Duration + spec.Timeout.Duration
	return max(spec.Timeout.Duration, min(whole, gap-slotMargin)).Truncate(time.Second)
}

// jobDeadline returns how long a run may take with all its attempts, from the
// creation of the Job.
func jobDeadline(spec v1alpha1.CheckSpec) time.Duration {
	total := spec.StartAllowance.Duration + spec.Timeout.Duration + deadlineMargin
	for i := range spec.Retries {
		total += backoff(i) + spec.Timeout.Duration
	}
	return total
}

// backoff returns how long the Job controller waits before the retry after
// failures+1 failed pods: 10 s, doubled each time, 10 min at most. Source: Job
// documentation of Kubernetes, "Pod backoff failure policy".
func backoff(failures int32) time.Duration {
	const first, longest = 10 * time.Second, 10 * time.Minute
	return min(first<<failures, longest)
}
