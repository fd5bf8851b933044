package result

import (
	"errors"
	"strings"
	"time"
)

// Claim is what a run says of itself.
type Claim string

// The claims. A run may report metrics and claim nothing.
const (
	ClaimNone    Claim = ""
	ClaimSuccess Claim = "success"
	ClaimFailure Claim = "failure"
)

// Form is how a run made a claim. Where a run makes several, the one of the
// earliest form is its word, whenever it came.
type Form int

// The forms, in the order in which they are believed.
const (
	FormNone      Form = iota // no claim was made
	FormJSON                  // ok or errors of a JSON report
	FormGauge                 // the OTLP gauge sonde.check.ok
	FormAttribute             // the attribute cicd.pipeline.result or test.suite.run.status
	FormSpan                  // the status of the check's root span
)

// Explicit reports whether the claim was made for Sonde: such a one is final when
// it says no. The others are by-products of telemetry, and wait for the run's end.
func (f Form) Explicit() bool { return f == FormJSON || f == FormGauge }

// Report is what one run says, as authenticated, decoded and validated by the
// receiver. A Report is a value; its slices are not changed after it is made.
type Report struct {
	RunID    string // UID of the Job, from the credential
	CheckUID string // UID of the Check, from the verified part of the credential

	Claim  Claim
	Form   Form     // of Claim; FormNone if there is none
	Errors []string // for a person; of a failure

	// Duration is how long the check took, as it measured it; zero means that it
	// did not say.
	Duration time.Duration

	Samples []Sample

	// Received is when the receiver had read the whole body, by the receiver's
	// clock. Lateness is counted from here: nobody promised that the pod's clock
	// is right.
	Received time.Time
}

// Kind is the kind of a sample.
type Kind string

// The kinds. A sum that may fall is a gauge.
const (
	Gauge   Kind = "gauge"
	Counter Kind = "counter"
)

// Temporality says what the value of a sample is counted from.
type Temporality string

// The temporalities. The first is that of JSON reports, the others are those of
// OpenTelemetry's metrics data model. None counts anything twice that is sent
// twice.
const (
	// Total is a counter's sum over its whole attempt so far, without times: a
	// smaller value is an older one. A gauge has no other.
	Total Temporality = ""

	// Cumulative is the sum since Start, as it was at Time.
	Cumulative Temporality = "cumulative"

	// Delta is what was added from Start to Time.
	Delta Temporality = "delta"
)

// Sample is one value of a custom metric.
type Sample struct {
	Name        string // as the author wrote it, e.g. "login.steps"
	Kind        Kind
	Unit        string // UCUM, e.g. "s", "By", "{request}"; may be empty
	Description string
	Labels      []Label // sorted by name, no name twice
	Value       float64 // finite; not negative for a counter

	Temporality Temporality

	// Start and Time are those of the data point, by the pod's clock; zero with
	// Total, but for the Time of a gauge that came by OTLP.
	Start, Time time.Time

	// Stream tells apart what one run counts in several places under the same name
	// and labels: the process (pod, container, service instance), the
	// instrumentation scope, and attributes that are left out of Labels because
	// they are of one run only. Empty with Total.
	Stream string
}

// Label is one attribute of a sample.
type Label struct{ Name, Value string }

// Receipt is the answer to a Report that was taken.
type Receipt struct {
	Check       Key // zero where the run is not known yet
	Disposition Disposition

	// Rejected are the samples that were not taken, in order of Index. The rest
	// of the report was.
	Rejected []Rejection
}

// Disposition says what became of a report that was taken.
type Disposition string

// The dispositions.
const (
	Accepted Disposition = "accepted" // counted
	Held     Disposition = "held"     // kept until its run becomes known
	Ignored  Disposition = "ignored"  // the run has its verdict already; samples count, the claim does not
)

// Rejection is one sample that was not taken, and why.
type Rejection struct {
	Index  int      // of the sample in its report
	Reason Rejected // closed set, fit for a label
	Detail string   // a sentence for the sender
}

// Rejected says why a sample was not taken.
type Rejected string

// The reasons for rejecting a sample.
const (
	RejectedType       Rejected = "type_conflict" // the name is in use with another kind or unit
	RejectedCheckLimit Rejected = "check_limit"   // the check's maxSeries is reached
	RejectedTotalLimit Rejected = "total_limit"   // the collector's own limit is reached
	RejectedStreams    Rejected = "stream_limit"  // the run counts the series in too many places
)

// The refusals of a whole report. Callers branch on them.
var (
	ErrForeign = errors.New("the run belongs to another check")
	ErrRunOver = errors.New("the run is over and reports of it are no longer accepted")
	ErrNoRoom  = errors.New("no room now; try again")

	// ErrNotWritten is that the disk does not take the report. The ledger logs why,
	// once and not for every report.
	ErrNotWritten = errors.New("the report could not be written to disk; try again")
)

// TraceID returns runID, a UUID, as the id of a trace: without dashes.
func TraceID(runID string) string { return strings.ReplaceAll(runID, "-", "") }

// Truncate cuts s to at most limit bytes, at the boundary of a character, and
// makes it valid UTF-8.
func Truncate(s string, limit int) string {
	if len(s) > limit {
		s = strings.Clone(s[:limit]) // and lets go of the rest
	}
	return strings.ToValidUTF8(s, "")
}
