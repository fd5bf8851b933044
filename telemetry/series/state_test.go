package series_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/common/expfmt"

	"github.com/sonde-dev/sonde/telemetry/result"
	"github.com/sonde-dev/sonde/telemetry/series"
)

// restarted returns a store that was made of what s says of the check login.
func restarted(t *testing.T, s *series.Store) *series.Store {
	t.Helper()
	return restartedAs(t, s, series.Config{})
}

func restartedAs(t *testing.T, s *series.Store, c series.Config) *series.Store {
	t.Helper()
	state, ok := s.State(login().UID)
	if !ok {
		t.Fatal("the check is not known")
	}
	again := newStore(c)
	again.PutCheck(login())
	if lost := again.Restore(login().UID, state); lost > 0 {
		t.Fatalf("%d series were lost", lost)
	}
	again.RestoreFleet(s.Fleet())
	return again
}

// lines returns the lines of text in order, as the exporter does not order the labels
// of an exemplar.
func lines(text string) []string { return slices.Sorted(strings.Lines(text)) }

// full returns a store with something of everything.
func full(t *testing.T, c series.Config) *series.Store {
	t.Helper()
	s := newStore(c)
	s.PutCheck(login())
	s.Record(run(result.Failure, result.Reported))
	s.Record(run(result.Success, result.Reported))
	s.Record(run(result.Missed, result.NotScheduled))
	s.Record(run(result.Error, result.CollectorDown))
	add(t, s, from("a"), counter("steps", 5), counter("steps", 2, labels("page", "home")...), gauge("load", 0.5))
	add(t, s, from("a"), point(result.Cumulative, 7, 0, 10), point(result.Delta, 1, 0, 10), point(result.Delta, 1, 20, 30))
	described := gauge("queue.length", 3)
	described.Unit, described.Description = "{job}", "Jobs that wait."
	add(t, s, from("a"), described)
	return s
}

func TestAStateIsAllThereIs(t *testing.T) {
	for name, c := range map[string]series.Config{
		"exponential": {},
		"classic":     {ClassicBuckets: []float64{1, 5, 10}},
	} {
		t.Run(name, func(t *testing.T) {
			s := full(t, c)
			again := restartedAs(t, s, c)
			if diff := cmp.Diff(lines(expose(t, s, expfmt.TypeProtoText)), lines(expose(t, again, expfmt.TypeProtoText))); diff != "" {
				t.Errorf("exposition (-before +after):\n%s", diff)
			}
			// What is said again is known.
			add(t, again, from("a"), counter("steps", 5), point(result.Cumulative, 7, 0, 10), point(result.Delta, 1, 20, 30))
			if diff := cmp.Diff(values(t, s), values(t, again)); diff != "" {
				t.Errorf("after a repetition (-before +after):\n%s", diff)
			}
			again.EndRun("a") // its streams are known to be the run's
			add(t, again, from("a"), counter("steps", 5))
			if got, was := values(t, again)["steps{"+identity+"}"], values(t, s)["steps{"+identity+"}"]; got != was+5 {
				t.Errorf("after the end of the run steps = %v, want %v", got, was+5)
			}
		})
	}
}

func TestARestoredGaugeIsAsOldAsItWas(t *testing.T) {
	s := full(t, series.Config{})
	again := restarted(t, s)
	again.Add(login().UID, from("z"), []result.Sample{gauge("load", 9)}, t0.Add(-time.Second))
	if got := values(t, again)["load{"+identity+"}"]; got != 0.5 {
		t.Errorf("load = %v, which is older than 0.5", got)
	}
}

func TestOtherBucketsBeginAnew(t *testing.T) {
	s := full(t, series.Config{ClassicBuckets: []float64{1, 5, 10}})
	again := restartedAs(t, s, series.Config{ClassicBuckets: []float64{2, 4}})
	again.Record(run(result.Success, result.Reported))
	expose(t, again, expfmt.TypeTextPlain) // panics where bounds and counts differ
}

func TestASeriesWhoseNameIsTakenIsLost(t *testing.T) {
	state, _ := full(t, series.Config{}).State(login().UID)
	s := newStore(series.Config{})
	other := series.Check{UID: "other", Key: result.Key{Namespace: "shop", Name: "other"}, MaxSeries: 5}
	s.PutCheck(other)
	s.Add(other.UID, from("x"), []result.Sample{gauge("steps.total", 1)}, t0)
	s.PutCheck(login())
	if lost := s.Restore(login().UID, state); lost != 2 {
		t.Errorf("%d series are lost, want the two of steps", lost)
	}
	expose(t, s, expfmt.TypeTextPlain)
}
