package series

import (
	"slices"
	"time"

	"github.com/sonde-dev/sonde/telemetry/result"
)

// CheckState is what a Store has counted for one check, in a form that can be
// written down. What PutCheck says of the check is not in it.
type CheckState struct {
	Runs        []TallyState
	Exponential *ExponentialState `cbor:",omitempty"` // this or the next
	Classic     *ClassicState     `cbor:",omitempty"`
	Latest      LatestState
	Families    []FamilyState
}

// TallyState is the runs with one result.
type TallyState struct {
	Result result.Result
	Count  int64
	Trace  []byte
	At     time.Time
}

// ExponentialState is a histogram of seconds with base-2 exponential buckets.
type ExponentialState struct {
	Scale       int
	Count, Zero uint64
	Sum         float64
	Offset      int
	Counts      []uint64
}

// ClassicState is a histogram of seconds with these upper bounds.
type ClassicState struct {
	Bounds []float64
	Counts []uint64
	Count  uint64
	Sum    float64
}

// LatestState is what the gauges of a check say; a nil time in seconds is not known.
type LatestState struct {
	Outcome              result.Outcome
	Failures             int
	Duration, Delay      *float64
	LastRun, LastSuccess time.Time
}

// FamilyState is the series of a check in one custom metric.
type FamilyState struct {
	Name        string
	Kind        result.Kind
	Unit        string
	Description string
	Series      []PointState
}

// PointState is one custom series.
type PointState struct {
	Labels   []result.Label
	Made, At time.Time
	Value    float64
	Streams  []StreamState
}

// StreamState is what one stream has said so far. Start, Last and Seen are in Unix
// nanoseconds.
type StreamState struct {
	Run         string
	Attempt     int
	Place       string
	Aside       uint64
	Temporality result.Temporality
	Start       int64
	Total       float64
	Last        int64
	Seen        [][2]int64
}

// FleetState is the runs of all checks.
type FleetState struct {
	Start time.Time
	Runs  []OutcomeCount
}

// OutcomeCount is the runs with one outcome.
type OutcomeCount struct {
	result.Outcome
	Count int64
}

// State returns what was counted for a check; false if it is not known. The state is
// the caller's.
func (s *Store) State(uid string) (CheckState, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := s.board.byUID[uid]
	if !ok {
		return CheckState{}, false
	}
	state := c.state()
	state.Families = c.tenant.state()
	return state, true
}

// Fleet returns the runs of all checks.
func (s *Store) Fleet() FleetState {
	s.mu.Lock()
	defer s.mu.Unlock()
	state := FleetState{Start: s.fleet.start}
	for _, r := range s.fleet.runs {
		state.Runs = append(state.Runs, OutcomeCount{Outcome: r.outcome, Count: r.count})
	}
	return state
}

func (c *check) state() CheckState {
	out := CheckState{Latest: LatestState{
		Outcome: c.verdict, Failures: c.failures,
		Duration: c.duration.state(), Delay: c.delay.state(),
		LastRun: c.lastRun, LastSuccess: c.lastSuccess,
	}}
	for _, t := range c.runs {
		out.Runs = append(out.Runs, TallyState{Result: t.result, Count: t.count, Trace: t.trace, At: t.at})
	}
	switch h := c.durations.(type) {
	case *exponential:
		out.Exponential = &ExponentialState{
			Scale: exponentialScale, Count: h.count, Zero: h.zero, Sum: h.sum, Offset: h.offset, Counts: slices.Clone(h.counts),
		}
	case *classic:
		out.Classic = &ClassicState{Bounds: h.bounds, Counts: slices.Clone(h.counts), Count: h.count, Sum: h.sum}
	}
	return out
}

func (r reading) state() *float64 {
	if !r.known {
		return nil
	}
	return &r.seconds
}

// state returns the series of a check, by family.
func (t *tenant) state() []FamilyState {
	byFamily := map[*family]int{}
	var out []FamilyState
	for _, s := range t.sorted() {
		i, ok := byFamily[s.family]
		if !ok {
			i = len(out)
			byFamily[s.family] = i
			f := s.family
			out = append(out, FamilyState{Name: f.name, Kind: f.kind, Unit: f.unit, Description: f.description})
		}
		out[i].Series = append(out[i].Series, s.state())
	}
	return out
}

func (s *series) state() PointState {
	out := PointState{Made: s.made, At: s.at, Value: s.value}
	for _, l := range s.labels {
		out.Labels = append(out.Labels, result.Label{Name: l.name, Value: l.value})
	}
	for _, st := range s.streams {
		state := StreamState{
			Run: st.run, Attempt: st.attempt, Place: st.place, Aside: st.aside, Temporality: st.temporality,
			Start: st.start, Total: st.total, Last: st.last,
		}
		for _, i := range st.seen {
			state.Seen = append(state.Seen, [2]int64{i.from, i.to})
		}
		out.Streams = append(out.Streams, state)
	}
	return out
}
