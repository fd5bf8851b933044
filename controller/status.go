package controller

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/sonde-dev/sonde/api/v1alpha1"
	"github.com/sonde-dev/sonde/receiver/credential"
	"github.com/sonde-dev/sonde/telemetry/result"
)

// outcome is how applying a Check's CronJob went.
type outcome struct {
	err      error
	schedule string                   // of the CronJob, if err is nil
	cronJob  *v1alpha1.AppliedCronJob // if err is nil
}

// applied is the outcome where cron is in force at generation.
func applied(cron *unstructured.Unstructured, generation int64) outcome {
	return outcome{
		schedule: scheduleOf(cron),
		cronJob:  &v1alpha1.AppliedCronJob{Name: cron.GetName(), Generation: generation},
	}
}

// nextStatus returns the part of the status that the controller owns as it should
// be after o, and the rest as it is. now becomes the transition time of a condition
// that changes. It changes nothing.
func nextStatus(check *v1alpha1.Check, o outcome, now time.Time) v1alpha1.CheckStatus {
	next := *check.Status.DeepCopy()
	if o.err == nil {
		next.Schedule, next.CronJob = o.schedule, o.cronJob
	}
	cond := scheduled(check, o)
	cond.ObservedGeneration = check.Generation
	cond.LastTransitionTime = metav1.NewTime(now)
	meta.SetStatusCondition(&next.Conditions, cond)
	return next
}

func scheduled(check *v1alpha1.Check, o outcome) metav1.Condition {
	var spec *SpecError
	cond := metav1.Condition{Type: v1alpha1.ConditionScheduled, Status: metav1.ConditionFalse}
	switch {
	case o.err == nil && check.Spec.Suspend:
		cond.Reason, cond.Message = v1alpha1.ReasonSuspended, "spec.suspend is true: no further runs are started"
	case o.err == nil:
		cond.Status, cond.Reason = metav1.ConditionTrue, v1alpha1.ReasonApplied
		cond.Message = fmt.Sprintf("CronJob %s runs the check at %q", o.cronJob.Name, o.schedule)
	case errors.As(o.err, &spec), invalid(o.err):
		cond.Reason, cond.Message = v1alpha1.ReasonInvalidSpec, withAdvice(check, o.err)
	case errors.Is(o.err, errNameConflict):
		cond.Reason, cond.Message = v1alpha1.ReasonNameConflict, o.err.Error()
	default:
		cond.Reason, cond.Message = v1alpha1.ReasonApplyFailed, withAdvice(check, o.err)
	}
	return cond
}

// withAdvice adds to err what it means for the runs.
func withAdvice(check *v1alpha1.Check, err error) string {
	said := result.Truncate(err.Error(), result.MaxMessageBytes)
	if check.Status.CronJob == nil {
		return said
	}
	return said + " (until this is mended, the check goes on as it was before)"
}

func scheduledCondition(s v1alpha1.CheckStatus) *metav1.Condition {
	return meta.FindStatusCondition(s.Conditions, v1alpha1.ConditionScheduled)
}

// changed reports whether next differs from held in what the controller owns.
func changed(held, next v1alpha1.CheckStatus) bool {
	return held.Schedule != next.Schedule ||
		!equality.Semantic.DeepEqual(held.CronJob, next.CronJob) ||
		!equality.Semantic.DeepEqual(scheduledCondition(held), scheduledCondition(next))
}

// ownStatus returns the fields of s that the controller owns.
func ownStatus(s v1alpha1.CheckStatus) v1alpha1.CheckStatus {
	return v1alpha1.CheckStatus{
		Conditions: []metav1.Condition{*scheduledCondition(s)},
		Schedule:   s.Schedule,
		CronJob:    s.CronJob,
	}
}

func scheduleOf(cron *unstructured.Unstructured) string {
	s, _, _ := unstructured.NestedString(cron.Object, "spec", "schedule")
	return s
}

// secretMissing reports whether the last verdict says that the pods lack check's own
// Secret. The controller may not read Secrets, so this is how it learns that somebody
// has deleted one.
func secretMissing(check *v1alpha1.Check, key credential.Key) bool {
	passing := meta.FindStatusCondition(check.Status.Conditions, v1alpha1.ConditionPassing)
	return passing != nil && passing.Status == metav1.ConditionFalse && passing.Reason == string(result.ContainerConfig) &&
		strings.Contains(passing.Message, secretName(check.UID, key.ID()))
}
