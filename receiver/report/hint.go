package report

import (
	"bytes"
	"strings"
)

// hint says what is usually meant by what stands at the byte at, where JSON does
// not allow it; "" if that is anybody's guess.
func hint(raw []byte, at int) string {
	switch strings.ToLower(wordAt(raw, at)) {
	case "nan", "inf", "infinity":
		return "NaN and Infinity are not JSON: leave the metric out where there is no number"
	case "true", "false":
		return "JSON writes true and false in lower case"
	case "none", "nil", "null", "undefined":
		return "JSON writes null for nothing, in lower case"
	}
	switch b := raw[at]; {
	case b == '\'':
		return "JSON knows double quotes only"
	case b == '}' || b == ']':
		if bytes.HasSuffix(bytes.TrimSpace(raw[:at]), []byte(",")) {
			return "take the comma after the last element away"
		}
		return ""
	case b == '/' || b == '#':
		return "JSON has no comments"
	case b == '+' || b == '.':
		return "a number begins with a digit or a minus"
	case b == '$':
		return "a variable was not replaced by its value"
	case b < ' ':
		return `within a string a line break is written \n and a tab \t`
	case b == 0xEF:
		return "send the body without a byte order mark"
	case isLetter(b):
		return "names and strings are written in double quotes"
	}
	return ""
}

// wordAt returns the letters around the byte at.
func wordAt(raw []byte, at int) string {
	from, to := at, at
	for from > 0 && isLetter(raw[from-1]) {
		from--
	}
	for to < len(raw) && isLetter(raw[to]) {
		to++
	}
	return string(raw[from:to])
}

func isLetter(b byte) bool { return b|0x20 >= 'a' && b|0x20 <= 'z' }
