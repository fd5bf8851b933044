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
	// room by naming runs that do not exist: some hundred of the usual reports. The
	// first is held however large it is.
	maxHeldBytesPerCheck = 2 << 20
)

// heldKey names a run in the words of its sender. Only the check is proven, so two
// checks that name the same run do not meet.
type heldKey struct{ runID, checkUID string }

// String returns the key's name in the snapshot. Neither part has a slash: they are
// UUIDs.
func (k heldKey) String() string { return k.runID + "/" + k.checkUID }

// holding is what one unknown run has said.
type holding struct {
	Reports []result.Report
	Refused string // why a report of it was refused; empty if none was
	Bytes   int
	Since   time.Time
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
	h.Reports = append(h.Reports, r)
	return true
}

// refuse notes why a report of a run was refused, if there is room.
func (w *waiting) refuse(key heldKey, why string, now time.Time) {
	more := len(why)
	if h, ok := w.runs[key]; ok {
		more -= len(h.Refused)
	}
	if h := w.room(key, more, now); h != nil {
		h.Refused = why
	}
}

// perRun is the bytes of the maps and the struct of one run.
const perRun = 256

// hasRoom reports whether a report could be held now.
func (w *waiting) hasRoom(r result.Report) bool {
	key := heldKey{r.RunID, r.CheckUID}
	return w.fits(key, w.cost(key, reportBytes(r)))
}

// cost returns what it takes to hold so many bytes more of a run.
func (w *waiting) cost(key heldKey, bytes int) int {
	if _, known := w.runs[key]; known {
		return bytes
	}
	return bytes + perRun
}

func (w *waiting) fits(key heldKey, bytes int) bool {
	of := w.of[key.checkUID]
	return w.bytes+bytes <= maxHeldBytes && (of == 0 || of+bytes <= maxHeldBytesPerCheck)
}

// room returns the holding of a run with so many bytes more set aside, or nil.
func (w *waiting) room(key heldKey, bytes int, now time.Time) *holding {
	bytes = w.cost(key, bytes)
	if !w.fits(key, bytes) {
		return nil
	}
	h, known := w.runs[key]
	if !known {
		h = &holding{Since: now}
		w.runs[key] = h
	}
	h.Bytes += bytes
	w.count(key, bytes)
	return h
}

func (w *waiting) count(key heldKey, bytes int) {
	w.bytes += bytes
	if w.of[key.checkUID] += bytes; w.of[key.checkUID] == 0 {
		delete(w.of, key.checkUID)
	}
}

// restore holds again what was held before.
func (w *waiting) restore(key heldKey, h *holding) {
	w.runs[key] = h
	w.count(key, h.Bytes)
}

// take removes and returns what is held of a run; nil if nothing is.
func (w *waiting) take(key heldKey) *holding {
	h, ok := w.runs[key]
	if !ok {
		return nil
	}
	delete(w.runs, key)
	w.count(key, -h.Bytes)
	return h
}

// overdue returns the runs for which reports have waited too long. While nobody
// listened, nobody could have told of the run.
func (w *waiting) overdue(now, listening time.Time) []heldKey {
	var keys []heldKey
	for key, h := range w.runs {
		if h.overdue(now, listening) {
			keys = append(keys, key)
		}
	}
	return keys
}

// expires reports whether there are any.
func (w *waiting) expires(now, listening time.Time) bool {
	for _, h := range w.runs {
		if h.overdue(now, listening) {
			return true
		}
	}
	return false
}

func (h *holding) overdue(now, listening time.Time) bool {
	since := h.Since
	if since.Before(listening) {
		since = listening
	}
	return now.Sub(since) > heldFor
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
