package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// Check is a synthetic check: a pod that runs on a schedule, tries something the
// way a user would, and says whether it worked.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=checks,singular=check,shortName=chk,categories=sonde,scope=Namespaced
// +kubebuilder:printcolumn:name="Result",type=string,JSONPath=`.status.result`,description="How the last run whose verdict differed from the one before it ended"
// +kubebuilder:printcolumn:name="Since",type=date,JSONPath=`.status.lastTransition.time`,description="Since when the verdict has been the same"
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.reason`
// +kubebuilder:printcolumn:name="Schedule",type=string,JSONPath=`.status.schedule`,description="As the CronJob has it"
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Message",type=string,priority=1,JSONPath=`.status.message`
// +kubebuilder:printcolumn:name="Trace",type=string,priority=1,JSONPath=`.status.lastTransition.traceID`
// +kubebuilder:validation:XValidation:rule="size(self.metadata.name) <= 63",message="a Check's name may have 63 characters at most, because it becomes a label of its pods"
type Check struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is the standard object metadata.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitzero"`

	// spec says what runs, and when.
	// +required
	Spec CheckSpec `json:"spec"`

	// status says whether the check is scheduled and how it last ended.
	// +optional
	Status CheckStatus `json:"status,omitzero"`
}

// CheckSpec says what runs, and when.
//
// +kubebuilder:validation:XValidation:rule="has(self.interval) != has(self.schedule)",message="set exactly one of interval (such as 5m) and schedule (a cron expression)"
// +kubebuilder:validation:XValidation:rule="!has(self.timeZone) || has(self.schedule)",message="timeZone goes with schedule; an interval has none",fieldPath=".timeZone"
// +kubebuilder:validation:XValidation:rule="!has(self.interval) || duration(self.timeout) < duration(self.interval)",message="timeout must be shorter than the interval, or a slow run would eat the next one",fieldPath=".timeout"
type CheckSpec struct {
	// interval is the time from one run to the next, as a Go duration in whole
	// seconds, at least 1m: 90s, 5m, 1h30m. Where cron can say it evenly (minutes that
	// divide an hour, hours that divide a day) different checks are spread over it.
	// +optional
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=20
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]+h)?([0-9]+m)?([0-9]+s)?$') && size(self) > 0",message="interval must be a duration in whole seconds, such as 90s, 5m or 1h30m"
	// +kubebuilder:validation:XValidation:rule="!self.matches('^([0-9]+h)?([0-9]+m)?([0-9]+s)?$') || size(self) == 0 || duration(self) >= duration('1m')",message="interval must be at least 1m: Kubernetes names Jobs by the minute"
	// +kubebuilder:validation:XValidation:rule="!self.matches('^([0-9]+h)?([0-9]+m)?([0-9]+s)?$') || size(self) == 0 || duration(self) <= duration('8784h')",message="interval must be at most 8784h, a leap year"
	Interval *metav1.Duration `json:"interval,omitempty"`

	// schedule is a cron expression of five fields, or @hourly, @daily, @weekly,
	// @monthly, @yearly. It is taken as it is; runs are not spread.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	// +kubebuilder:validation:XValidation:rule="!self.startsWith('@every')",message="write interval: 90s instead of schedule: \"@every 90s\""
	// +kubebuilder:validation:XValidation:rule="!self.contains('TZ')",message="write the time zone into timeZone, not into the schedule"
	Schedule *string `json:"schedule,omitempty"`

	// timeZone is the IANA name of the zone that schedule is read in, such as
	// Europe/Lisbon. Default Etc/UTC.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:XValidation:rule="self != 'Local'",message="timeZone must be an IANA name: what is local differs between control planes"
	TimeZone *string `json:"timeZone,omitempty"`

	// timeout is how long the check may run once its container has started, in
	// whole seconds.
	// +optional
	// +kubebuilder:default="30s"
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=20
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]+h)?([0-9]+m)?([0-9]+s)?$') && size(self) > 0",message="timeout must be a duration in whole seconds, such as 30s or 2m"
	// +kubebuilder:validation:XValidation:rule="!self.matches('^([0-9]+h)?([0-9]+m)?([0-9]+s)?$') || size(self) == 0 || (duration(self) >= duration('1s') && duration(self) <= duration('24h'))",message="timeout must be from 1s to 24h"
	Timeout metav1.Duration `json:"timeout,omitzero"`

	// startAllowance is how long scheduling and image pull may take, in whole
	// seconds, on top of the timeout.
	// +optional
	// +kubebuilder:default="2m"
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=20
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]+h)?([0-9]+m)?([0-9]+s)?$') && size(self) > 0",message="startAllowance must be a duration in whole seconds, such as 2m"
	// +kubebuilder:validation:XValidation:rule="!self.matches('^([0-9]+h)?([0-9]+m)?([0-9]+s)?$') || size(self) == 0 || (duration(self) >= duration('5s') && duration(self) <= duration('24h'))",message="startAllowance must be from 5s to 24h"
	StartAllowance metav1.Duration `json:"startAllowance,omitzero"`

	// retries is how many more pods a run may try when one exits non-zero.
	// +optional
	// +kubebuilder:default=0
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=10
	Retries int32 `json:"retries"`

	// suspend stops further runs; one that is going on ends by itself.
	// +optional
	// +kubebuilder:default=false
	Suspend bool `json:"suspend"`

	// runOnCreate makes one run at once when the Check is created, and does not
	// wait for the first slot; none if it is created suspended.
	// +optional
	// +kubebuilder:default=false
	RunOnCreate bool `json:"runOnCreate"`

	// labels become attributes of the check's metrics, if the operator allows the
	// key (flag --check-labels).
	// +optional
	// +kubebuilder:validation:MaxProperties=16
	// +kubebuilder:validation:XValidation:rule="self.all(k, k.matches('^[A-Za-z][A-Za-z0-9_.]{0,62}$'))",message="a label key is a letter, then letters, digits, _ and ., 63 characters at most"
	// +kubebuilder:validation:XValidation:rule="self.all(k, !(k.replace('.', '_') in ['k8s_namespace_name', 'sonde_check_name', 'le', 'quantile', 'job', 'instance', 'result', 'reason']) && !k.replace('.', '_').startsWith('otel_scope_'))",message="these label keys are reserved: k8s.namespace.name, sonde.check.name, le, quantile, job, instance, result, reason, otel.scope.*"
	// +kubebuilder:validation:XValidation:rule="self.all(k, self.exists_one(o, o.replace('.', '_') == k.replace('.', '_')))",message="two label keys differ only in . and _, which Prometheus does not tell apart"
	Labels map[string]LabelValue `json:"labels,omitempty"`

	// annotations are copied to the CronJob, its Jobs and their pods.
	// +optional
	// +kubebuilder:validation:MaxProperties=32
	Annotations map[string]string `json:"annotations,omitempty"`

	// report says what counts as the check's answer. Auto: a report, else, if
	// anything was received from the run, the exit code. Required: a report only.
	// ExitCode: the exit code only.
	// +optional
	// +kubebuilder:default=Auto
	Report ReportMode `json:"report,omitempty"`

	// failureThreshold is how many runs in a row must be bad before the condition
	// Passing turns False. It affects neither metrics nor result.
	// +optional
	// +kubebuilder:default=1
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100
	FailureThreshold int32 `json:"failureThreshold,omitempty"`

	// maxSeries is how many series of custom metrics the check may have. More are
	// refused, and the sender is told so.
	// +optional
	// +kubebuilder:default=200
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=10000
	MaxSeries int32 `json:"maxSeries"`

	// podTemplate is the pod that runs, a PodTemplateSpec of core/v1. It is not
	// validated here: what the API server says of it is shown in the condition
	// Scheduled.
	// +required
	// +kubebuilder:validation:Schemaless
	// +kubebuilder:validation:Type=object
	// +kubebuilder:pruning:PreserveUnknownFields
	PodTemplate runtime.RawExtension `json:"podTemplate"`
}

// LabelValue is the value of a metric attribute.
//
// +kubebuilder:validation:MaxLength=128
type LabelValue string

// ReportMode says what counts as a check's answer.
//
// +kubebuilder:validation:Enum=Auto;Required;ExitCode
type ReportMode string

// The report modes.
const (
	ReportAuto     ReportMode = "Auto"
	ReportRequired ReportMode = "Required"
	ReportExitCode ReportMode = "ExitCode"
)

// CheckList is a list of Checks.
//
// +kubebuilder:object:root=true
type CheckList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitzero"`
	Items           []Check `json:"items"`
}
