package ledger

import (
	"fmt"
	"time"

	"github.com/fxamacker/cbor/v2"

	"github.com/sonde-dev/sonde/telemetry/result"
	"github.com/sonde-dev/sonde/telemetry/verdict"
)

// entry is one thing that happened to the ledger. One of its fields but At is set.
type entry struct {
	At time.Time // by the collector's clock

	Resumed  bool           `cbor:",omitempty"` // reports are taken again, after a break
	Check    *Check         `cbor:",omitempty"` // as it is now
	Deleted  *result.Key    `cbor:",omitempty"` // a check
	Observed *observation   `cbor:",omitempty"`
	Gone     *departure     `cbor:",omitempty"`
	Report   *result.Report `cbor:",omitempty"`
	Refused  *refusal       `cbor:",omitempty"`
	Tick     bool           `cbor:",omitempty"` // the clock is looked at

	Padding []byte `cbor:",omitempty"` // of Resumed: makes it as large as what failed
}

// observation is what Kubernetes said of a run.
type observation struct {
	Ref RunRef
	Job verdict.Job
}

// departure is the end of a Job's object, and how it ended if that was not seen.
type departure struct {
	RunID string
	End   verdict.End
}

// refusal is a report that was refused.
type refusal struct{ RunID, CheckUID, Why string }

// outcome is what the sender of an entry is told.
type outcome struct {
	receipt result.Receipt // of a report
	known   bool           // of an observation: the check is
	err     error
}

// apply changes the state by one entry. It is all that changes it, and depends on
// nothing but the state and the entry. The caller holds mu.
func (l *Ledger) apply(e entry) outcome {
	switch {
	case e.Report != nil:
		receipt, err := l.accept(*e.Report, e.At)
		return outcome{receipt: receipt, err: err}
	case e.Observed != nil:
		return outcome{known: l.observe(*e.Observed, e.At)}
	case e.Gone != nil:
		l.jobGone(*e.Gone, e.At)
	case e.Refused != nil:
		l.refused(*e.Refused, e.At)
	case e.Tick:
		l.tick(e.At)
	case e.Check != nil:
		l.putCheck(*e.Check, e.At)
	case e.Deleted != nil:
		if c, ok := l.byKey[*e.Deleted]; ok {
			l.remove(c)
		}
	case e.Resumed:
		l.resumed(e.At)
	}
	return outcome{}
}

// resumed begins to listen anew. What Jobs have done meanwhile is not known until they
// are seen again.
func (l *Ledger) resumed(now time.Time) {
	l.listening = now
	for id, r := range l.runs {
		if !r.Decided && !r.Gone {
			r.Stale = true
			l.dirty.runs[id] = true
		}
	}
}

// codec writes and reads what is kept, as CBOR (RFC 8949). Times keep their
// nanoseconds.
type codec struct {
	cbor.EncMode
	cbor.DecMode
}

func newCodec() (codec, error) {
	enc, err := cbor.EncOptions{Time: cbor.TimeRFC3339Nano}.EncMode()
	if err != nil {
		return codec{}, err
	}
	// What is read was written here, and validated before.
	dec, err := cbor.DecOptions{UTF8: cbor.UTF8DecodeInvalid, MaxArrayElements: 1 << 24, MaxMapPairs: 1 << 24}.DecMode()
	return codec{enc, dec}, err
}

// decode reads value into v. where names it in the error.
func (c codec) decode(where string, value []byte, v any) error {
	if err := c.Unmarshal(value, v); err != nil {
		return fmt.Errorf("decode %s: %w", where, err)
	}
	return nil
}
