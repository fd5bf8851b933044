package report

import (
	"bytes"
	"encoding/json"
	"iter"
	"unicode/utf8"
)

// cursor walks over a document that is known to be valid JSON, and so has no
// errors to return. It never recurses: deep nesting costs no stack. Reading a
// value that is of another kind than asked for is a programmer's mistake; ask
// kind first.
type cursor struct {
	doc []byte
	at  int
}

// kind is what sort of value is next.
type kind string

const (
	kindObject kind = "an object"
	kindArray  kind = "an array"
	kindString kind = "a string"
	kindNumber kind = "a number"
	kindBool   kind = "true or false"
	kindNull   kind = "null"
)

// kind looks at the next value.
func (c *cursor) kind() kind {
	c.space()
	switch c.doc[c.at] {
	case '{':
		return kindObject
	case '[':
		return kindArray
	case '"':
		return kindString
	case 't', 'f':
		return kindBool
	case 'n':
		return kindNull
	default:
		return kindNumber
	}
}

// members steps through an object. It yields each name with the cursor before
// the value, which the caller must read or skip. A name is valid until the next.
func (c *cursor) members() iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for c.open(); !c.closed('}'); {
			name := c.text()
			c.space()
			c.at++ // the colon
			if !yield(name) {
				return
			}
		}
	}
}

// items steps through an array. It yields each index with the cursor before the
// value, which the caller must read or skip.
func (c *cursor) items() iter.Seq[int] {
	return func(yield func(int) bool) {
		c.open()
		for i := 0; !c.closed(']'); i++ {
			if !yield(i) {
				return
			}
		}
	}
}

// text reads a string. The slice may be of the document: copy it to keep it. It
// is valid UTF-8, whatever was sent.
func (c *cursor) text() []byte {
	literal := c.literal()
	inner := literal[1 : len(literal)-1]
	if bytes.IndexByte(inner, '\\') < 0 && utf8.Valid(inner) {
		return inner
	}
	var s string
	_ = json.Unmarshal(literal, &s) // valid JSON, and a string
	return []byte(s)
}

// literal steps over a string, number, true, false or null and returns it as it
// is written.
func (c *cursor) literal() []byte {
	c.space()
	start := c.at
	if c.doc[c.at] != '"' {
		for c.at < len(c.doc) && !delimits(c.doc[c.at]) {
			c.at++
		}
		return c.doc[start:c.at]
	}
	for c.at++; c.doc[c.at] != '"'; c.at++ {
		if c.doc[c.at] == '\\' {
			c.at++
		}
	}
	c.at++
	return c.doc[start:c.at]
}

// delimits says whether b ends a number, true, false or null.
func delimits(b byte) bool {
	switch b {
	case ',', ']', '}', ' ', '\t', '\r', '\n':
		return true
	}
	return false
}

// skip steps over the next value, whatever it is.
func (c *cursor) skip() {
	for depth := 0; ; {
		c.space()
		switch c.doc[c.at] {
		case '{', '[':
			depth++
			c.at++
		case '}', ']':
			depth--
			c.at++
		case ',', ':':
			c.at++
		default:
			c.literal()
		}
		if depth == 0 {
			return
		}
	}
}

// open steps into an object or array.
func (c *cursor) open() {
	c.space()
	c.at++
}

// closed steps over what separates elements, and says whether the end was there
// instead of another element.
func (c *cursor) closed(end byte) bool {
	c.space()
	if c.doc[c.at] == ',' {
		c.at++
		c.space()
	}
	if c.doc[c.at] == end {
		c.at++
		return true
	}
	return false
}

func (c *cursor) space() {
	for c.at < len(c.doc) {
		switch c.doc[c.at] {
		case ' ', '\t', '\r', '\n':
			c.at++
		default:
			return
		}
	}
}
