package series

import (
	"math"
	"slices"
	"time"

	"go.opentelemetry.io/otel/attribute"

	"github.com/sonde-dev/sonde/telemetry/result"
)

// series is one custom series of one check: the target of all its runs.
type series struct {
	family *family
	tenant *tenant // nil once the series has ended
	labels []label // of the author; by translated name
	set    attribute.Set
	key    string // in tenant.series
	bytes  int    // seriesBytes, as counted in custom.bytes

	made  time.Time
	at    time.Time // of a gauge: when its value was received
	value float64   // of a counter: the sum over all sources

	// sources are what the runs that are not over have said so far, of a counter.
	// They are as many as the check has live attempts, mostly one.
	sources []sourceTotal
}

type sourceTotal struct {
	Source
	total float64
}

// arrival is where a report comes from and when.
type arrival struct {
	src Source
	at  time.Time // when it was received
	now time.Time // when it is added
}

// take brings the series up to date with one sample.
func (s *series) take(value float64, a arrival) {
	if s.family.kind == result.Counter {
		s.accumulate(a.src, value)
		return
	}
	if !a.at.Before(s.at) {
		s.value, s.at = value, a.at
	}
}

// accumulate adds what is new in total, the sum that src has counted so far. A
// total that is not larger than one before is a repetition.
func (s *series) accumulate(src Source, total float64) {
	i := slices.IndexFunc(s.sources, func(t sourceTotal) bool { return t.Source == src })
	if i < 0 {
		s.sources = append(s.sources, sourceTotal{src, total})
		s.grow(total)
		return
	}
	if total > s.sources[i].total {
		s.grow(total - s.sources[i].total)
		s.sources[i].total = total
	}
}

// grow stops at the largest number, as infinity would be NaN to every rate.
func (s *series) grow(by float64) {
	s.value = min(s.value+by, math.MaxFloat64)
}

// absorb takes over other, whose labels have become the same. A source of both
// has its larger total: a later report that says both again counts the larger.
func (s *series) absorb(other *series) {
	if other.made.Before(s.made) {
		s.made = other.made
	}
	if s.family.kind != result.Counter {
		s.take(other.value, arrival{at: other.at})
		return
	}
	s.grow(other.value)
	for _, o := range other.sources {
		i := slices.IndexFunc(s.sources, func(t sourceTotal) bool { return t.Source == o.Source })
		if i < 0 {
			s.sources = append(s.sources, o)
			continue
		}
		s.sources[i].total = max(s.sources[i].total, o.total)
	}
}

// forget drops what the sources of a run have said.
func (s *series) forget(runID string) {
	s.sources = slices.DeleteFunc(s.sources, func(t sourceTotal) bool { return t.RunID == runID })
}

// seriesBytes is about how much memory a series takes: itself and its places in
// map and slice, 64 bytes for each attribute in its set and 48 for each label, and
// the text once in the labels and once in the key.
func seriesBytes(attrs, labels, key int) int {
	return 400 + 64*attrs + (64+48)*labels + 2*key
}
