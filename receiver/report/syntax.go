package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// SyntaxError says where a body stops being JSON, and what the usual mistake
// there is.
type SyntaxError struct {
	Line   int // from 1
	Column int // from 1, in bytes
	Offset int // from 0, in bytes
	What   string
	Hint   string // a sentence; may be empty
}

// Error returns place, fault and hint in one line. It quotes one character of
// the body at most.
func (e *SyntaxError) Error() string {
	s := fmt.Sprintf("line %d, column %d (byte %d): %s", e.Line, e.Column, e.Offset, e.What)
	if e.Hint != "" {
		s += "; " + e.Hint
	}
	return s
}

// checkSyntax returns a *SyntaxError unless raw is exactly one JSON value. It
// keeps no more of it than how deep it is in, and encoding/json ends that at
// 10,000.
func checkSyntax(raw []byte) error {
	if json.Valid(raw) {
		return nil
	}
	if len(bytes.TrimSpace(raw)) == 0 {
		return &SyntaxError{Line: 1, Column: 1, What: "the body is empty", Hint: `the smallest report is {"ok": true}`}
	}
	var all json.RawMessage
	ended := append(bytes.Clone(raw), endMark) // so that the end is a fault at a place of its own
	e, ok := errors.AsType[*json.SyntaxError](json.Unmarshal(ended, &all))
	if !ok {
		return place(raw, 0, "is not JSON", "")
	}
	at := int(e.Offset) - 1
	switch {
	case at >= len(raw):
		return place(raw, len(raw), "the document ends too early", "")
	case strings.Contains(e.Error(), "max depth"):
		return place(raw, at, "is nested too deeply", "")
	case json.Valid(raw[:at]):
		return place(raw, at, "there is something after the end of the report", "send one report in each request")
	}
	char, _ := utf8.DecodeRune(raw[at:])
	return place(raw, at, fmt.Sprintf("%q is not expected here", char), hint(raw, at))
}

// endMark may stand nowhere in JSON, not even in a string.
const endMark = 0x01

// place returns a SyntaxError at the byte at.
func place(raw []byte, at int, what, hint string) *SyntaxError {
	before := raw[:at]
	return &SyntaxError{
		Line:   bytes.Count(before, []byte("\n")) + 1,
		Column: at - bytes.LastIndexByte(before, '\n'),
		Offset: at,
		What:   what,
		Hint:   hint,
	}
}
