package ledger

import (
	"time"

	"github.com/sonde-dev/sonde/telemetry/result"
)

const (
	// heldFor is how long a report waits for its run to become known. An informer
	// is behind by milliseconds, or by as long as the API server is away.
	heldFor = 2 * time.Minute

	// maxHeldBytes bounds what waits: 10,000 checks with one report of 6 KB each
	// while the API server is away.
	maxHeldBytes = 64 << 20

	// maxHeldBytesPerCheck bounds what waits of one check, so that none can fill the
	// room by naming runs that do not exist: one report of the largest body, or some
	// hundred of the usual ones.
	maxHeldBytesPerCheck = 2 << 20
)

// heldKey names a run in the words of its sender. Only the check is proven, so two
// checks that name the same run do not meet.
type heldKey struct{ runID, checkUID string }

// holding is what one unknown run has said.
type holding struct {
	reports []result.Report
	refused string // why a report of it was refused; empty if none was
	bytes   int
	since   time.Time
}

// waiting is what is held of all unknown runs.
type waiting struct {
	runs  map[heldKey]*holding
	of    map[string]int // bytes by UID of the check
	bytes int
}

func newWaiting() waiting {
	return waiting{runs: map[heldKey]*holding{}, of: map[string]int{}}
}

// add holds a report; false if there is no room.
func (w *waiting) add(r result.Report, now time.Time) bool {
	h := w.room(heldKey{r.RunID, r.CheckUID}, reportBytes(r), now)
	if h == nil {
		return false
	}
	h.reports = append(h.reports, r)
	return true
}

// refuse notes why a report of a run was refused, if there is room.
func (w *waiting) refuse(key heldKey, why string, now time.Time) {
	if h := w.room(key, len(why), now); h != nil {
		h.refused = why
	}
}

// room returns the holding of a run with so many bytes more set aside, or nil.
func (w *waiting) room(key heldKey, bytes int, now time.Time) *holding {
	const perRun = 256 // of the maps and the struct
	h, known := w.runs[key]
	if !known {
		bytes += perRun
	}
	if w.bytes+bytes > maxHeldBytes || w.of[key.checkUID]+bytes > maxHeldBytesPerCheck {
		return nil
	}
	if !known {
		h = &holding{since: now}
		w.runs[key] = h
	}
	h.bytes += bytes
	w.bytes += bytes
	w.of[key.checkUID] += bytes
	return h
}

// take removes and returns what is held of a run; nil if nothing is.
func (w *waiting) take(key heldKey) *holding {
	h, ok := w.runs[key]
	if !ok {
		return nil
	}
	delete(w.runs, key)
	w.bytes -= h.bytes
	if w.of[key.checkUID] -= h.bytes; w.of[key.checkUID] == 0 {
		delete(w.of, key.checkUID)
	}
	return h
}

// expire removes what has waited too long, and returns how many reports that were.
func (w *waiting) expire(now time.Time) int {
	reports := 0
	for key, h := range w.runs {
		if now.Sub(h.since) > heldFor {
			reports += len(w.take(key).reports)
		}
	}
	return reports
}

// reportBytes returns about how much memory a report takes.
func reportBytes(r result.Report) int {
	const perReport, perSample, perLabel = 256, 128, 32
	n := perReport
	for _, e := range r.Errors {
		n += perLabel + len(e)
	}
	for _, s := range r.Samples {
		n += perSample + len(s.Name) + len(s.Unit) + len(s.Description)
		for _, l := range s.Labels {
			n += perLabel + len(l.Name) + len(l.Value)
		}
	}
	return n
}
