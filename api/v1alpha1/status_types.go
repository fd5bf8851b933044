package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// CheckStatus says whether the check is scheduled and how it last ended. It is
// written when something changes and not after every run: the facts of the last
// run are in the metrics.
//
// The controller writes the condition Scheduled, schedule and cronJob; the
// receiver writes the rest. Each applies its own fields only.
type CheckStatus struct {
	// conditions are Scheduled and Passing.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=8
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// schedule is the CronJob's schedule.
	// +optional
	Schedule string `json:"schedule,omitempty"`

	// cronJob is the CronJob as last applied.
	// +optional
	CronJob *AppliedCronJob `json:"cronJob,omitempty"`

	// result of the last change: success, failure, error, timeout or missed.
	// +optional
	Result string `json:"result,omitempty"`

	// reason of the last change, of a closed set.
	// +optional
	Reason string `json:"reason,omitempty"`

	// message of the last change, for a person.
	// +optional
	Message string `json:"message,omitempty"`

	// lastTransition is the run with which result or reason last changed.
	// +optional
	LastTransition *RunStatus `json:"lastTransition,omitempty"`
}

// AppliedCronJob is a CronJob as last applied.
type AppliedCronJob struct {
	// name of the CronJob, in the Check's namespace.
	// +required
	Name string `json:"name"`

	// generation of the CronJob after it was applied. Another one means that
	// somebody else has edited it.
	// +required
	Generation int64 `json:"generation"`
}

// RunStatus is one finished run.
type RunStatus struct {
	// time is when the verdict became final.
	// +required
	Time metav1.Time `json:"time"`

	// job is the name of the Job.
	// +optional
	Job string `json:"job,omitempty"`

	// jobUID is the UID of the Job.
	// +optional
	JobUID string `json:"jobUID,omitempty"`

	// scheduledTime is the slot that the run was due at.
	// +optional
	ScheduledTime *metav1.Time `json:"scheduledTime,omitempty"`

	// startTime is when the container started.
	// +optional
	StartTime *metav1.Time `json:"startTime,omitempty"`

	// duration of the check, as a Go duration.
	// +optional
	Duration string `json:"duration,omitempty"`

	// result of the run.
	// +required
	Result string `json:"result"`

	// reason of the result.
	// +required
	Reason string `json:"reason"`

	// message for a person.
	// +optional
	Message string `json:"message,omitempty"`

	// traceID is the id of the run's trace: the Job's UID without dashes.
	// +optional
	TraceID string `json:"traceID,omitempty"`
}

// The condition types. Both are positive: True is well.
const (
	// ConditionScheduled is True while a CronJob runs the check as its spec says.
	ConditionScheduled = "Scheduled"

	// ConditionPassing is True after a success, False after failureThreshold bad
	// runs in a row, Unknown until the first verdict.
	ConditionPassing = "Passing"
)

// The reasons of ConditionScheduled. They are promised.
const (
	// ReasonApplied (True): the CronJob is as the spec says.
	ReasonApplied = "Applied"

	// ReasonSuspended (False): spec.suspend is true.
	ReasonSuspended = "Suspended"

	// ReasonInvalidSpec (False): the spec cannot become a CronJob. Mend the spec;
	// the message says where.
	ReasonInvalidSpec = "InvalidSpec"

	// ReasonNameConflict (False): a CronJob of that name exists and belongs to
	// somebody else. Rename one of the two.
	ReasonNameConflict = "NameConflict"

	// ReasonApplyFailed (False): the API server refused for another reason, such
	// as quota or an admission policy. It is tried again.
	ReasonApplyFailed = "ApplyFailed"
)

// ReasonAwaitingFirstRun (Passing Unknown): no run has ended yet. The other
// reasons of ConditionPassing are those of verdicts.
const ReasonAwaitingFirstRun = "AwaitingFirstRun"
