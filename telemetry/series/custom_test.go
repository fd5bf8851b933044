package series_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/common/expfmt"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/sonde-dev/sonde/telemetry/result"
	"github.com/sonde-dev/sonde/telemetry/series"
)

const identity = "k8s.namespace.name=shop,owner=payments,sonde.check.name=login"

func TestAdd(t *testing.T) {
	type report struct {
		src     series.Source
		samples []result.Sample
		at      time.Duration // after t0
	}
	of := func(src series.Source, samples ...result.Sample) report { return report{src, samples, 0} }
	a, b := from("a"), from("b")
	id := "{" + identity + "}"

	for name, tc := range map[string]struct {
		reports []report
		want    map[string]float64
	}{
		"three runs of 5 are 15": {
			[]report{of(a, counter("steps", 5)), of(b, counter("steps", 5)), of(from("c"), counter("steps", 5))}, map[string]float64{"steps" + id: 15},
		},
		"two attempts of a run add up": {
			[]report{of(a, counter("steps", 3)), of(series.Source{RunID: "a", Attempt: 1}, counter("steps", 5))}, map[string]float64{"steps" + id: 8},
		},
		"a retry adds nothing": {
			[]report{of(a, counter("steps", 5)), of(a, counter("steps", 5))}, map[string]float64{"steps" + id: 5},
		},
		"a larger total adds the difference, a smaller nothing": {
			[]report{of(a, counter("steps", 5)), of(a, counter("steps", 7)), of(a, counter("steps", 6))}, map[string]float64{"steps" + id: 7},
		},
		"two runs at once do not disturb each other": {
			[]report{of(a, counter("steps", 1)), of(b, counter("steps", 10)), of(a, counter("steps", 2)), of(b, counter("steps", 20))}, map[string]float64{"steps" + id: 22},
		},
		"twice in one report the larger counts": {
			[]report{of(a, counter("steps", 7), counter("steps", 5))}, map[string]float64{"steps" + id: 7},
		},
		"a sum never becomes infinite": {
			[]report{of(a, counter("steps", math.MaxFloat64)), of(b, counter("steps", math.MaxFloat64))}, map[string]float64{"steps" + id: math.MaxFloat64},
		},
		"a counter at zero is a series": {
			[]report{of(a, counter("steps", 0))}, map[string]float64{"steps" + id: 0},
		},
		"a gauge has its last value by time of receipt": {
			[]report{{a, []result.Sample{gauge("load", 2)}, time.Second}, of(b, gauge("load", 1))}, map[string]float64{"load" + id: 2},
		},
		"of two gauges at the same time the later call wins": {
			[]report{of(a, gauge("load", 2), gauge("load", 3)), of(b, gauge("load", 1))}, map[string]float64{"load" + id: 1},
		},
		"identity wins over the author, however written": {
			[]report{of(a, gauge("load", 1, labels("k8s_namespace_name", "x", "owner", "me", "sonde/check/name", "y")...))}, map[string]float64{"load" + id: 1},
		},
		"an empty label is no label": {
			[]report{of(a, counter("steps", 1, labels("x", "")...)), of(b, counter("steps", 1))}, map[string]float64{"steps" + id: 2},
		},
		"two spellings are one family and one series, the first spelling stays": {
			[]report{of(a, counter("log.in", 1, labels("a.b", "1", "z", "2")...)), of(b, counter("log_in", 1, labels("a_b", "1", "z", "2")...))},
			map[string]float64{"log.in{a.b=1," + identity + ",z=2}": 2},
		},
		"labels that only look alike are two series": {
			[]report{of(a, gauge("load", 1, labels("x", "a,y=b")...), gauge("load", 2, labels("x", "a", "y", "b")...))},
			map[string]float64{`load{` + identity + `,x=a\,y\=b}`: 1, "load{" + identity + ",x=a,y=b}": 2},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStore(series.Config{})
			s.PutCheck(login())
			for _, r := range tc.reports {
				if rejected := s.Add(login().UID, r.src, r.samples, t0.Add(r.at)); len(rejected) > 0 {
					t.Fatalf("rejected %v", rejected)
				}
			}
			if diff := cmp.Diff(tc.want, values(t, s)); diff != "" {
				t.Errorf("series (-want +got):\n%s", diff)
			}
			expose(t, s, expfmt.TypeTextPlain) // fails where a scrape would
		})
	}
}

// TestANameHasOneType adds a first and then a second sample, of which the second
// is to be rejected with the words of want; no words, not rejected.
func TestANameHasOneType(t *testing.T) {
	with := func(s result.Sample, unit string) result.Sample {
		s.Unit = unit
		return s
	}
	for name, tc := range map[string]struct {
		first, second result.Sample
		want          string
	}{
		"another kind":                         {gauge("x.y", 1), counter("x.y", 1), `counter "x.y" without unit is "x_y" to Prometheus, a name that is in use by gauge "x.y" without unit`},
		"another kind the other way":           {counter("x.y", 1), gauge("x.y", 1), `gauge "x.y" without unit is "x_y" to Prometheus, a name that is in use by counter "x.y" without unit`},
		"a gauge with a counter's suffix":      {counter("x", 1), gauge("x_total", 1), `gauge "x_total" without unit is "x_total" to Prometheus, a name that is in use by counter "x" without unit`},
		"a counter onto such a gauge":          {gauge("x_total", 1), counter("x", 1), `counter "x" without unit is "x_total" to Prometheus, a name that is in use by gauge "x_total" without unit`},
		"another unit, the same name":          {with(gauge("x", 1), "s"), gauge("x_seconds", 1), `gauge "x_seconds" without unit is "x_seconds" to Prometheus, a name that is in use by gauge "x" with unit "s"`},
		"a unit that vanishes":                 {with(counter("x", 1), "{a}"), with(counter("x", 1), "{b}"), `counter "x" with unit "{b}" is "x_total" to Prometheus, a name that is in use by counter "x" with unit "{a}"`},
		"another unit, another name":           {with(gauge("x", 1), "s"), with(gauge("x", 1), "By"), ""},
		"a counter written with its suffix":    {counter("x", 1), counter("x.total", 1), ""},
		"gauges, one of which looks a counter": {gauge("x_total", 1), gauge("x", 1), ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStore(series.Config{})
			s.PutCheck(login())
			add(t, s, from("a"), tc.first)
			var want []result.Rejection
			if tc.want != "" {
				want = []result.Rejection{{Index: 1, Reason: result.RejectedType, Detail: tc.want}}
			}
			got := s.Add(login().UID, from("b"), []result.Sample{tc.first, tc.second}, t0)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("rejections (-want +got):\n%s", diff)
			}
			expose(t, s, expfmt.TypeOpenMetrics)
		})
	}
}

func TestANameStaysOwnedWhenItsLastSeriesEnds(t *testing.T) {
	s := newStore(series.Config{})
	scrape := gather(t, s)
	for _, sample := range []result.Sample{gauge("x_total", 1), counter("x", 1)} {
		s.PutCheck(login())
		s.Add(login().UID, from("a"), []result.Sample{sample}, t0)
		if _, err := scrape.Gather(); err != nil {
			t.Fatalf("the exporter would have dropped the name: %v", err)
		}
		s.DeleteCheck(login().UID)
	}
}

func TestLimits(t *testing.T) {
	numbered := func(n int) []result.Sample {
		out := make([]result.Sample, n)
		for i := range out {
			out[i] = counter("steps", 1, labels("n", fmt.Sprint(i))...)
		}
		return out
	}
	named := func(n int) []result.Sample {
		out := make([]result.Sample, n)
		for i := range out {
			out[i] = counter(fmt.Sprint("steps", i), 1)
		}
		return out
	}
	large := func(n int) []result.Sample {
		out := numbered(n)
		for i := range out {
			out[i].Labels = append(out[i].Labels, labels("text", strings.Repeat("x", 1000))...)
		}
		return out
	}
	for name, tc := range map[string]struct {
		config  series.Config
		samples []result.Sample
		kept    int
		reason  result.Rejected
	}{
		"a check that makes 100,000 series keeps 200": {series.Config{}, numbered(100_000), 200, result.RejectedCheckLimit},
		"all checks together have a limit":            {series.Config{MaxSeries: 7}, numbered(10), 7, result.RejectedTotalLimit},
		"names have a limit":                          {series.Config{MaxNames: 3}, named(5), 3, result.RejectedTotalLimit},
		"large labels use up the room of others":      {series.Config{MaxSeries: 20}, large(15), 10, result.RejectedTotalLimit},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStore(tc.config)
			s.PutCheck(login())
			rejected := s.Add(login().UID, from("a"), tc.samples, t0)
			if _, n := s.Stats(); n != tc.kept || len(rejected) != len(tc.samples)-tc.kept {
				t.Errorf("kept %d and rejected %d of %d, want %d kept", n, len(rejected), len(tc.samples), tc.kept)
			}
			for i, r := range rejected {
				if r.Reason != tc.reason || r.Index != tc.kept+i || r.Detail == "" {
					t.Fatalf("rejection %d is %v", i, r)
				}
			}
			again := s.Add(login().UID, from("b"), tc.samples[:tc.kept], t0)
			if len(again) > 0 {
				t.Errorf("series that exist no longer go on: %v", again[0])
			}
			s.DeleteCheck(login().UID)
			s.PutCheck(login())
			if s.Add(login().UID, from("c"), tc.samples[:1], t0); len(values(t, s)) != 1 {
				t.Error("a deleted check gives no room back")
			}
		})
	}
}

func TestASampleThatIsNotTakenClaimsNoName(t *testing.T) {
	s := newStore(series.Config{})
	full := login()
	full.MaxSeries = 0
	s.PutCheck(full)
	s.Add(full.UID, from("a"), []result.Sample{gauge("x_total", 1)}, t0)
	s.PutCheck(login())
	add(t, s, from("a"), counter("x", 1))
}

func TestAnUnknownCheckMayHaveNoSeries(t *testing.T) {
	s := newStore(series.Config{})
	got := s.Add("nobody", from("a"), []result.Sample{gauge("x", 1), gauge("y", 1)}, t0)
	if len(got) != 2 || got[1].Index != 1 || got[1].Reason != result.RejectedCheckLimit || len(values(t, s)) != 0 {
		t.Errorf("Add() = %v", got)
	}
}

func TestRelabel(t *testing.T) {
	s := newStore(series.Config{})
	before := login()
	before.Labels = nil
	s.PutCheck(before)
	add(t, s, from("a"), counter("steps", 3, labels("owner", "x")...), counter("steps", 4, labels("owner", "y")...), gauge("load", 1))

	s.PutCheck(login()) // owner is payments now, and both are one series
	want := map[string]float64{"steps{" + identity + "}": 7, "load{" + identity + "}": 1}
	if diff := cmp.Diff(want, values(t, s)); diff != "" {
		t.Errorf("series (-want +got):\n%s", diff)
	}
	add(t, s, from("a"), counter("steps", 3, labels("owner", "x")...), counter("steps", 4, labels("owner", "y")...))
	if diff := cmp.Diff(want, values(t, s)); diff != "" {
		t.Errorf("a retry after relabelling (-want +got):\n%s", diff)
	}
	if _, n := s.Stats(); n != 2 {
		t.Errorf("Stats() counts %d series", n)
	}
	expose(t, s, expfmt.TypeTextPlain)
}

func TestTheEndOfARunKeepsItsSumAndForgetsItsSource(t *testing.T) {
	s := newStore(series.Config{})
	s.PutCheck(login())
	add(t, s, from("a"), counter("steps", 5))
	s.EndRun("a")
	s.EndRun("a")
	s.EndRun("never seen")
	add(t, s, from("a"), counter("steps", 5)) // the caller would not let it through
	if got := values(t, s)["steps{"+identity+"}"]; got != 10 {
		t.Errorf("sum is %v, want 10", got)
	}
}

func TestACounterStartsWhenItsSeriesWasMade(t *testing.T) {
	now := t0
	s := series.New(series.Config{}, func() time.Time { return now })
	s.PutCheck(login())
	if rejected := s.Add(login().UID, from("a"), []result.Sample{counter("steps", 5)}, t0.Add(time.Minute)); len(rejected) > 0 {
		t.Fatal(rejected)
	}
	now = t0.Add(time.Hour)
	for _, m := range produce(t, s) {
		if sum, ok := m.Data.(metricdata.Sum[float64]); ok {
			if p := sum.DataPoints[0]; !p.StartTime.Equal(t0.Add(time.Minute)) || !p.Time.Equal(now) {
				t.Errorf("point is from %v to %v", p.StartTime, p.Time)
			}
		}
	}
}

// TestAnyInterleavingGivesTheTrueTotals lets runs report growing totals, in any
// order between runs and with repetitions.
func TestAnyInterleavingGivesTheTrueTotals(t *testing.T) {
	for seed := range uint64(200) {
		random := rand.New(rand.NewPCG(seed, 1))
		s := newStore(series.Config{})
		s.PutCheck(login())
		said := make([]int, 1+random.IntN(8)) // by each run
		ended := make([]bool, len(said))
		for range 100 {
			i := random.IntN(len(said))
			switch {
			case ended[i]:
				continue
			case random.IntN(20) == 0:
				ended[i] = true
				s.EndRun(fmt.Sprint(i))
				continue
			case random.IntN(2) == 0:
				said[i] += random.IntN(1000)
			}
			add(t, s, from(fmt.Sprint(i)), counter("steps", float64(said[i])))
			add(t, s, from(fmt.Sprint(i)), counter("steps", float64(random.IntN(said[i]+1)))) // late
		}
		want := 0
		for _, n := range said {
			want += n
		}
		if got := values(t, s)["steps{"+identity+"}"]; got != float64(want) {
			t.Fatalf("seed %d: sum is %v, want %d", seed, got, want)
		}
	}
}

func TestManyGoroutinesAtOnce(t *testing.T) {
	s := newStore(series.Config{})
	s.PutCheck(login())
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for n := range 100 {
				s.Add(login().UID, from(fmt.Sprint(i)), []result.Sample{counter("steps", float64(n+1))}, t0)
				s.Record(run(result.Success, result.Reported))
				s.SetNextRun(login().UID, t0)
				other := series.Check{UID: fmt.Sprint(i), Key: result.Key{Name: fmt.Sprint(i)}, MaxSeries: 5}
				s.PutCheck(other)
				s.Add(other.UID, from("x"), []result.Sample{gauge(fmt.Sprint("g", n), 1)}, t0)
				if _, err := s.Produce(t.Context()); err != nil {
					t.Error(err)
				}
				s.DeleteCheck(other.UID)
			}
			s.EndRun(fmt.Sprint(i))
		})
	}
	all.Wait()
	if got := values(t, s)["steps{"+identity+"}"]; got != 800 {
		t.Errorf("sum is %v, want 800", got)
	}
}
