package report

import (
	"fmt"
	"strings"

	"github.com/sonde-dev/sonde/receiver/problem"
	"github.com/sonde-dev/sonde/telemetry/result"
)

// InvalidError says everything that is wrong with a report, so that the author
// of a check can mend it from one answer.
type InvalidError struct {
	Faults []problem.Fault // the first MaxFaults: what can't be read in order of the body, then what is read and wrong
	Total  int             // how many there are
}

// Error names the number of faults.
func (e *InvalidError) Error() string {
	switch {
	case e.Total == 1:
		return "the report has 1 fault; nothing of it was taken"
	case e.Total > len(e.Faults):
		return fmt.Sprintf("the report has %d faults, of which the first %d are listed; nothing of it was taken", e.Total, len(e.Faults))
	}
	return fmt.Sprintf("the report has %d faults; nothing of it was taken", e.Total)
}

// faults collects what is wrong.
type faults struct {
	kept  []problem.Fault
	total int
}

// full says whether another fault would be counted only.
func (f *faults) full() bool { return len(f.kept) == MaxFaults }

// add counts a fault and keeps it while there is room.
func (f *faults) add(pointer, detail string) {
	f.total++
	if !f.full() {
		f.kept = append(f.kept, problem.Fault{Pointer: pointer, Detail: detail})
	}
}

// err returns the faults as an *InvalidError, or nil if there are none.
func (f *faults) err() error {
	if f.total == 0 {
		return nil
	}
	return &InvalidError{Faults: f.kept, Total: f.total}
}

// clip cuts s to what a fault may hold of the sender's words.
func clip(s string) string {
	if len(s) <= maxQuotedBytes {
		return s
	}
	return result.Truncate(s, maxQuotedBytes) + "…"
}

// escape makes s a part of a JSON pointer.
func escape(s string) string { return strings.NewReplacer("~", "~0", "/", "~1").Replace(s) }
