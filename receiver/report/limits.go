package report

import "time"

// The bounds of one report. What is beyond them is refused with a sentence,
// save where it says that it is cut.
const (
	// MaxMetrics bounds the metrics. A check keeps 200 series unless it is given
	// more; ten times that is a mistake in a label and not a check.
	MaxMetrics = 2000

	// MaxErrors is how many errors are kept; a note says how many were left out.
	MaxErrors = 64

	// MaxErrorBytes is where an error is cut: that of a verdict's message, which
	// is made of them.
	MaxErrorBytes = 4096

	// MaxDuration bounds what a check may say it took. No schedule has a timeout
	// near it, and it fits into an int64 of nanoseconds 290 times.
	MaxDuration = 366 * 24 * time.Hour

	// MaxFaults is how many faults are told; the rest are counted. A person mends
	// the first ones and sends again.
	MaxFaults = 100

	// maxQuotedBytes is where something of the sender's is cut when it is quoted
	// in a fault: enough to find it, and 100 faults stay below 64 KiB.
	maxQuotedBytes = 64
)
