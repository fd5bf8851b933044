package series

import (
	"math"
	"slices"
)

const (
	// DefaultMaxSeries is 1,500 checks at the default maxSeries of 200, or 10,000
	// checks with 30 series each. At SeriesBytes it is 460 MB, and at 4.4 µs per
	// series a scrape spends 1.3 s on it, of the 10 s that Prometheus waits.
	DefaultMaxSeries = 300_000

	// DefaultMaxNames bounds the names of custom metrics ever used: they are held
	// until the process ends (see family). 20,000 names of 100 bytes, here and in
	// the exporter, are 10 MB.
	DefaultMaxNames = 20_000

	// SeriesBytes is the memory that a custom series may take on average: 0.4 KB
	// for itself, and 0.1 KB and twice its text for each of eight labels of
	// 30 bytes. MaxSeries times SeriesBytes bounds all of them together, so
	// that large labels cost their author series and not the collector its life.
	SeriesBytes = 1536
)

// Config sets the limits of a store; a zero field means its default.
type Config struct {
	MaxSeries int // custom series of all checks together
	MaxNames  int // names of custom metrics, ever

	// ClassicBuckets, if not empty, makes sonde.check.run.duration a histogram
	// with these upper bounds, in seconds, instead of an exponential one.
	ClassicBuckets []float64
}

func (c Config) withDefaults() Config {
	if c.MaxSeries == 0 {
		c.MaxSeries = DefaultMaxSeries
	}
	if c.MaxNames == 0 {
		c.MaxNames = DefaultMaxNames
	}
	c.ClassicBuckets = bounds(c.ClassicBuckets)
	return c
}

// bounds returns the finite ones of b in ascending order, each once: an exporter
// panics or misreads anything else. The slice is the caller's.
func bounds(b []float64) []float64 {
	b = slices.DeleteFunc(slices.Clone(b), func(v float64) bool { return math.IsNaN(v) || math.IsInf(v, 0) })
	slices.Sort(b)
	return slices.Compact(b)
}
