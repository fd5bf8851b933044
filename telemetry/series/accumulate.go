package series

import (
	"fmt"
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

	made  time.Time // when the first sample of it was received
	at    time.Time // of a gauge: when it had its value
	value float64   // of a counter: the sum over all streams

	// streams are what the runs that may still report have said so far. They are as
	// many as the check has live attempts, mostly one.
	streams []stream
}

// MaxStreams bounds the places in which one run may count one series: a process for
// each step of a long script, and its retries. At 400 bytes each, with all its
// intervals, 200 series have 2.6 MB of a run.
const MaxStreams = 32

// arrival is where a sample comes from and when it was received.
type arrival struct {
	src   Source
	at    time.Time
	aside uint64 // of canonical
}

// take brings the series up to date with one sample; it returns why it does not.
func (s *series) take(sample result.Sample, a arrival) *refusal {
	if s.family.kind == result.Counter {
		st, no := s.stream(idOf(sample, a))
		if no == nil {
			s.grow(st.take(sample))
		}
		return no
	}
	value := sample.Value
	if sample.Temporality == result.Delta { // of a sum that may fall
		st, no := s.stream(idOf(sample, a))
		if no != nil {
			return no
		}
		st.take(sample)
		value = st.total
	}
	if at := a.moment(sample); !at.Before(s.at) {
		s.value, s.at = value, at
	}
	return nil
}

// moment returns when a gauge had its value. A pod's clock that runs ahead must not
// make its value the last one for ever.
func (a arrival) moment(sample result.Sample) time.Time {
	if sample.Time.IsZero() || sample.Time.After(a.at) {
		return a.at
	}
	return sample.Time
}

// stream returns what is known of the stream id, which may be nothing yet.
func (s *series) stream(id streamID) (*stream, *refusal) {
	i := slices.IndexFunc(s.streams, func(t stream) bool { return t.streamID == id })
	if i >= 0 {
		return &s.streams[i], nil
	}
	ofRun := 0
	for _, t := range s.streams {
		if t.run == id.run {
			ofRun++
		}
	}
	if ofRun >= MaxStreams {
		return nil, &refusal{result.RejectedStreams, fmt.Sprintf("the run counts this series in %d places already: processes, instrumentation scopes or starts", MaxStreams)}
	}
	s.streams = append(s.streams, stream{streamID: id})
	return &s.streams[len(s.streams)-1], nil
}

// grow stops at the largest number, as infinity would be NaN to every rate.
func (s *series) grow(by float64) {
	s.value = min(s.value+by, math.MaxFloat64)
}

// yield gives up the labels whose names the identity has taken now. Its streams stay
// apart from those of series that differ only there.
func (s *series) yield(taken map[string]bool) {
	s.labels = slices.DeleteFunc(s.labels, func(l label) bool {
		if taken[l.translated] {
			for i := range s.streams {
				s.streams[i].aside ^= hashLabel(l.translated, l.value)
			}
		}
		return taken[l.translated]
	})
}

// absorb takes over other, whose labels have become the same. A stream of both has
// its larger total: a later report that says both again counts the larger.
func (s *series) absorb(other *series) {
	if other.made.Before(s.made) {
		s.made = other.made
	}
	if s.family.kind == result.Counter {
		s.grow(other.value)
	} else if !other.at.Before(s.at) {
		s.value, s.at = other.value, other.at
	}
	for _, o := range other.streams {
		i := slices.IndexFunc(s.streams, func(t stream) bool { return t.streamID == o.streamID })
		if i < 0 {
			s.streams = append(s.streams, o)
			continue
		}
		s.streams[i].total = max(s.streams[i].total, o.total)
	}
}

// forget drops what the streams of a run have said.
func (s *series) forget(runID string) {
	s.streams = slices.DeleteFunc(s.streams, func(t stream) bool { return t.run == runID })
}

// seriesBytes is about how much memory a series takes: itself and its places in
// map and slice, 64 bytes for each attribute in its set and 48 for each label, and
// the text once in the labels and once in the key.
func seriesBytes(attrs, labels, key int) int {
	return 400 + 64*attrs + (64+48)*labels + 2*key
}
