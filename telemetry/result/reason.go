package result

// Reason says why a run has its Result. The set is closed, so that a reason is
// fit for a label; the names are promised (docs/spec).
type Reason string

// The closed set of reasons, with the results that they come with.
const (
	Reported         Reason = "Reported"         // success, failure: the check said so
	ReportedLate     Reason = "ReportedLate"     // timeout: success was reported after the timeout
	ExitCode         Reason = "ExitCode"         // success, failure: judged by the exit code
	NoReport         Reason = "NoReport"         // error: ended by itself and had said nothing
	DeadlineExceeded Reason = "DeadlineExceeded" // timeout: still running at its deadline

	ImagePull        Reason = "ImagePull"        // error: an image could not be pulled
	ContainerConfig  Reason = "ContainerConfig"  // error: a Secret or ConfigMap is missing or malformed
	StartError       Reason = "StartError"       // error: the container runtime could not start the command
	OOMKilled        Reason = "OOMKilled"        // error: killed for using too much memory
	Evicted          Reason = "Evicted"          // error: the kubelet or the API evicted the pod
	Preempted        Reason = "Preempted"        // error: the scheduler gave the place to another pod
	NodeLost         Reason = "NodeLost"         // error: the node went away
	PodDeleted       Reason = "PodDeleted"       // error: somebody deleted the pod
	JobDeleted       Reason = "JobDeleted"       // error: somebody deleted the Job
	Unschedulable    Reason = "Unschedulable"    // error: no node took the pod in time
	AdmissionRefused Reason = "AdmissionRefused" // error: the pod was refused; so far only where the kubelet did it
	NotStarted       Reason = "NotStarted"       // error: did not start in time, and nothing says why

	NotScheduled         Reason = "NotScheduled"         // missed: no Job was made for the slot
	PreviousStillRunning Reason = "PreviousStillRunning" // missed: the run before was still going on
	SchedulerLate        Reason = "SchedulerLate"        // missed: the slot passed before the scheduler came to it

	CollectorDown Reason = "CollectorDown" // error: ended while nobody listened for its report
)

// Outcome is a result with a reason that it may have.
type Outcome struct {
	Result Result
	Reason Reason
}

// Outcomes returns every pair of result and reason that a verdict may have: the
// label sets of sonde_runs_total. The slice is the caller's.
func Outcomes() []Outcome {
	pairs := []Outcome{
		{Success, Reported},
		{Success, ExitCode},
		{Failure, Reported},
		{Failure, ExitCode},
		{Timeout, ReportedLate},
		{Timeout, DeadlineExceeded},
	}
	for _, r := range []Reason{
		NoReport, ImagePull, ContainerConfig, StartError, OOMKilled, Evicted, Preempted, NodeLost,
		PodDeleted, JobDeleted, Unschedulable, AdmissionRefused, NotStarted, CollectorDown,
	} {
		pairs = append(pairs, Outcome{Error, r})
	}
	for _, r := range []Reason{NotScheduled, PreviousStillRunning, SchedulerLate} {
		pairs = append(pairs, Outcome{Missed, r})
	}
	return pairs
}
