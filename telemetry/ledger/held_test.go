package ledger

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/sonde-dev/sonde/telemetry/result"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// heldReport is a report of about so many bytes.
func heldReport(run, check string, bytes int) result.Report {
	return result.Report{RunID: run, CheckUID: check, Errors: []string{strings.Repeat("x", bytes)}}
}

func TestOneCheckCannotFillTheRoom(t *testing.T) {
	w := newWaiting()
	taken := 0
	for w.add(heldReport(fmt.Sprint("run-", taken), "greedy", 10_000), noon) {
		taken++
	}
	if taken < 100 || taken > maxHeldBytesPerCheck/10_000 {
		t.Errorf("%d reports of 10 KB were held of one check", taken)
	}
	if !w.add(heldReport("run", "modest", 10_000), noon) {
		t.Error("there is no room left for another check")
	}
}

func TestTheRoomIsBounded(t *testing.T) {
	w := newWaiting()
	for i := range 10_000 {
		w.add(heldReport("run", fmt.Sprint("check-", i), 20_000), noon)
	}
	if w.bytes > maxHeldBytes || w.bytes < maxHeldBytes-30_000 {
		t.Errorf("%d bytes are held, want just under %d", w.bytes, maxHeldBytes)
	}
}

func TestWhatExpiresMakesRoom(t *testing.T) {
	w := newWaiting()
	w.add(heldReport("early", "a", 100), noon)
	w.add(heldReport("early", "a", 100), noon)
	w.add(heldReport("late", "a", 100), noon.Add(time.Minute))
	w.refuse(heldKey{"early", "b"}, "malformed", noon)
	if w.expires(noon.Add(heldFor), noon) {
		t.Error("reports expire at their last moment")
	}
	reports := 0
	for _, key := range w.overdue(noon.Add(heldFor+1), noon) {
		reports += len(w.take(key).Reports)
	}
	if reports != 2 {
		t.Errorf("%d reports expired, want the two early ones", reports)
	}
	if h := w.take(heldKey{"late", "a"}); h == nil || len(h.Reports) != 1 {
		t.Errorf("the late one is %+v", h)
	}
	if w.bytes != 0 || len(w.of) != 0 || len(w.runs) != 0 {
		t.Errorf("left over: %d bytes, of checks %v, runs %v", w.bytes, w.of, w.runs)
	}
}

func TestTwoChecksThatNameOneRunDoNotMeet(t *testing.T) {
	w := newWaiting()
	w.add(heldReport("run", "thief", 100), noon)
	w.add(heldReport("run", "owner", 100), noon)
	h := w.take(heldKey{"run", "owner"})
	if h == nil || len(h.Reports) != 1 || h.Reports[0].CheckUID != "owner" {
		t.Errorf("the owner's run has %+v", h)
	}
}
