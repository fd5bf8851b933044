package series_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/sonde-dev/sonde/telemetry/result"
	"github.com/sonde-dev/sonde/telemetry/series"
)

// point returns a point of the sum "steps", from and to so many seconds after t0, in
// the first process of a run.
func point(kind result.Temporality, value, from, to float64) result.Sample {
	at := func(s float64) time.Time { return t0.Add(time.Duration(s * float64(time.Second))) }
	return result.Sample{
		Name: "steps", Kind: result.Counter, Value: value,
		Temporality: kind, Start: at(from), Time: at(to), Stream: "first",
	}
}

func second(s result.Sample) result.Sample {
	s.Stream = "second"
	return s
}

func falling(s result.Sample) result.Sample {
	s.Kind = result.Gauge
	return s
}

func TestStreams(t *testing.T) {
	const c, d = result.Cumulative, result.Delta
	type said struct {
		run    string
		sample result.Sample
	}
	for name, tc := range map[string]struct {
		said []said
		want float64
	}{
		"cumulative: three runs of 5": {[]said{
			{"a", point(c, 5, 0, 10)}, {"b", point(c, 5, 100, 110)}, {"c", point(c, 5, 200, 210)},
		}, 15},
		"cumulative: three runs of 5 at once": {[]said{
			{"a", point(c, 2, 0, 10)},
			{"b", point(c, 3, 1, 11)},
			{"c", point(c, 1, 2, 12)},
			{"a", point(c, 5, 0, 20)},
			{"b", point(c, 5, 1, 21)},
			{"c", point(c, 5, 2, 22)},
		}, 15},
		"cumulative: a retry": {[]said{
			{"a", point(c, 5, 0, 10)}, {"a", point(c, 5, 0, 10)},
		}, 5},
		"cumulative: out of order": {[]said{
			{"a", point(c, 5, 0, 20)}, {"a", point(c, 2, 0, 10)}, {"a", point(c, 9, 0, 30)},
		}, 9},
		"cumulative: one export was lost": {[]said{
			{"a", point(c, 1, 0, 10)}, {"a", point(c, 9, 0, 30)},
		}, 9},
		"cumulative: the container began anew": {[]said{
			{"a", point(c, 5, 0, 10)}, {"a", point(c, 2, 15, 20)}, {"a", point(c, 7, 15, 30)},
		}, 12},
		"cumulative: the last words of the old process come late": {[]said{
			{"a", point(c, 3, 0, 10)}, {"a", point(c, 2, 15, 20)}, {"a", point(c, 5, 0, 14)}, {"a", point(c, 7, 15, 30)},
		}, 12},
		"cumulative: set back without a new start": {[]said{
			{"a", point(c, 5, 0, 10)}, {"a", point(c, 2, 0, 20)}, {"a", point(c, 3, 0, 30)},
		}, 8},
		"cumulative: two processes at once in one run": {[]said{
			{"a", point(c, 5, 0, 10)}, {"a", second(point(c, 5, 0, 10))}, {"a", point(c, 6, 0, 20)}, {"a", second(point(c, 7, 0, 20))},
		}, 13},
		"delta: three runs of 5": {[]said{
			{"a", point(d, 5, 0, 10)}, {"b", point(d, 5, 100, 110)}, {"c", point(d, 5, 200, 210)},
		}, 15},
		"delta: three runs of 5 at once": {[]said{
			{"a", point(d, 2, 0, 10)},
			{"b", point(d, 3, 1, 11)},
			{"c", point(d, 1, 2, 12)},
			{"a", point(d, 3, 10, 20)},
			{"b", point(d, 2, 11, 21)},
			{"c", point(d, 4, 12, 22)},
		}, 15},
		"delta: retries, also of what has been joined": {[]said{
			{"a", point(d, 5, 0, 10)}, {"a", point(d, 5, 0, 10)}, {"a", point(d, 1, 10, 20)}, {"a", point(d, 5, 0, 10)}, {"a", point(d, 1, 10, 20)},
		}, 6},
		"delta: out of order": {[]said{
			{"a", point(d, 4, 20, 30)}, {"a", point(d, 1, 0, 10)}, {"a", point(d, 2, 10, 20)}, {"a", point(d, 4, 20, 30)},
		}, 7},
		"delta: the container began anew": {[]said{
			{"a", point(d, 5, 0, 10)}, {"a", point(d, 2, 15, 20)},
		}, 7},
		"delta: nobody said since when": {[]said{
			{"a", point(d, 5, 10, 10)}, {"a", point(d, 5, 10, 10)}, {"a", point(d, 2, 20, 20)},
		}, 7},
		"delta: the sum may fall": {[]said{
			{"a", falling(point(d, 5, 0, 10))}, {"a", falling(point(d, -2, 10, 20))}, {"a", falling(point(d, -2, 10, 20))},
		}, 3},
		"delta: the sum of the run that spoke last": {[]said{
			{"a", falling(point(d, 5, 0, 10))}, {"b", falling(point(d, 4, 10, 20))},
		}, 4},
		"cumulative: the sum may fall": {[]said{
			{"a", falling(point(c, 5, 0, 10))}, {"a", falling(point(c, 3, 0, 20))}, {"a", falling(point(c, 5, 0, 10))},
		}, 3},
		"a report and an SDK in one run": {[]said{
			{"a", counter("steps", 5)}, {"a", point(c, 2, 0, 10)}, {"a", counter("steps", 5)},
		}, 7},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStore(series.Config{})
			s.PutCheck(login())
			for _, x := range tc.said {
				if rejected := s.Add(login().UID, from(x.run), []result.Sample{x.sample}, t0.Add(time.Hour)); len(rejected) > 0 {
					t.Fatal(rejected)
				}
			}
			if got := values(t, s)["steps{"+identity+"}"]; got != tc.want {
				t.Errorf("steps = %v, want %v", got, tc.want)
			}
		})
	}
}

// TestWhatTheIdentityHidesIsCountedApart has a label that is left out because its name is
// that of the check's own.
func TestWhatTheIdentityHidesIsCountedApart(t *testing.T) {
	hidden := func(s result.Sample, owner string) result.Sample {
		s.Labels = labels("owner", owner)
		return s
	}
	for name, said := range map[string][]result.Sample{
		"cumulative, in any order": {
			hidden(point(result.Cumulative, 2, 0, 10), "a"), hidden(point(result.Cumulative, 100, 0, 10), "b"),
			hidden(point(result.Cumulative, 110, 0, 20), "b"), hidden(point(result.Cumulative, 2, 0, 20), "a"),
		},
		"totals":               {hidden(counter("steps", 2), "a"), hidden(counter("steps", 110), "b")},
		"deltas with a repeat": {hidden(point(result.Delta, 2, 0, 10), "a"), hidden(point(result.Delta, 110, 0, 10), "b"), hidden(point(result.Delta, 2, 0, 10), "a")},
	} {
		t.Run(name, func(t *testing.T) {
			for _, late := range []bool{false, true} { // the identity takes the name after the first of them
				s := newStore(series.Config{})
				c := login()
				if late {
					c.Labels = nil
				}
				s.PutCheck(c)
				for i, sample := range said {
					if rejected := s.Add(c.UID, from("a"), []result.Sample{sample}, t0.Add(time.Hour)); len(rejected) > 0 {
						t.Fatal(rejected)
					}
					if i == 1 {
						s.PutCheck(login())
					}
				}
				if got := values(t, s)["steps{"+identity+"}"]; got != 112 {
					t.Errorf("late %v: steps = %v, want 112", late, got)
				}
			}
		})
	}
}

func TestAClockThatRunsAheadDoesNotFreezeAGauge(t *testing.T) {
	s := newStore(series.Config{})
	s.PutCheck(login())
	ahead := gauge("load", 1)
	ahead.Time = t0.Add(24 * time.Hour)
	s.Add(login().UID, from("a"), []result.Sample{ahead}, t0)
	later := gauge("load", 2)
	later.Time = t0.Add(time.Minute)
	s.Add(login().UID, from("b"), []result.Sample{later}, t0.Add(time.Minute))
	if got := values(t, s)["load{"+identity+"}"]; got != 2 {
		t.Errorf("load = %v, want the later 2", got)
	}
}

func TestOneRunCannotHaveStreamsWithoutEnd(t *testing.T) {
	s := newStore(series.Config{})
	s.PutCheck(login())
	const tries = 100
	rejected := 0
	for i := range tries {
		began := float64(i)
		rejected += len(s.Add(login().UID, from("a"), []result.Sample{point(result.Cumulative, 1, began, began+0.5)}, t0))
	}
	got := values(t, s)["steps{"+identity+"}"]
	if got != series.MaxStreams || rejected != tries-series.MaxStreams {
		t.Errorf("%v were counted and %d rejected, want %d and %d", got, rejected, series.MaxStreams, tries-series.MaxStreams)
	}
	if more := s.Add(login().UID, from("b"), []result.Sample{point(result.Cumulative, 1, 0, 1)}, t0); len(more) > 0 {
		t.Errorf("another run has %v", more)
	}
}

// exporter is one process of a run: it counts, and exports what it has counted.
type exporter struct {
	run, place  string
	temporality result.Temporality
	start, last time.Time
	total, sent float64
}

func (e *exporter) export(random *rand.Rand, now time.Time) result.Sample {
	e.total += float64(random.IntN(10))
	s := result.Sample{Name: "steps", Kind: result.Counter, Temporality: e.temporality, Start: e.start, Time: now, Stream: e.place, Value: e.total}
	if e.temporality == result.Delta {
		s.Start, s.Value = e.last, e.total-e.sent
		e.sent, e.last = e.total, now
	}
	return s
}

// TestAnyOrderOfExportsGivesTheTrueTotals lets the processes of many runs export, and
// delivers each export once or more, in any order.
func TestAnyOrderOfExportsGivesTheTrueTotals(t *testing.T) {
	for seed := range uint64(300) {
		random := rand.New(rand.NewPCG(seed, 3))
		s := newStore(series.Config{})
		s.PutCheck(login())
		type export struct {
			run    string
			sample result.Sample
		}
		var exports []export
		want := 0.0
		for run := range 1 + random.IntN(5) {
			for process := range 1 + random.IntN(3) {
				began := t0.Add(time.Duration(random.IntN(1000)) * time.Second)
				e := &exporter{
					run: fmt.Sprint("run", run), place: fmt.Sprint("pod", process), start: began, last: began,
					temporality: []result.Temporality{result.Cumulative, result.Delta}[random.IntN(2)],
				}
				for now := range 1 + random.IntN(10) {
					x := export{e.run, e.export(random, began.Add(time.Duration(now+1)*time.Second))}
					for range 1 + random.IntN(3) {
						exports = append(exports, x)
					}
				}
				want += e.total
			}
		}
		random.Shuffle(len(exports), func(i, j int) { exports[i], exports[j] = exports[j], exports[i] })
		for _, x := range exports {
			s.Add(login().UID, from(x.run), []result.Sample{x.sample}, t0.Add(time.Hour))
			if random.IntN(20) == 0 {
				s = restarted(t, s)
			}
		}
		if got := values(t, s)["steps{"+identity+"}"]; got != want {
			t.Fatalf("seed %d: steps = %v, want %v", seed, got, want)
		}
	}
}
