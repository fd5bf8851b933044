package problem_test

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sonde-dev/sonde/receiver/problem"
)

// TestKinds holds the promised set still.
func TestKinds(t *testing.T) {
	const want = `
/problems/missing-credential 401 Missing credential
/problems/malformed-credential 401 Malformed credential
/problems/unknown-key 401 Unknown key
/problems/bad-signature 401 Bad signature
/problems/unsupported-media-type 415 Unsupported media type
/problems/unsupported-encoding 415 Unsupported encoding
/problems/body-too-large 413 Body too large
/problems/malformed-encoding 400 Malformed encoding
/problems/incomplete-body 400 Incomplete body
/problems/slow-body 408 Slow body
/problems/malformed-json 400 Malformed JSON
/problems/malformed-otlp 400 Malformed OTLP
/problems/invalid-report 422 Invalid report
/problems/foreign-run 403 Foreign run
/problems/run-over 410 Run over
/problems/too-many-at-once 429 Too many at once
/problems/overloaded 503 Overloaded
/problems/no-room 503 No room
/problems/unavailable 503 Unavailable
/problems/not-found 404 Not found
/problems/method-not-allowed 405 Method not allowed
/problems/internal-error 500 Internal error
/problems/not-live 503 Not live
/problems/not-ready 503 Not ready
`
	var got strings.Builder
	got.WriteString("\n")
	for _, k := range problem.Kinds() {
		fmt.Fprintf(&got, "%s %d %s\n", k.Type(), k.Status(), k.Title())
	}
	if diff := cmp.Diff(want, got.String()); diff != "" {
		t.Errorf("kinds (-want +got):\n%s", diff)
	}
}

func TestWrite(t *testing.T) {
	w := httptest.NewRecorder()
	problem.Write(w, problem.Details{
		Kind: problem.InvalidReport, Detail: "a <b> & c", RetryAfter: 5,
		Faults: []problem.Fault{{Pointer: "", Detail: "is wrong"}},
	})
	const want = `{"type":"/problems/invalid-report","title":"Invalid report","status":422,"detail":"a <b> & c","errors":[{"pointer":"","detail":"is wrong"}]}` + "\n"
	if diff := cmp.Diff(want, w.Body.String()); diff != "" {
		t.Errorf("body (-want +got):\n%s", diff)
	}
	if h := w.Header(); w.Code != 422 || h.Get("Content-Type") != "application/problem+json" || h.Get("Retry-After") != "5" || h.Get("Cache-Control") != "no-store" {
		t.Errorf("answer = %d %v", w.Code, h)
	}
}

func TestSummaryIsOneLine(t *testing.T) {
	d := problem.Details{Kind: problem.NoRoom, Detail: "later", Faults: []problem.Fault{{Pointer: "/a", Detail: "is wrong"}, {Pointer: "/b", Detail: "too"}}}
	if got, want := d.Summary(), "No room: later: /a is wrong"; got != want {
		t.Errorf("Summary() = %q, want %q", got, want)
	}
}
