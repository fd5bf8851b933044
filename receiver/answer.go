package receiver

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/sonde-dev/sonde/telemetry/result"
)

// receipt is the JSON that a report is answered with when it was taken.
type receipt struct {
	Check    string      `json:"check,omitempty"` // namespace/name; left out while the run is not known
	Run      string      `json:"run"`
	Status   string      `json:"status"` // accepted, held or ignored
	Rejected []rejection `json:"rejected"`
}

// rejection is a metric that was not taken.
type rejection struct {
	Pointer string `json:"pointer"` // into the report
	Reason  string `json:"reason"`
	Detail  string `json:"detail"`
}

// answer says what became of a report: 202 if that is not known yet, else 200.
func answer(w http.ResponseWriter, runID string, r result.Receipt) {
	body := receipt{Run: runID, Status: string(r.Disposition), Rejected: []rejection{}}
	if r.Check != (result.Key{}) {
		body.Check = r.Check.String()
	}
	for _, x := range r.Rejected {
		body.Rejected = append(body.Rejected, rejection{fmt.Sprintf("/metrics/%d", x.Index), string(x.Reason), x.Detail})
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(body) // strings only: it cannot fail
	w.Header().Set("Content-Type", "application/json")
	status := http.StatusOK
	if r.Disposition == result.Held {
		status = http.StatusAccepted
	}
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // the sender is gone: the report is committed all the same
}
