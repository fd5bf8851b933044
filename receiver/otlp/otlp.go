// Package otlp reads what a check sends as OpenTelemetry: one request of metrics,
// traces or logs becomes one result.Report. It is pure: bytes, a verified identity
// and a time go in, a report and what was not taken of the request come out. It
// knows no transport and keeps nothing.
//
// The run and the check are those of the credential. What a resource says of itself
// tells streams apart and is believed in nothing else.
package otlp

import (
	"github.com/sonde-dev/sonde/receiver/credential"
	"github.com/sonde-dev/sonde/receiver/report"
	"github.com/sonde-dev/sonde/telemetry/result"
)

// Signal is a kind of telemetry.
type Signal string

// The signals.
const (
	Metrics Signal = "metrics"
	Traces  Signal = "traces"
	Logs    Signal = "logs"
)

// Signals returns the closed set. The slice is the caller's.
func Signals() []Signal { return []Signal{Metrics, Traces, Logs} }

// MaxPoints is how many data points of one request are taken: five times what a
// JSON report may have, as one process sends all of its metrics at once.
const MaxPoints = 10_000

// Taken is what one request says.
type Taken struct {
	Report   result.Report
	Rejected Rejected // what of the request is not in Report

	// Misspoken says what is wrong with a claim that was made and could not be
	// read, in a sentence; empty if there is none.
	Misspoken string
}

// decoder makes a Taken of a request.
type decoder struct {
	from      report.Origin
	said      said
	elapsed   elapsed
	samples   []result.Sample
	points    int // seen so far
	rejected  Rejected
	misspoken string
}

// taken returns what was decoded.
func (d *decoder) taken() Taken {
	return Taken{
		Report: result.Report{
			RunID: d.from.Identity.RunID, CheckUID: d.from.Identity.CheckUID,
			Claim: d.said.claim, Form: d.said.form, Errors: d.said.list(),
			Duration: d.elapsed.duration, Samples: d.samples, Received: d.from.Received,
		},
		Rejected: d.rejected, Misspoken: d.misspoken,
	}
}

// clean takes the credential out of s. It must come before anything is cut, or half
// of it could stay.
func (d *decoder) clean(s string) string { return credential.Redact(s, d.from.Credential) }

// quoted returns s as it may stand in a sentence to the sender.
func (d *decoder) quoted(s string) string {
	const most = 128 // bytes: enough to find it
	s = d.clean(s)
	if len(s) > most {
		return result.Truncate(s, most) + "…"
	}
	return result.Truncate(s, most)
}
