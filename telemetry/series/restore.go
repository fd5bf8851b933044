package series

import (
	"slices"

	"github.com/sonde-dev/sonde/telemetry/result"
)

// Restore gives a check that was just put what was counted for it before. Limits are
// not asked: what was counted stays. It returns how many series could not be restored,
// because their name is another metric's now.
func (s *Store) Restore(uid string, state CheckState) (lost int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := s.board.byUID[uid]
	if !ok {
		return 0
	}
	c.restore(state)
	for _, f := range state.Families {
		lost += s.custom.restore(c.tenant, f)
	}
	return lost
}

// RestoreFleet sets the runs of all checks.
func (s *Store) RestoreFleet(state FleetState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fleet.start = state.Start
	for _, r := range state.Runs {
		s.fleet.at(r.Outcome).count = r.Count
	}
}

func (c *check) restore(state CheckState) {
	for _, t := range state.Runs {
		for i := range c.runs {
			if mine := &c.runs[i]; mine.result == t.Result {
				mine.count, mine.trace, mine.at = t.Count, t.Trace, t.At
			}
		}
	}
	l := state.Latest
	c.verdict, c.failures = l.Outcome, l.Failures
	c.duration, c.delay = readingOf(l.Duration), readingOf(l.Delay)
	c.lastRun, c.lastSuccess = l.LastRun, l.LastSuccess
	c.setStatus()
	c.restoreDurations(state)
}

// restoreDurations leaves a histogram empty whose buckets are others now.
func (c *check) restoreDurations(state CheckState) {
	switch h := c.durations.(type) {
	case *exponential:
		if was := state.Exponential; was != nil && was.Scale == exponentialScale {
			*h = exponential{count: was.Count, sum: was.Sum, zero: was.Zero, offset: was.Offset, counts: was.Counts}
		}
	case *classic:
		if was := state.Classic; was != nil && slices.Equal(was.Bounds, h.bounds) && len(was.Counts) == len(h.counts) {
			h.counts, h.count, h.sum = was.Counts, was.Count, was.Sum
		}
	}
}

func readingOf(seconds *float64) reading {
	if seconds == nil {
		return reading{}
	}
	return reading{seconds: *seconds, known: true}
}

// restore makes the series of one family of a check again.
func (c *custom) restore(t *tenant, state FamilyState) (lost int) {
	sample := result.Sample{Name: state.Name, Kind: state.Kind, Unit: state.Unit, Description: state.Description}
	for _, was := range state.Series {
		sample.Labels = was.Labels
		f, known, no := c.find(t, sample)
		if no != nil || known != nil {
			lost++
			continue
		}
		made := c.make(t, f, was.Made)
		made.at, made.value = was.At, was.Value
		for _, st := range was.Streams {
			made.streams = append(made.streams, st.stream())
			c.follow(t, st.Run)
		}
	}
	return lost
}

func (s StreamState) stream() stream {
	out := stream{
		streamID: streamID{run: s.Run, attempt: s.Attempt, place: s.Place, aside: s.Aside, temporality: s.Temporality, start: s.Start},
		total:    s.Total, last: s.Last,
	}
	for _, i := range s.Seen {
		out.seen = append(out.seen, interval{i[0], i[1]})
	}
	return out
}
