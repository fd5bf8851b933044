package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/sonde-dev/sonde/telemetry/ledger"
	"github.com/sonde-dev/sonde/telemetry/result"
	"github.com/sonde-dev/sonde/telemetry/series"
	"github.com/sonde-dev/sonde/telemetry/verdict"
)

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// book is a ledger with one check and a clock that the test moves.
type book struct {
	*ledger.Ledger
	t       *testing.T
	journal *memory
	log     *slog.Logger
	store   *series.Store
	now     time.Time
}

const checkUID = "check"

func open(t *testing.T) *book {
	t.Helper()
	return openWith(t, noop.Meter{})
}

func openWith(t *testing.T, meter metric.Meter) *book {
	t.Helper()
	b := &book{t: t, now: start, journal: newMemory(), log: slog.New(slog.DiscardHandler)}
	b.restart(meter)
	b.put(checkUID, "login")
	b.at(1) // runs begin after the ledger does
	return b
}

// restart opens the ledger of what is in the journal.
func (b *book) restart(meter metric.Meter) {
	b.t.Helper()
	clock := func() time.Time { return b.now }
	b.store = series.New(series.Config{}, clock)
	var err error
	b.Ledger, err = ledger.New(ledger.Config{
		Series: b.store, Journal: b.journal, Log: b.log, Meter: meter, Now: clock, Changed: func(result.Key) {},
	})
	if err != nil {
		b.t.Fatal(err)
	}
}

func (b *book) put(uid, name string) {
	b.t.Helper()
	if err := b.PutCheck(b.t.Context(), checkOf(uid, name)); err != nil {
		b.t.Fatal(err)
	}
}

func checkOf(uid, name string) ledger.Check {
	return ledger.Check{
		UID: uid, Key: result.Key{Namespace: "shop", Name: name}, MaxSeries: 10,
		Terms: verdict.Terms{Mode: verdict.Auto, Timeout: 30 * time.Second, StartAllowance: 2 * time.Minute},
	}
}

// at moves the clock to so many seconds after the start, and ticks.
func (b *book) at(seconds float64) {
	b.now = start.Add(time.Duration(seconds * float64(time.Second)))
	b.Tick(b.t.Context())
}

func (b *book) observe(run string, job verdict.Job) {
	b.t.Helper()
	known, err := b.Observe(b.t.Context(), ledger.RunRef{ID: run, Name: "login-" + run, CheckUID: checkUID}, job)
	if !known || err != nil {
		b.t.Fatalf("the check is known: %v, %v", known, err)
	}
}

func (b *book) gone(run string) {
	b.t.Helper()
	if err := b.JobGone(b.t.Context(), run); err != nil {
		b.t.Fatal(err)
	}
}

func (b *book) report(run string, claim result.Claim, steps float64) (result.Receipt, error) {
	r := result.Report{RunID: run, CheckUID: checkUID, Claim: claim, Received: b.now}
	if claim != result.ClaimNone {
		r.Form = result.FormJSON
	}
	if steps > 0 {
		r.Samples = []result.Sample{{Name: "steps", Kind: result.Counter, Value: steps}}
	}
	return b.Accept(context.Background(), r)
}

// jobs as Kubernetes shows them: created at second, started 1 s later.
func running(second float64) verdict.Job {
	at := start.Add(time.Duration(second * float64(time.Second)))
	return verdict.Job{Created: at, Scheduled: at, Pods: []verdict.Pod{{UID: fmt.Sprint("pod-", second), Started: at.Add(time.Second)}}}
}

// ended returns job with its pod and itself ended at second.
func ended(job verdict.Job, second float64, code int) verdict.Job {
	at := start.Add(time.Duration(second * float64(time.Second)))
	job.Pods = append([]verdict.Pod(nil), job.Pods...)
	last := &job.Pods[len(job.Pods)-1]
	last.Ended, last.ExitCode, last.Failed = at, code, code != 0
	job.Ended, job.End = at, verdict.Completed
	if code != 0 {
		job.End = verdict.GaveUp
	}
	return job
}

// value returns the sum of the points of a metric that have the attribute, if one is
// named.
func (b *book) value(name string, having ...string) float64 {
	b.t.Helper()
	scopes, err := b.store.Produce(context.Background())
	if err != nil {
		b.t.Fatal(err)
	}
	sum := 0.0
	add := func(v float64, has func(string) string) {
		if len(having) == 0 || has(having[0]) == having[1] {
			sum += v
		}
	}
	for _, scope := range scopes {
		for _, m := range scope.Metrics {
			if m.Name != name {
				continue
			}
			eachPoint(m.Data, add)
		}
	}
	return sum
}

func eachPoint(data metricdata.Aggregation, add func(float64, func(string) string)) {
	eachSet(data, func(v float64, set attribute.Set) {
		add(v, func(k string) string { return lookup(set.ToSlice(), k) })
	})
}

func eachSet(data metricdata.Aggregation, add func(float64, attribute.Set)) {
	switch d := data.(type) {
	case metricdata.Sum[float64]:
		for _, p := range d.DataPoints {
			add(p.Value, p.Attributes)
		}
	case metricdata.Sum[int64]:
		for _, p := range d.DataPoints {
			add(float64(p.Value), p.Attributes)
		}
	case metricdata.Gauge[float64]:
		for _, p := range d.DataPoints {
			add(p.Value, p.Attributes)
		}
	case metricdata.Gauge[int64]:
		for _, p := range d.DataPoints {
			add(float64(p.Value), p.Attributes)
		}
	case metricdata.ExponentialHistogram[float64]:
		for _, p := range d.DataPoints {
			add(p.Sum, p.Attributes)
		}
	}
}

func lookup(attributes []attribute.KeyValue, key string) string {
	for _, a := range attributes {
		if string(a.Key) == key {
			return a.Value.String()
		}
	}
	return ""
}

// is fails the test unless the check's last verdict is as wanted, after runs runs.
func (b *book) is(runs float64, want result.Result, reason result.Reason) {
	b.t.Helper()
	s, _ := b.Standing(checkUID)
	if s.Verdict.Result != want || s.Verdict.Reason != reason {
		b.t.Errorf("verdict %s/%s %q, want %s/%s", s.Verdict.Result, s.Verdict.Reason, s.Verdict.Message, want, reason)
	}
	if n := b.value("sonde.check.runs"); n != runs {
		b.t.Errorf("%v runs are counted, want %v", n, runs)
	}
}

func TestAReportMayComeBeforeItsJobIsKnown(t *testing.T) {
	b := open(t)
	receipt, err := b.report("r1", result.ClaimSuccess, 5)
	if err != nil || receipt.Disposition != result.Held {
		t.Fatalf("receipt %+v, %v", receipt, err)
	}
	b.observe("r1", running(1))
	b.observe("r1", ended(running(1), 4, 0))
	b.is(1, result.Success, result.Reported)
	if n := b.value("steps"); n != 5 {
		t.Errorf("steps = %v, want 5", n)
	}
}

func TestAReportThatCannotBePlacedExpires(t *testing.T) {
	b := open(t)
	if _, err := b.report("r1", result.ClaimSuccess, 5); err != nil {
		t.Fatal(err)
	}
	b.at(125)
	b.observe("r1", ended(running(118), 122, 0))
	b.at(130)
	b.is(1, result.Error, result.NoReport)
	if n := b.value("steps"); n != 0 {
		t.Errorf("steps = %v of a report that had expired", n)
	}
}

func TestThreeRunsOfFiveAreFifteen(t *testing.T) {
	b := open(t)
	for i := range 3 {
		run, begin := fmt.Sprint("r", i), float64(1+100*i)
		b.at(begin + 2)
		b.observe(run, running(begin))
		for range 2 { // the second is a retry
			if _, err := b.report(run, result.ClaimSuccess, 5); err != nil {
				t.Fatal(err)
			}
		}
		b.observe(run, ended(running(begin), begin+4, 0))
	}
	b.is(3, result.Success, result.Reported)
	if n := b.value("steps"); n != 15 {
		t.Errorf("steps = %v, want 15", n)
	}
}

func TestReportsAfterTheVerdict(t *testing.T) {
	b := open(t)
	b.observe("r1", ended(running(1), 4, 0))
	b.at(10)
	b.is(1, result.Error, result.NoReport)

	receipt, err := b.report("r1", result.ClaimSuccess, 5)
	if err != nil || receipt.Disposition != result.Ignored {
		t.Errorf("within a minute: %+v, %v; want it ignored", receipt, err)
	}
	b.is(1, result.Error, result.NoReport)

	b.at(120)
	if _, err := b.report("r1", result.ClaimSuccess, 0); !errors.Is(err, result.ErrRunOver) {
		t.Errorf("after a minute: %v, want ErrRunOver", err)
	}
	b.gone("r1")
	b.at(240)
	if _, err := b.report("r1", result.ClaimSuccess, 0); !errors.Is(err, result.ErrRunOver) {
		t.Errorf("after the Job has gone: %v, want ErrRunOver", err)
	}
	b.is(1, result.Error, result.NoReport)
}

func TestACheckCannotSpeakForAnother(t *testing.T) {
	b := open(t)
	b.put("thief", "thief")
	b.observe("r1", running(1))
	foreign := result.Report{RunID: "r1", CheckUID: "thief", Claim: result.ClaimSuccess, Received: b.now}
	if _, err := b.Accept(t.Context(), foreign); !errors.Is(err, result.ErrForeign) {
		t.Errorf("Accept() = %v, want ErrForeign", err)
	}
	b.Refused("r1", "thief", "it was malformed")
	b.observe("r1", ended(running(1), 4, 0))
	b.at(10)
	s, _ := b.Standing(checkUID)
	if want := "the check ended with exit code 0 and did not report"; s.Verdict.Message != want {
		t.Errorf("message %q, want %q", s.Verdict.Message, want)
	}
}

func TestARefusedReportIsInTheVerdict(t *testing.T) {
	b := open(t)
	b.Refused("r1", checkUID, "a report was refused: /ok must be true or false")
	b.observe("r1", ended(running(1), 4, 0))
	b.at(10)
	s, _ := b.Standing(checkUID)
	if want := "the check ended with exit code 0, and its report was refused: a report was refused: /ok must be true or false"; s.Verdict.Message != want {
		t.Errorf("message %q, want %q", s.Verdict.Message, want)
	}
}

func TestTheClockDecides(t *testing.T) {
	b := open(t)
	b.observe("r1", running(1))
	b.at(33)
	if n := b.value("sonde.check.runs"); n != 0 {
		t.Fatalf("%v runs are counted before the deadline", n)
	}
	b.at(34) // started at 2, timeout 30, slack 2
	b.is(1, result.Timeout, result.DeadlineExceeded)
	if d := b.value("sonde.check.duration"); d != 32 {
		t.Errorf("the run that hangs has the duration %v, want the 32 s so far", d)
	}
}

func TestADeletedJobIsAnError(t *testing.T) {
	b := open(t)
	b.observe("r1", running(1))
	b.gone("r1")
	b.at(10)
	b.is(1, result.Error, result.JobDeleted)
}

func TestAJobThatHadEndedIsNotDeleted(t *testing.T) {
	b := open(t)
	b.observe("r1", running(1))
	if _, err := b.report("r1", result.ClaimSuccess, 0); err != nil {
		t.Fatal(err)
	}
	b.observe("r1", ended(running(1), 4, 0))
	b.gone("r1")
	b.at(100)
	b.is(1, result.Success, result.Reported)
}

func TestTwoAttemptsAddUpAndTheSecondCounts(t *testing.T) {
	b := open(t)
	first := running(1)
	first.Retries = 1
	b.observe("r1", first)
	b.at(3)
	if _, err := b.report("r1", result.ClaimFailure, 5); err != nil {
		t.Fatal(err)
	}
	failed := first
	failed.Pods = []verdict.Pod{{UID: "pod-1", Started: start.Add(2 * time.Second), Ended: start.Add(4 * time.Second), ExitCode: 1, Failed: true}}
	b.observe("r1", failed)
	b.at(15)
	second := failed
	second.Pods = append(second.Pods[:1:1], verdict.Pod{UID: "pod-2", Started: start.Add(15 * time.Second)})
	b.observe("r1", second)
	b.at(17)
	if n := b.value("sonde.check.runs"); n != 0 {
		t.Fatalf("%v runs are counted while the second attempt runs", n)
	}
	if _, err := b.report("r1", result.ClaimSuccess, 5); err != nil {
		t.Fatal(err)
	}
	b.observe("r1", ended(second, 18, 0))
	b.is(1, result.Success, result.Reported)
	if n := b.value("steps"); n != 10 {
		t.Errorf("steps = %v of two attempts of 5, want 10", n)
	}
}

func TestARestartJudgesNothingTwice(t *testing.T) {
	b := open(t)
	before := ended(running(-10), -2, 1)
	b.observe("r0", before)
	b.at(10)
	if n := b.value("sonde.check.runs"); n != 0 {
		t.Errorf("%v runs are counted that had ended before the ledger began", n)
	}
	b.observe("r1", running(-5))
	b.observe("r1", ended(running(-5), 11, 0))
	b.at(20)
	if n := b.value("sonde.runs", "reason", "CollectorDown"); n != 1 {
		t.Errorf("CollectorDown is counted %v times, want once", n)
	}
	if _, ok := b.Standing(checkUID); ok {
		t.Error("a run that nobody listened to has changed the standing")
	}
}

func TestADeletedCheckIsForgotten(t *testing.T) {
	b := open(t)
	b.observe("r1", running(1))
	if err := b.DeleteCheck(b.t.Context(), result.Key{Namespace: "shop", Name: "login"}); err != nil {
		t.Fatal(err)
	}
	b.at(100)
	if n := b.value("sonde.runs"); n != 0 {
		t.Errorf("%v runs of a deleted check were judged", n)
	}
	b.put("another", "login")
	if known, err := b.Observe(b.t.Context(), ledger.RunRef{ID: "r1", CheckUID: checkUID}, running(1)); known || err != nil {
		t.Error("a run of the deleted check was taken for one of the new check of that name")
	}
}

func TestStanding(t *testing.T) {
	b := open(t)
	for i, claim := range []result.Claim{result.ClaimFailure, result.ClaimFailure, result.ClaimSuccess, result.ClaimSuccess} {
		run, begin := fmt.Sprint("r", i), float64(1+100*i)
		b.at(begin + 2)
		b.observe(run, running(begin))
		if _, err := b.report(run, claim, 0); err != nil {
			t.Fatal(err)
		}
		b.observe(run, ended(running(begin), begin+4, 0))
		s, _ := b.Standing(checkUID)
		bad, since := []int{1, 2, 0, 0}[i], []string{"r0", "r0", "r2", "r2"}[i]
		if s.Bad != bad || s.Transition.ID != since {
			t.Errorf("after run %d: %d bad in a row since %s, want %d since %s", i, s.Bad, s.Transition.ID, bad, since)
		}
	}
}

func TestALedgerWhoseClockStandsStillIsNotAlive(t *testing.T) {
	b := open(t)
	if err := b.Alive(); err != nil {
		t.Error(err)
	}
	b.now = b.now.Add(31 * time.Second)
	if b.Alive() == nil {
		t.Error("alive, though nothing has ticked for 31 s")
	}
}

// TestAnyOrderOfEventsGivesOneVerdict plays the events of many runs in random orders,
// with repeats, and counts.
func TestAnyOrderOfEventsGivesOneVerdict(t *testing.T) {
	for seed := range uint64(200) {
		random := rand.New(rand.NewPCG(seed, 1)) //nolint:gosec // repeatable on purpose
		b := open(t)
		const runs = 5
		b.at(5)
		var events []func()
		for i := range runs {
			run := fmt.Sprint("r", i)
			job := running(1)
			events = append(events,
				func() { b.observe(run, job) },
				func() { b.observe(run, ended(job, 4, 0)) },
				func() { _, _ = b.report(run, result.ClaimSuccess, 5) },
				func() { _, _ = b.report(run, result.ClaimSuccess, 5) },
			)
		}
		random.Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
		for _, event := range events {
			event()
		}
		b.at(20)
		for i := range runs {
			b.gone(fmt.Sprint("r", i))
		}
		b.at(300)
		if n := b.value("sonde.check.runs"); n != runs {
			t.Fatalf("seed %d: %v verdicts of %d runs", seed, n, runs)
		}
		if n := b.value("steps"); n != 5*runs {
			t.Fatalf("seed %d: steps = %v, want %d", seed, n, 5*runs)
		}
	}
}
