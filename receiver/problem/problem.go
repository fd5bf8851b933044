// Package problem is how the HTTP edge says no: RFC 9457 problem details, of a
// closed set of kinds. It knows no protocol of checks and decides nothing.
package problem

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
)

// ContentType is the media type of Details.
const ContentType = "application/problem+json"

// Details is the body of a refusal.
type Details struct {
	Kind Kind

	// Detail says what is wrong with this request and what to do. It is for a
	// person, one sentence or two, and never holds a credential.
	Detail string

	// Faults are what is wrong where in the body; nil for most kinds.
	Faults []Fault

	// RetryAfter is when asking again may help, in seconds; zero: not said.
	RetryAfter int
}

// Fault is one thing that is wrong with a body.
type Fault struct {
	// Pointer is where, a JSON pointer (RFC 6901) into the body; "" is all of it.
	Pointer string `json:"pointer"`

	// Detail says what, and what would be right.
	Detail string `json:"detail"`
}

// Summary returns the title, the detail and the first fault, in one line.
func (d Details) Summary() string {
	var b strings.Builder
	b.WriteString(d.Kind.Title())
	if d.Detail != "" {
		b.WriteString(": " + d.Detail)
	}
	if len(d.Faults) > 0 {
		b.WriteString(": " + d.Faults[0].Pointer + " " + d.Faults[0].Detail)
	}
	return b.String()
}

// Write answers with d. It is the only writer of refusals.
func Write(w http.ResponseWriter, d Details) {
	var body bytes.Buffer
	enc := json.NewEncoder(&body)
	enc.SetEscapeHTML(false) // people read it in a terminal
	_ = enc.Encode(struct {  // strings and an int: it cannot fail
		Type   string  `json:"type"`
		Title  string  `json:"title"`
		Status int     `json:"status"`
		Detail string  `json:"detail,omitempty"`
		Errors []Fault `json:"errors,omitempty"`
	}{d.Kind.Type(), d.Kind.Title(), d.Kind.Status(), d.Detail, d.Faults})

	h := w.Header()
	h.Set("Content-Type", ContentType)
	h.Set("Content-Length", strconv.Itoa(body.Len()))
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	if d.RetryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(d.RetryAfter))
	}
	w.WriteHeader(d.Kind.Status())
	_, _ = w.Write(body.Bytes()) // the sender is gone: nobody is left to tell
}
