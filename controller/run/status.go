package run

import (
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/sonde-dev/sonde/api/v1alpha1"
	"github.com/sonde-dev/sonde/telemetry/ledger"
	"github.com/sonde-dev/sonde/telemetry/result"
)

// FieldManager names the receiver in managedFields.
const FieldManager = "sonde-receiver"

// nextStatus returns the part of the status that the receiver owns as it should be
// with that standing, and the rest as it is; a nil standing means that this process
// has decided no run of the check. It changes nothing, and returns the status as it
// is unless result, reason or the condition Passing changes: a run that ends like
// the one before is not worth a write.
func nextStatus(check *v1alpha1.Check, standing *ledger.Standing, now time.Time) v1alpha1.CheckStatus {
	next := *check.Status.DeepCopy()
	if standing != nil && (next.Result != string(standing.Verdict.Result) || next.Reason != string(standing.Verdict.Reason)) {
		next.Result = string(standing.Verdict.Result)
		next.Reason = string(standing.Verdict.Reason)
		next.Message = standing.Verdict.Message
		next.LastTransition = transition(standing.Transition)
	}
	held := meta.FindStatusCondition(next.Conditions, v1alpha1.ConditionPassing)
	cond := passing(check, held, standing)
	if held != nil && held.Status == cond.Status && held.Reason == cond.Reason {
		return next
	}
	cond.ObservedGeneration = check.Generation
	cond.LastTransitionTime = metav1.NewTime(now)
	meta.SetStatusCondition(&next.Conditions, cond)
	return next
}

// passing returns the condition Passing. Below the threshold of bad runs it stays
// as held.
func passing(check *v1alpha1.Check, held *metav1.Condition, standing *ledger.Standing) metav1.Condition {
	cond := metav1.Condition{Type: v1alpha1.ConditionPassing}
	switch {
	case standing == nil && held != nil, standing != nil && held != nil && tolerated(check, standing):
		return *held
	case standing == nil, tolerated(check, standing):
		cond.Status, cond.Reason, cond.Message = metav1.ConditionUnknown, v1alpha1.ReasonAwaitingFirstRun, "no run has ended yet"
		return cond
	case standing.Bad == 0:
		cond.Status = metav1.ConditionTrue
	default:
		cond.Status = metav1.ConditionFalse
	}
	cond.Reason, cond.Message = string(standing.Verdict.Reason), standing.Verdict.Message
	return cond
}

// tolerated reports whether there were bad runs, but fewer than the threshold.
func tolerated(check *v1alpha1.Check, standing *ledger.Standing) bool {
	return standing.Bad > 0 && standing.Bad < int(check.Spec.FailureThreshold)
}

func transition(r result.Run) *v1alpha1.RunStatus {
	return &v1alpha1.RunStatus{
		Time: metav1.NewTime(r.Decided),
		Job:  r.Job, JobUID: r.ID,
		ScheduledTime: timeOrNil(r.Scheduled),
		StartTime:     timeOrNil(r.Started),
		Duration:      runDuration(r.Duration),
		Result:        string(r.Verdict.Result),
		Reason:        string(r.Verdict.Reason),
		Message:       r.Verdict.Message,
		TraceID:       r.TraceID(),
	}
}

func timeOrNil(t time.Time) *metav1.Time {
	if t.IsZero() {
		return nil
	}
	at := metav1.NewTime(t)
	return &at
}

// ownStatus returns the fields of s that the receiver owns.
func ownStatus(s v1alpha1.CheckStatus) v1alpha1.CheckStatus {
	return v1alpha1.CheckStatus{
		Conditions: []metav1.Condition{*meta.FindStatusCondition(s.Conditions, v1alpha1.ConditionPassing)},
		Result:     s.Result, Reason: s.Reason, Message: s.Message,
		LastTransition: s.LastTransition,
	}
}
