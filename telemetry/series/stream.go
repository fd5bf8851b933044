package series

import (
	"math"
	"slices"
	"time"

	"github.com/sonde-dev/sonde/telemetry/result"
)

// streamID names what counts one series on its own: a process of a run, and in it an
// instrumentation scope. Two streams of one series add up.
type streamID struct {
	run         string
	attempt     int
	place       string // result.Sample.Stream
	aside       uint64 // of canonical
	temporality result.Temporality

	// start is when a cumulative sum began, in Unix nanoseconds; else zero. It makes
	// the process that runs after another in the same container a stream of its own,
	// and also the one that runs beside it. (OpenTelemetry, metrics data model,
	// "Resets and Gaps".)
	start int64
}

func idOf(s result.Sample, a arrival) streamID {
	id := streamID{run: a.src.RunID, attempt: a.src.Attempt, place: s.Stream, aside: a.aside, temporality: s.Temporality}
	switch s.Temporality {
	case result.Cumulative:
		id.attempt, id.start = 0, nanoseconds(s.Start) // the place tells pods apart
	case result.Delta:
		id.attempt = 0
	case result.Total:
	}
	return id
}

// stream is what one of them has said so far.
type stream struct {
	streamID
	total float64
	last  int64      // cumulative: the time of total, in Unix nanoseconds
	seen  []interval // delta: what has been added, in order of time
}

// interval is the time that a delta is of, in Unix nanoseconds: after from, up to to.
type interval struct{ from, to int64 }

// maxIntervals bounds what is remembered of deltas that have not come in order. One
// that comes later than so many gaps later is taken for a repetition.
const maxIntervals = 16

// take returns by how much a sample makes the sum larger: nothing, if it was said
// before.
func (s *stream) take(sample result.Sample) float64 {
	switch s.temporality {
	case result.Cumulative:
		return s.cumulative(sample.Value, nanoseconds(sample.Time))
	case result.Delta:
		return s.delta(sample.Value, interval{nanoseconds(sample.Start), nanoseconds(sample.Time)})
	case result.Total:
		return s.runTotal(sample.Value)
	default:
		return 0
	}
}

// runTotal takes the sum of an attempt so far. One that is not larger than one before
// is a repetition, or older.
func (s *stream) runTotal(value float64) float64 {
	more := max(0, value-s.total)
	s.total += more
	return more
}

// cumulative takes the sum at a time. One that is smaller than before, though it is
// later and has the same start, was set back by somebody who did not say so.
func (s *stream) cumulative(value float64, at int64) float64 {
	if at <= s.last {
		return 0
	}
	more := value - s.total
	if more < 0 {
		more = value
	}
	s.total, s.last = value, at
	return more
}

// delta takes what was added during an interval. A sender that does not say since
// when has its points told apart by their times.
func (s *stream) delta(value float64, of interval) float64 {
	if of.from <= 0 || of.from >= of.to {
		of.from = of.to - 1
	}
	if slices.ContainsFunc(s.seen, func(i interval) bool { return i.from <= of.from && of.to <= i.to }) {
		return 0
	}
	s.total = max(-math.MaxFloat64, min(s.total+value, math.MaxFloat64))
	s.remember(of)
	return value
}

// remember adds an interval to those that were seen, and joins those that touch.
func (s *stream) remember(of interval) {
	i, _ := slices.BinarySearchFunc(s.seen, of, func(a, b interval) int { return int(min(max(a.from-b.from, -1), 1)) })
	s.seen = slices.Insert(s.seen, i, of)
	joined := s.seen[:1]
	for _, next := range s.seen[1:] {
		if last := &joined[len(joined)-1]; next.from <= last.to {
			last.to = max(last.to, next.to)
			continue
		}
		joined = append(joined, next)
	}
	if len(joined) > maxIntervals {
		joined[1].from = joined[0].from
		joined = slices.Delete(joined, 0, 1)
	}
	s.seen = joined
}

// nanoseconds returns t in Unix nanoseconds; zero for the zero time, as in OTLP.
func nanoseconds(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}
