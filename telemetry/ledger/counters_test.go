package ledger_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/sonde-dev/sonde/telemetry/result"
	"github.com/sonde-dev/sonde/telemetry/verdict"
)

// openCounted is open with a reader of the ledger's own counters.
func openCounted(t *testing.T) (*book, func() map[string]float64) {
	t.Helper()
	reader := sdkmetric.NewManualReader()
	meters := sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))
	t.Cleanup(func() { _ = meters.Shutdown(t.Context()) })
	b := openWith(t, meters.Meter("test"))
	return b, func() map[string]float64 { return counted(t, reader) }
}

// counted returns the counters that are not zero, but for those of the disk: name, or
// name/reason.
func counted(t *testing.T, reader *sdkmetric.ManualReader) map[string]float64 {
	t.Helper()
	var collected metricdata.ResourceMetrics
	if err := reader.Collect(t.Context(), &collected); err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, scope := range collected.ScopeMetrics {
		for _, m := range scope.Metrics {
			eachPoint(m.Data, func(v float64, label func(string) string) {
				name := m.Name
				if why := label("reason"); why != "" {
					name += "/" + why
				}
				if v != 0 && !strings.HasPrefix(name, "sonde.ledger.") {
					got[name] = v
				}
			})
		}
	}
	return got
}

func TestWhatCannotBeCountedIsCounted(t *testing.T) {
	report := func(b *book, run string, claims ...result.Claim) {
		for _, claim := range claims {
			if _, err := b.report(run, claim, 0); err != nil {
				b.t.Fatal(err)
			}
		}
	}
	for name, tc := range map[string]struct {
		play func(*book)
		want map[string]float64
	}{
		"all is well": {func(b *book) {
			b.observe("r1", running(1))
			report(b, "r1", result.ClaimSuccess, result.ClaimSuccess)
			b.observe("r1", ended(running(1), 4, 0))
		}, map[string]float64{}},
		"failure after success": {func(b *book) {
			b.observe("r1", running(1))
			report(b, "r1", result.ClaimSuccess, result.ClaimFailure)
		}, map[string]float64{"sonde.reports.contradictory": 1}},
		"success after failure, which has decided the run": {func(b *book) {
			b.observe("r1", running(1))
			report(b, "r1", result.ClaimFailure, result.ClaimSuccess)
		}, map[string]float64{"sonde.reports.contradictory": 1}},
		"metrics alone contradict nothing": {func(b *book) {
			b.observe("r1", running(1))
			report(b, "r1", result.ClaimFailure, result.ClaimNone)
		}, map[string]float64{}},
		"held samples for which there is no room": {func(b *book) {
			r := result.Report{RunID: "r1", CheckUID: checkUID, Received: b.now}
			for i := range 12 { // the check may have ten
				r.Samples = append(r.Samples, result.Sample{Name: fmt.Sprint("m", i), Kind: result.Gauge})
			}
			if _, err := b.Accept(b.t.Context(), r); err != nil {
				b.t.Fatal(err)
			}
			b.observe("r1", running(1))
		}, map[string]float64{"sonde.samples.rejected/check_limit": 2}},
		"a run that never became known": {func(b *book) {
			report(b, "r9", result.ClaimSuccess, result.ClaimSuccess)
			b.at(200)
		}, map[string]float64{"sonde.reports.dropped/unknown_run": 2}},
		"a run of another check, named before it was known": {func(b *book) {
			foreign := result.Report{RunID: "r1", CheckUID: "thief", Claim: result.ClaimFailure, Form: result.FormJSON, Received: b.now}
			if _, err := b.Accept(b.t.Context(), foreign); err != nil {
				b.t.Fatal(err)
			}
			b.observe("r1", running(1))
			b.observe("r1", ended(running(1), 4, 0))
			b.at(200)
			b.is(1, result.Error, result.NoReport)
		}, map[string]float64{"sonde.reports.dropped/unknown_run": 1}},
	} {
		t.Run(name, func(t *testing.T) {
			b, counters := openCounted(t)
			tc.play(b)
			if diff := cmp.Diff(tc.want, counters()); diff != "" {
				t.Errorf("counters (-want +got):\n%s", diff)
			}
		})
	}
}

// TestAHeldReportIsOfTheAttemptThatSentIt plays an API server that is away while the
// first attempt of a run reports, ends, and the second one starts.
func TestAHeldReportIsOfTheAttemptThatSentIt(t *testing.T) {
	b := open(t)
	b.at(3)
	if _, err := b.report("r1", result.ClaimFailure, 5); err != nil {
		t.Fatal(err)
	}
	b.at(16)
	job := running(1)
	job.Retries = 1
	job.Pods[0].Ended, job.Pods[0].ExitCode, job.Pods[0].Failed = start.Add(4*time.Second), 1, true
	job.Pods = append(job.Pods, verdict.Pod{UID: "second", Started: start.Add(15 * time.Second)})
	b.observe("r1", job)
	if _, err := b.report("r1", result.ClaimSuccess, 5); err != nil {
		t.Fatal(err)
	}
	b.observe("r1", ended(job, 18, 0))
	b.is(1, result.Success, result.Reported)
	if n := b.value("steps"); n != 10 {
		t.Errorf("steps = %v of two attempts of 5, want 10", n)
	}
}

func TestARunIsOverEvenWhenManyHaveComeSince(t *testing.T) {
	b := open(t)
	const runs = 200 // more than are remembered
	for i := range runs {
		id, begin := fmt.Sprint("r", i), float64(1+100*i)
		b.at(begin + 3)
		b.observe(id, ended(running(begin), begin+2, 0))
		b.at(begin + 10)
		b.gone(id)
		b.at(begin + 80)
	}
	b.is(runs, result.Error, result.NoReport)
	b.observe(fmt.Sprint("r", runs-1), ended(running(1), 2, 0)) // a late resync
	b.at(100*runs + 10)
	b.is(runs, result.Error, result.NoReport)
}
