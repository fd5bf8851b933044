package verdict

import (
	"cmp"
	"slices"
	"time"

	"github.com/sonde-dev/sonde/telemetry/result"
)

// Merge returns what is known of a Job after is was seen, when was had been seen
// before: pods that are gone are kept as they were, and so is what a pod has
// already told and its object has lost since. at is when is was seen, by the
// collector's clock. It changes neither argument.
func Merge(was, is Job, at time.Time) Job {
	out := is
	out.Pods = slices.Clone(is.Pods)
	var gone []Pod
	for _, old := range was.Pods {
		i := slices.IndexFunc(out.Pods, func(p Pod) bool { return p.UID == old.UID })
		if i < 0 {
			gone = append(gone, lost(old, is, at))
			continue
		}
		out.Pods[i] = remembering(old, out.Pods[i])
	}
	out.Pods = append(gone, out.Pods...)
	if !was.Ended.IsZero() {
		out.Ended, out.End, out.Message = was.Ended, was.End, was.Message
	}
	return out
}

// lost returns p as it is known once its object is gone: ended, by somebody's hand if
// neither it had ended by itself nor its Job well. When a Job is cleared away its pods
// are too, and their last news may be overtaken.
func lost(p Pod, job Job, at time.Time) Pod {
	if !p.Ended.IsZero() {
		return p
	}
	p.Ended = at
	if job.End == Completed {
		p.Ended = job.Ended
		return p
	}
	if p.Cause == "" {
		p.Cause, p.Message = result.PodDeleted, "the pod was deleted before it ended"
	}
	return p
}

// remembering returns is with what only was still tells: why the pod was waiting,
// and when it started and ended.
func remembering(was, is Pod) Pod {
	if is.Started.IsZero() {
		is.Started = was.Started
	}
	if is.Ended.IsZero() {
		is.Ended = was.Ended
	}
	if is.Cause == "" && is.Started.IsZero() {
		is.Cause, is.Message = was.Cause, cmp.Or(was.Message, is.Message)
	}
	return is
}
