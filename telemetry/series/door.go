package series

import (
	"fmt"
	"math"
	"strings"
	"unicode/utf8"

	"github.com/sonde-dev/sonde/telemetry/result"
)

// The bounds of one sample. A sample at all of them takes 6 KB of a report.
const (
	MaxNameBytes        = 255  // of OpenTelemetry's instrument names
	MaxUnitBytes        = 63   // of OpenTelemetry's units
	MaxDescriptionBytes = 1024 // OpenTelemetry asks for at least 1,023 characters
	MaxLabels           = 32   // Prometheus users set label_limit at 30 and more
	MaxLabelNameBytes   = 128  // twice the longest name of the semantic conventions
	MaxLabelValueBytes  = 1024 // a URL fits; Grafana Cloud takes 2,048
	MaxLabelsBytes      = 4096 // of all names and values of a sample
)

// Fault is one thing that is wrong with a sample.
type Fault struct {
	Field  string // "name", "kind", "unit", "description", "value", "labels" or "labels/<name>"
	Detail string // a sentence for the author
}

// CheckSample returns everything that is wrong with s; none means that s cannot
// spoil a scrape. It is pure: whether there is room for s, and whether its name
// is free, is for Store.Add to say.
func CheckSample(s result.Sample) []Fault {
	var faults []Fault
	for _, f := range []Fault{
		{"name", nameFault(s)},
		{"kind", kindFault(s.Kind)},
		{"unit", unitFault(s.Unit)},
		{"description", textFault(s.Description, MaxDescriptionBytes)},
		{"value", valueFault(s)},
	} {
		if f.Detail != "" {
			faults = append(faults, f)
		}
	}
	return append(faults, labelFaults(s.Labels)...)
}

func nameFault(s result.Sample) string {
	if len(s.Name) > MaxNameBytes {
		return fmt.Sprintf("must have at most %d bytes, not %d", MaxNameBytes, len(s.Name))
	}
	if !isInstrumentName(s.Name) {
		return fmt.Sprintf("%q must begin with a letter and consist of letters, digits and _ . - /", s.Name)
	}
	translated, err := metricName(s.Name, s.Unit, s.Kind)
	if err != nil {
		return "cannot be made a Prometheus name"
	}
	if reservedMetric(translated) {
		return fmt.Sprintf("is %q to Prometheus, which is reserved; choose another name", translated)
	}
	return ""
}

// isInstrumentName follows the instrument name syntax of OpenTelemetry's metrics
// API: ALPHA *254(ALPHA / DIGIT / "_" / "." / "-" / "/"), letters being ASCII.
func isInstrumentName(name string) bool {
	for i, r := range name {
		letter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
		later := '0' <= r && r <= '9' || strings.ContainsRune("_.-/", r)
		if !letter && (i == 0 || !later) {
			return false
		}
	}
	return name != ""
}

func kindFault(k result.Kind) string {
	if k != result.Gauge && k != result.Counter {
		return fmt.Sprintf("must be gauge or counter, not %q", result.Truncate(string(k), 32))
	}
	return ""
}

func unitFault(unit string) string {
	if len(unit) > MaxUnitBytes {
		return fmt.Sprintf("must have at most %d bytes, not %d", MaxUnitBytes, len(unit))
	}
	if strings.ContainsFunc(unit, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return fmt.Sprintf("%q must be printable ASCII without spaces", unit)
	}
	return ""
}

func valueFault(s result.Sample) string {
	switch {
	case math.IsNaN(s.Value) || math.IsInf(s.Value, 0):
		return "must be a finite number"
	case s.Kind == result.Counter && s.Value < 0:
		return "of a counter must not be negative"
	default:
		return ""
	}
}

// textFault says what is wrong with text that is exposed as it is.
func textFault(text string, limit int) string {
	switch {
	case len(text) > limit:
		return fmt.Sprintf("must have at most %d bytes, not %d", limit, len(text))
	case !utf8.ValidString(text):
		return "must be valid UTF-8"
	case strings.ContainsRune(text, 0):
		return "must not contain a NUL character"
	default:
		return ""
	}
}
