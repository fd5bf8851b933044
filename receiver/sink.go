package receiver

import (
	"context"

	"github.com/sonde-dev/sonde/receiver/credential"
	"github.com/sonde-dev/sonde/telemetry/result"
)

// Sink takes what the edge has authenticated, decoded and validated. Its methods
// are called by many goroutines at once.
type Sink interface {
	// Accept takes a report. It returns nil only once the report is committed, so
	// that SIGKILL right after loses nothing, and never blocks for longer than a
	// disk takes or than ctx lasts. It keeps r's slices and the edge does not
	// change them. The errors that the sender can do something about wrap
	// result.ErrForeign, result.ErrRunOver or result.ErrNoRoom; after any error
	// the report may be sent again without being counted twice.
	Accept(ctx context.Context, r result.Report) (result.Receipt, error)

	// Refused says that id sent a report which was refused for what it was, so
	// that the verdict's message may say so. It never blocks. Only the check is
	// verified: a Sink must not believe it of a run that belongs to another one.
	// detail is one line of at most result.MaxMessageBytes bytes, and holds no
	// credential.
	Refused(id credential.Identity, detail string)
}

// Verifier says whom a credential speaks for, or returns one of the errors of
// package credential. It neither blocks nor asks anybody. *credential.Keyring is
// one.
type Verifier interface {
	Verify(credential string) (credential.Identity, error)
}
