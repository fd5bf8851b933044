package series_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	"github.com/prometheus/common/expfmt"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"

	"github.com/sonde-dev/sonde/telemetry/result"
	"github.com/sonde-dev/sonde/telemetry/series"
)

// TestExposition compares whole scrapes with testdata. They are what a user sees.
func TestExposition(t *testing.T) {
	lived := func(c series.Config) *series.Store {
		s := newStore(c)
		s.PutCheck(login())
		s.PutCheck(series.Check{UID: "uid-dns", Key: result.Key{Namespace: "net", Name: "dns"}})
		s.SetNextRun(login().UID, t0.Add(5*time.Minute))
		s.Record(run(result.Success, result.Reported))
		s.Record(run(result.Failure, result.ExitCode))
		s.Add(login().UID, from("a"), []result.Sample{
			counter("login.steps", 5, result.Label{Name: "http.method", Value: "GET"}),
			{Name: "page.load", Kind: result.Gauge, Unit: "s", Value: 0.25, Description: "Time to the first paint."},
		}, t0)
		return s
	}
	first := newStore(series.Config{})
	first.PutCheck(login())
	for name, tc := range map[string]struct {
		store  *series.Store
		format expfmt.FormatType
	}{
		"first_sight.txt": {first, expfmt.TypeTextPlain},
		"lived.txt":       {lived(series.Config{}), expfmt.TypeTextPlain},
		"openmetrics.txt": {lived(series.Config{}), expfmt.TypeOpenMetrics},
		"classic.txt":     {lived(series.Config{ClassicBuckets: []float64{10, 1, 10, 5}}), expfmt.TypeTextPlain},
	} {
		t.Run(name, func(t *testing.T) {
			const trace, span = `trace_id="0af7651916cd43dd8448eb211c80319c"`, `span_id="8448eb211c80319c"`
			text := expose(t, tc.store, tc.format) // the exporter writes an exemplar's labels in any order
			golden(t, name, strings.ReplaceAll(text, span+","+trace, trace+","+span))
		})
	}
}

func TestOwnMetricsAreCleanToPromlint(t *testing.T) {
	for name, buckets := range map[string][]float64{"exponential": nil, "classic": {1, 5}} {
		t.Run(name, func(t *testing.T) {
			s := newStore(series.Config{ClassicBuckets: buckets})
			s.PutCheck(login())
			s.SetNextRun(login().UID, t0)
			s.Record(run(result.Success, result.Reported))
			problems, err := promlint.New(strings.NewReader(expose(t, s, expfmt.TypeTextPlain))).Lint()
			if err != nil || len(problems) > 0 {
				t.Errorf("lint: %v, %v", problems, err)
			}
		})
	}
}

func TestACheckHasAtMost20OwnSeries(t *testing.T) {
	s := newStore(series.Config{})
	before := strings.Count(samples(expose(t, s, expfmt.TypeTextPlain)), "\n")
	s.PutCheck(login())
	s.SetNextRun(login().UID, t0)
	for _, o := range result.Outcomes() {
		s.Record(run(o.Result, o.Reason))
	}
	if got := strings.Count(samples(expose(t, s, expfmt.TypeTextPlain)), "\n") - before; got > 20 {
		t.Errorf("a check has %d own series", got)
	}
}

// samples returns the lines of a scrape that are not comments.
func samples(text string) string {
	var kept strings.Builder
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "#") {
			kept.WriteString(line)
		}
	}
	return kept.String()
}

// TestRecord looks at what the second of two runs changes: lines of a scrape that
// must be there, and after "!" beginnings of lines that must not.
func TestRecord(t *testing.T) {
	const id = `{k8s_namespace_name="shop",owner="payments",sonde_check_name="login"`
	runs := func(result string) string {
		return `sonde_check_runs_total{k8s_namespace_name="shop",owner="payments",result="` + result + `",sonde_check_name="login"} 1`
	}
	notStarted := run(result.Error, result.ImagePull)
	notStarted.Started, notStarted.Duration = time.Time{}, 0
	early := run(result.Success, result.Reported)
	early.Started = t0.Add(-time.Second)
	stranger := run(result.Failure, result.Reported)
	stranger.CheckUID = "nobody"
	missed := result.Run{CheckUID: login().UID, Scheduled: t0, Decided: t0.Add(time.Hour), Verdict: result.Verdict{Result: result.Missed, Reason: result.NotScheduled}}

	for name, tc := range map[string]struct {
		run  result.Run
		want []string
	}{
		"a success resets the failures": {run(result.Success, result.Reported), []string{
			`sonde_check_ok` + id + `} 1`, `sonde_check_consecutive_failures` + id + `} 0`, runs("success"),
		}},
		"a failure is counted on top": {run(result.Failure, result.ExitCode), []string{
			`sonde_check_ok` + id + `} 0`, `sonde_check_consecutive_failures` + id + `} 2`,
			`sonde_check_status{k8s_namespace_name="shop",owner="payments",reason="ExitCode",result="failure",sonde_check_name="login"} 1`,
			`!sonde_check_last_success_timestamp_seconds`, `sonde_check_run_duration_seconds_count` + id + `} 2`,
		}},
		"a run that the collector slept through is only counted": {run(result.Error, result.CollectorDown), []string{
			runs("error"), `sonde_runs_total{reason="CollectorDown",result="error"} 1`,
			`sonde_check_consecutive_failures` + id + `} 1`, `sonde_check_run_duration_seconds_count` + id + `} 1`,
			`sonde_check_status{k8s_namespace_name="shop",owner="payments",reason="Reported",result="failure",sonde_check_name="login"} 1`,
		}},
		"a missed run is bad, and measures nothing": {missed, []string{
			`sonde_check_ok` + id + `} 0`, `sonde_check_consecutive_failures` + id + `} 2`, runs("missed"),
			`sonde_check_duration_seconds` + id + `} 4`, `sonde_check_start_delay_seconds` + id + `} 2`,
			`sonde_check_last_run_timestamp_seconds` + id + `} 1.77236641e+09`,
		}},
		"a run that never started has no times": {notStarted, []string{
			`!sonde_check_duration_seconds`, `!sonde_check_start_delay_seconds`, `sonde_check_run_duration_seconds_count` + id + `} 1`,
		}},
		"a node's clock that is behind gives no negative delay": {early, []string{`sonde_check_start_delay_seconds` + id + `} 0`}},
		"a run of an unknown check is counted for all only": {stranger, []string{
			`sonde_runs_total{reason="Reported",result="failure"} 2`, `sonde_check_consecutive_failures` + id + `} 1`,
		}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStore(series.Config{})
			s.PutCheck(login())
			s.Record(run(result.Failure, result.Reported))
			s.Record(tc.run)
			text := "\n" + expose(t, s, expfmt.TypeTextPlain)
			for _, line := range tc.want {
				if absent, ok := strings.CutPrefix(line, "!"); ok {
					if strings.Contains(text, "\n"+absent) {
						t.Errorf("there is %s", absent)
					}
				} else if !strings.Contains(text, "\n"+line+"\n") {
					t.Errorf("no line %s", line)
				}
			}
		})
	}
}

func TestACheckMadeAgainEndsTheOldOne(t *testing.T) {
	s := newStore(series.Config{})
	s.PutCheck(login())
	s.Record(run(result.Success, result.Reported))
	add(t, s, from("a"), counter("steps", 5))
	again := login()
	again.UID = "uid-again"
	s.PutCheck(again)
	s.DeleteCheck(login().UID) // comes late
	if checks, n := s.Stats(); checks != 1 || n != 0 {
		t.Errorf("Stats() = %d checks, %d series", checks, n)
	}
	golden(t, "first_sight.txt", strings.ReplaceAll(expose(t, s, expfmt.TypeTextPlain),
		`sonde_runs_total{reason="Reported",result="success"} 1`, `sonde_runs_total{reason="Reported",result="success"} 0`))
}

func TestLabelsOfACheckThatCannotBeExposedAreLeftOut(t *testing.T) {
	c := login()
	c.Labels = labels("", "x", "__a__", "x", "empty", "", "k8s_namespace_name", "x", "le", "x", "otel.scope.name", "x",
		"owner", "\xff", "reason", "x", "result", "x", "team.name", "a", "team_name", "b")
	c.Info = labels("team-name", "c", "sonde.check.schedule", "@every 90s")
	s := newStore(series.Config{})
	s.PutCheck(c)
	s.Record(run(result.Success, result.Reported))
	want := `sonde_check_info{k8s_namespace_name="shop",sonde_check_name="login",sonde_check_schedule="@every 90s",team_name="a"} 1`
	if text := expose(t, s, expfmt.TypeTextPlain); !strings.Contains(text, want) {
		t.Errorf("no %s in:\n%s", want, text)
	}
}

func TestTheDataOfProduceIsTheCallers(t *testing.T) {
	s := newStore(series.Config{})
	s.PutCheck(login())
	s.Record(run(result.Success, result.Reported))
	add(t, s, from("a"), counter("steps", 5))
	first := produce(t, s)
	for _, m := range first {
		switch data := m.Data.(type) {
		case metricdata.Sum[float64]:
			data.DataPoints[0].Value = 99
		case metricdata.ExponentialHistogram[float64]:
			data.DataPoints[0].PositiveBucket.Counts[0] = 99
		}
	}
	second, third := produce(t, s), produce(t, s)
	if len(first) != len(second) {
		t.Fatalf("%d metrics, then %d", len(first), len(second))
	}
	for i := range second {
		metricdatatest.AssertEqual(t, second[i], third[i])
	}
	if diff := cmp.Diff(5.0, values(t, s)["steps{k8s.namespace.name=shop,owner=payments,sonde.check.name=login}"]); diff != "" {
		t.Error(diff)
	}
}
