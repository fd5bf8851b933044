// Package report reads the JSON that a check posts. It is pure: bytes, a
// verified identity and a time go in, a result.Report or everything that is
// wrong comes out. It knows no HTTP and keeps nothing.
package report

import (
	"time"

	"github.com/sonde-dev/sonde/receiver/credential"
	"github.com/sonde-dev/sonde/telemetry/result"
)

// Origin is what is known of a report apart from its body.
type Origin struct {
	Identity credential.Identity // verified

	// Credential is what the report came with. It is taken out of every string
	// that is kept or answered, and kept nowhere.
	Credential string

	// Received is when the whole body had been read, by the receiver's clock.
	Received time.Time
}

// Parse reads exactly one report from raw, or returns a *SyntaxError or an
// *InvalidError. It keeps nothing of raw.
func Parse(raw []byte, from Origin) (result.Report, error) {
	if err := checkSyntax(raw); err != nil {
		return result.Report{}, err
	}
	d := &decoder{cursor: cursor{doc: raw}, credential: from.Credential}
	w := d.report()
	r := w.report(&d.faults)
	if err := d.faults.err(); err != nil {
		return result.Report{}, err
	}
	r.RunID, r.CheckUID, r.Received = from.Identity.RunID, from.Identity.CheckUID, from.Received
	return r, nil
}
