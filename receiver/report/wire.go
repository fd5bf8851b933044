package report

import (
	"time"

	"github.com/sonde-dev/sonde/telemetry/result"
)

// wire is the JSON that a check posts. It is kept apart from result.Report so
// that the wire can stay as it is while the inside changes. Every field is
// optional, and null is the same as leaving it out.
type wire struct {
	ok       *bool         // "ok"
	errors   []string      // "errors", at most MaxErrors of them, each cut at MaxErrorBytes
	dropped  int           // how many errors more there were
	duration time.Duration // "duration": seconds, or a Go duration in a string
	metrics  []wireMetric  // "metrics"
}

// wireMetric is one of "metrics". Its name and value are required.
type wireMetric struct {
	name, kind, unit, description string
	value                         float64
	labels                        []result.Label // an object of strings, in order of the body

	unread bool     // it was not an object
	faulty []string // fields that have a fault already
}
