// Package result is the vocabulary of the pipeline: what a run of a check may
// say, what is decided of it, and why. It is a leaf: it imports nothing of this
// module, holds no state and reads no clock.
package result

import "time"

// Key names a check the way people and labels do. It is not an identity: a check
// that is deleted and made again has the same Key and another UID.
type Key struct{ Namespace, Name string }

// String returns namespace/name.
func (k Key) String() string { return k.Namespace + "/" + k.Name }

// Result is how a run ended. The words are those of OpenTelemetry's
// cicd.pipeline.result, and missed.
type Result string

// The closed set of results.
const (
	Success Result = "success" // the check said yes
	Failure Result = "failure" // the check said no
	Error   Result = "error"   // the check could not be run, or did not answer
	Timeout Result = "timeout" // the check took longer than its timeout
	Missed  Result = "missed"  // no run when one was due
)

// Results returns the closed set, in order of documentation. The slice is the
// caller's.
func Results() []Result { return []Result{Success, Failure, Error, Timeout, Missed} }

// Verdict is what was decided of one run.
type Verdict struct {
	Result Result
	Reason Reason

	// Message is for a person; at most MaxMessageBytes bytes. It never becomes a
	// label.
	Message string
}

// Run is one finished run with its verdict. A Run is a value: it is copied,
// never changed, once it is decided.
type Run struct {
	Check    Key
	CheckUID string
	ID       string // UID of the Job
	Job      string // name of the Job

	// Scheduled is the slot that the run was due at; for a run that nobody
	// scheduled it is when the Job was created. By the API server's clock.
	Scheduled time.Time

	// Started is when the check's container first ran, by the node's clock; zero
	// if it never did.
	Started time.Time

	// Decided is when the verdict became final, by the collector's clock.
	Decided time.Time

	// Duration is how long the check took: what it said itself, else from Started
	// to its report or its end; zero if it never started and said nothing.
	Duration time.Duration

	Verdict Verdict
}

// TraceID returns the id of the run's trace, 32 lower-case hex digits: the Job's
// UID without dashes. It is known to the pod, the collector and a person with
// kubectl before anything is sent.
func (r Run) TraceID() string { return TraceID(r.ID) }

// MaxMessageBytes bounds a message that is kept: long enough for a stack's first
// lines, short enough that 10,000 checks hold 40 MB of messages at most.
const MaxMessageBytes = 4096
