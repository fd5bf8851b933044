package ledger_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric/noop"

	"github.com/sonde-dev/sonde/telemetry/ledger"
	"github.com/sonde-dev/sonde/telemetry/result"
	"github.com/sonde-dev/sonde/telemetry/verdict"
)

// seen is all that can be seen of a ledger.
type seen struct {
	Values   map[string]float64
	Standing ledger.Standing
	History  []result.Run
}

func (b *book) seen() seen {
	b.t.Helper()
	out := seen{Values: map[string]float64{}}
	scopes, err := b.store.Produce(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	for _, m := range scopes[0].Metrics {
		eachSet(m.Data, func(v float64, set attribute.Set) {
			out.Values[m.Name+"{"+set.Encoded(attribute.DefaultEncoder())+"}"] = v
		})
	}
	out.Standing, _ = b.Standing(checkUID)
	if out.History, err = b.History(checkUID); err != nil {
		b.t.Fatal(err)
	}
	return out
}

// crash opens the ledger again of what is in the journal, and compares. Between the two
// is nothing but the start of a process.
func (b *book) crash() {
	b.t.Helper()
	before := b.seen()
	b.restart(noop.Meter{})
	if diff := cmp.Diff(before, b.seen()); diff != "" {
		b.t.Fatalf("a restart has changed (-before +after):\n%s", diff)
	}
	// Next-run times are not remembered: whoever watches says them again.
	b.put(checkUID, "login")
}

// TestACrashChangesNothing plays runs that go all the ways that runs go, with crashes
// anywhere.
func TestACrashChangesNothing(t *testing.T) {
	for seed := range uint64(100) {
		random := rand.New(rand.NewPCG(seed, 4)) //nolint:gosec // repeatable on purpose
		b := open(t)
		b.interleave(seed, random, func() {
			switch random.IntN(8) {
			case 0, 1:
				b.Tick(b.t.Context())
			case 2:
				b.crash()
			}
		})
	}
}

func TestNothingIsToldBeforeItIsWritten(t *testing.T) {
	b := open(t)
	b.observe("r1", running(1))
	b.journal.hold()
	told := make(chan error)
	const reports = 50
	for i := range reports {
		go func() {
			_, err := b.Accept(t.Context(), result.Report{
				RunID: "r1", CheckUID: checkUID, Received: b.now,
				Samples: []result.Sample{{Name: fmt.Sprint("m", i%10), Kind: result.Counter, Value: 1}},
			})
			told <- err
		}()
	}
	select {
	case err := <-told:
		t.Fatalf("a report was answered with %v before it was written", err)
	case <-time.After(100 * time.Millisecond): // it cannot be proved, only refuted
	}
	if n := b.value("m0"); n != 0 {
		t.Errorf("m0 = %v is shown before it is written", n)
	}
	b.journal.release()
	for range reports {
		if err := <-told; err != nil {
			t.Fatal(err)
		}
	}
	if n := b.value("m0"); n != 1 {
		t.Errorf("m0 = %v, want 1", n)
	}
}

func TestReportsThatComeTogetherAreSyncedTogether(t *testing.T) {
	b := open(t)
	b.observe("r1", running(1))
	b.journal.hold()
	before := b.journal.appends
	told := make(chan error)
	const reports = 64
	for i := range reports {
		go func() {
			_, err := b.report("r1", result.ClaimNone, float64(i+1))
			told <- err
		}()
	}
	b.journal.waitFor(1)               // the first is being written
	time.Sleep(100 * time.Millisecond) // the others queue; if they are slow, the bound below still holds
	b.journal.release()
	for range reports {
		if err := <-told; err != nil {
			t.Fatal(err)
		}
	}
	if n := b.journal.appends - before; n > reports/2 {
		t.Errorf("%d reports that came at once took %d syncs", reports, n)
	}
}

func TestAFullDisk(t *testing.T) {
	var log bytes.Buffer
	b := open(t)
	b.log = slog.New(slog.NewTextHandler(&log, nil))
	b.restart(noop.Meter{})
	b.put(checkUID, "login")
	b.observe("heard", running(1))
	b.observe("silent", running(1))
	if _, err := b.report("heard", result.ClaimSuccess, 5); err != nil {
		t.Fatal(err)
	}
	b.journal.full = true
	for range 3 {
		if _, err := b.report("heard", result.ClaimNone, 9); !errors.Is(err, result.ErrNotWritten) {
			t.Errorf("on a full disk Accept() = %v, want ErrNotWritten", err)
		}
		b.at(3)
	}
	if n := b.value("steps"); n != 5 {
		t.Errorf("steps = %v with a report that was refused", n)
	}
	if _, err := b.Observe(b.t.Context(), ledger.RunRef{ID: "heard", CheckUID: checkUID}, ended(running(1), 4, 0)); !errors.Is(err, result.ErrNotWritten) {
		t.Errorf("on a full disk Observe() = %v, want ErrNotWritten: the watcher must try again", err)
	}
	if err := b.JobGone(b.t.Context(), "heard"); !errors.Is(err, result.ErrNotWritten) {
		t.Errorf("on a full disk JobGone() = %v, want ErrNotWritten", err)
	}
	if n := strings.Count(log.String(), "level=ERROR"); n != 1 || !strings.Contains(log.String(), errFull.Error()) {
		t.Errorf("it is logged %d times, want once with the reason:\n%s", n, &log)
	}

	b.journal.full = false
	b.at(10)
	if _, err := b.report("heard", result.ClaimNone, 9); err != nil {
		t.Errorf("after there is room again: %v", err)
	}
	b.observe("heard", ended(running(1), 9, 0))
	b.observe("silent", ended(running(1), 9, 0))
	b.at(20)
	b.is(2, result.Success, result.Reported)
	if n := b.value("sonde.runs", "reason", "CollectorDown"); n != 1 {
		t.Errorf("the run that may have spoken to a closed door is CollectorDown %v times, want once", n)
	}
	if n := b.value("steps"); n != 9 {
		t.Errorf("steps = %v, want 9", n)
	}
	if !strings.Contains(log.String(), "ledger can be written again") {
		t.Errorf("its end is not logged:\n%s", &log)
	}
	b.crash()
}

// TestAFoldThatFailsDoesNotCloseTheDoor has a disk with room for reports, and none for the
// snapshot.
func TestAFoldThatFailsDoesNotCloseTheDoor(t *testing.T) {
	var log bytes.Buffer
	b := open(t)
	b.log = slog.New(slog.NewTextHandler(&log, nil))
	b.restart(noop.Meter{})
	b.put(checkUID, "login")
	b.observe("r1", running(1))
	b.journal.noFold = true
	for i := range 30 {
		b.at(float64(i + 2))
		if _, err := b.report("r1", result.ClaimNone, float64(i+1)); err != nil {
			t.Fatal(err)
		}
	}
	b.observe("r1", ended(running(1), 30, 0))
	if _, err := b.report("r1", result.ClaimSuccess, 0); err != nil {
		t.Fatal(err)
	}
	b.is(1, result.Success, result.Reported)
	if n := strings.Count(log.String(), "not folded"); n < 2 || n > 8 {
		t.Errorf("it is logged %d times in 30 s, want once for each try", n)
	}
	b.crash()
	b.journal.noFold = false
	b.at(60)
	if b.journal.folds == 0 {
		t.Error("it was not folded once there was room")
	}
}

// TestTheLastOfTheHeldReportsMaySayNo decides nothing before all that was held is heard.
func TestTheLastOfTheHeldReportsMaySayNo(t *testing.T) {
	b := open(t)
	b.at(3)
	for _, claim := range []result.Claim{result.ClaimSuccess, result.ClaimFailure} {
		if _, err := b.report("r1", claim, 0); err != nil {
			t.Fatal(err)
		}
	}
	b.at(30)
	b.observe("r1", ended(running(1), 5, 0))
	b.is(1, result.Failure, result.Reported)
	if s, _ := b.Standing(checkUID); !s.Transition.Decided.Equal(b.now) {
		t.Errorf("it was decided at %v, which is not now", s.Transition.Decided)
	}
}

// TestARefusalIsOfTheAttemptThatSentIt has the second attempt refused before it has said
// anything.
func TestARefusalIsOfTheAttemptThatSentIt(t *testing.T) {
	b := open(t)
	job := running(1)
	job.Retries = 1
	b.observe("r1", job)
	if _, err := b.report("r1", result.ClaimNone, 1); err != nil {
		t.Fatal(err)
	}
	job.Pods = []verdict.Pod{
		{UID: "first", Started: start.Add(2 * time.Second), Ended: start.Add(4 * time.Second), ExitCode: 1, Failed: true},
		{UID: "second", Started: start.Add(15 * time.Second)},
	}
	b.observe("r1", job)
	b.at(16)
	b.Refused("r1", checkUID, "a report was refused: too large")
	if _, err := b.report("r1", result.ClaimNone, 2); err != nil {
		t.Fatal(err)
	}
	b.observe("r1", ended(job, 18, 0))
	b.at(30)
	b.is(1, result.Error, result.NoReport)
}

// TestADiskThatIsNearlyFull takes the small and refuses the large. That is no reason to
// say every second that it can be written again.
func TestADiskThatIsNearlyFull(t *testing.T) {
	var log bytes.Buffer
	b := open(t)
	b.log = slog.New(slog.NewTextHandler(&log, nil))
	b.restart(noop.Meter{})
	b.put(checkUID, "login")
	b.journal.room = 10_000
	large := result.Report{RunID: "r1", CheckUID: checkUID, Errors: []string{strings.Repeat("x", 20_000)}, Received: b.now}
	if _, err := b.Accept(t.Context(), large); !errors.Is(err, result.ErrNotWritten) {
		t.Fatalf("Accept() = %v, want ErrNotWritten", err)
	}
	for i := range 5 {
		b.at(float64(i + 2))
	}
	if n := strings.Count(log.String(), "ledger can"); n != 1 { // be written, or not
		t.Errorf("%d lines are logged, want one:\n%s", n, &log)
	}
	b.journal.room = 30_000
	b.at(10)
	if _, err := b.Accept(t.Context(), large); err != nil {
		t.Error(err)
	}
}

// TestAStartOnAFullDisk shows what is there, and refuses what it cannot keep.
func TestAStartOnAFullDisk(t *testing.T) {
	b := open(t)
	b.observe("r1", running(1))
	if _, err := b.report("r1", result.ClaimSuccess, 5); err != nil {
		t.Fatal(err)
	}
	b.journal.full = true
	b.restart(noop.Meter{})
	if n := b.value("steps"); n != 5 {
		t.Errorf("steps = %v, want 5", n)
	}
	if _, err := b.report("r1", result.ClaimNone, 9); !errors.Is(err, result.ErrNotWritten) {
		t.Errorf("Accept() = %v, want ErrNotWritten", err)
	}
	b.journal.full = false
	b.at(10)
	if _, err := b.report("r1", result.ClaimNone, 9); err != nil {
		t.Error(err)
	}
}

// TestAFoldThatFailsLosesNothing fills the disk between a report and the fold.
func TestAFoldThatFailsLosesNothing(t *testing.T) {
	b := open(t)
	b.observe("r1", running(1))
	if _, err := b.report("r1", result.ClaimSuccess, 5); err != nil {
		t.Fatal(err)
	}
	b.journal.full = true
	b.at(10) // a fold is due
	b.journal.full = false
	b.crash()
	b.at(20)
	if b.journal.folds == 0 {
		t.Error("it was not folded once there was room")
	}
	b.crash()
	if n := b.value("steps"); n != 5 {
		t.Errorf("steps = %v, want 5", n)
	}
}

func TestWhatIsKnownIsNotWrittenAgain(t *testing.T) {
	b := open(t)
	b.observe("r1", running(1))
	quiet := func() {
		b.t.Helper()
		if _, err := b.report("r1", result.ClaimNone, 0); err != nil {
			t.Fatal(err)
		}
	}
	quiet() // it is there
	before := b.journal.appends
	quiet()
	b.observe("r1", running(1))
	b.put(checkUID, "login")
	if err := b.JobGone(b.t.Context(), "never seen"); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		b.Tick(b.t.Context())
	}
	if n := b.journal.appends - before; n != 0 {
		t.Errorf("%d writes of what was known", n)
	}
}

func TestHistory(t *testing.T) {
	b := open(t)
	const runs = ledger.MaxHistory + 20
	for i := range runs {
		id, begin := fmt.Sprint("r", i), float64(1+100*i)
		b.at(begin + 3)
		b.observe(id, ended(running(begin), begin+2, 0))
		b.at(begin + 10)
		b.gone(id)
		b.at(begin + 80)
	}
	b.crash()
	history, err := b.History(checkUID)
	if err != nil || len(history) != ledger.MaxHistory {
		t.Fatalf("%d runs are kept, %v; want %d", len(history), err, ledger.MaxHistory)
	}
	if first, last := history[0].ID, history[len(history)-1].ID; first != fmt.Sprint("r", runs-1) || last != "r20" {
		t.Errorf("history is from %s back to %s", first, last)
	}
}

func TestADeletedCheckLeavesNothing(t *testing.T) {
	b := open(t)
	b.observe("r1", ended(running(1), 2, 0))
	b.observe("r2", running(1))
	if _, err := b.report("r2", result.ClaimSuccess, 5); err != nil {
		t.Fatal(err)
	}
	if _, err := b.report("unknown", result.ClaimSuccess, 5); err != nil {
		t.Fatal(err)
	}
	b.at(20) // folded
	if err := b.DeleteCheck(b.t.Context(), result.Key{Namespace: "shop", Name: "login"}); err != nil {
		t.Fatal(err)
	}
	b.at(200)
	b.at(300)
	for bucket, keys := range b.journal.snapshot {
		if bucket == "ledger" {
			continue
		}
		for key := range keys {
			t.Errorf("%s still has %s", bucket, key)
		}
	}
}

// TestRunsThatWentAwayUnseen has Jobs deleted while the collector is down.
func TestRunsThatWentAwayUnseen(t *testing.T) {
	b := open(t)
	b.observe("silent", running(1))
	b.observe("spoke", running(1))
	if _, err := b.report("spoke", result.ClaimSuccess, 0); err != nil {
		t.Fatal(err)
	}
	b.at(10)
	b.restart(noop.Meter{})
	checks, runs := b.Known()
	if len(checks) != 1 || len(runs) != 2 {
		t.Fatalf("known are checks %v, runs %v", checks, runs)
	}
	for _, id := range runs {
		if err := b.JobMissing(b.t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
	b.at(20)
	b.is(2, result.Success, result.Reported)
	if n := b.value("sonde.runs", "reason", "CollectorDown"); n != 1 {
		t.Errorf("CollectorDown is counted %v times, want once", n)
	}
	if _, runs := b.Known(); len(runs) != 0 {
		t.Errorf("runs %v are still looked for", runs)
	}
}

// TestARunThatEndedWhileTheCollectorWasDown is seen for the first time afterwards.
func TestARunThatEndedWhileTheCollectorWasDown(t *testing.T) {
	b := open(t)
	b.at(100)
	b.restart(noop.Meter{})
	b.put(checkUID, "login")
	b.observe("r1", ended(running(50), 55, 0))
	b.at(110)
	if n := b.value("sonde.runs", "reason", "CollectorDown"); n != 1 {
		t.Errorf("CollectorDown is counted %v times, want once", n)
	}
}

// TestTheClockWaitsForWhatAJobHasDoneMeanwhile restarts after the deadline of a run that
// has ended well in time.
func TestTheClockWaitsForWhatAJobHasDoneMeanwhile(t *testing.T) {
	b := open(t)
	c := checkOf(checkUID, "login")
	c.Terms.Mode = verdict.ExitCode
	if err := b.PutCheck(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	b.observe("r1", running(1))
	b.now = start.Add(10 * time.Minute)
	b.restart(noop.Meter{})
	b.at(601)
	b.at(630)
	if n := b.value("sonde.check.runs"); n != 0 {
		t.Fatalf("%v runs are judged by the clock before their Job was seen again", n)
	}
	b.observe("r1", ended(running(1), 4, 0))
	b.at(640)
	b.is(1, result.Success, result.ExitCode)
}

// TestARunThatStillHangsAfterARestart is decided by the clock once its Job was seen, also
// if that says nothing new.
func TestARunThatStillHangsAfterARestart(t *testing.T) {
	b := open(t)
	b.observe("r1", running(1))
	b.now = start.Add(10 * time.Minute)
	b.restart(noop.Meter{})
	b.observe("r1", running(1))
	b.at(601)
	b.is(1, result.Timeout, result.DeadlineExceeded)
}

func TestHeldReportsOutliveADowntime(t *testing.T) {
	b := open(t)
	if _, err := b.report("r1", result.ClaimSuccess, 5); err != nil {
		t.Fatal(err)
	}
	b.now = start.Add(10 * time.Minute)
	b.restart(noop.Meter{})
	b.at(601)
	b.observe("r1", ended(running(1), 4, 0))
	b.is(1, result.Success, result.Reported)
	if n := b.value("steps"); n != 5 {
		t.Errorf("steps = %v, want 5", n)
	}
}

// TestARunThatSpokeBeforeItsCheckWasSeen is over when the check is seen for the first
// time, as after a start while the API server was away.
func TestARunThatSpokeBeforeItsCheckWasSeen(t *testing.T) {
	b := open(t)
	spoke := result.Report{RunID: "spoke", CheckUID: "new", Claim: result.ClaimSuccess, Form: result.FormJSON, Received: b.now}
	if _, err := b.Accept(t.Context(), spoke); err != nil {
		t.Fatal(err)
	}
	b.at(20)
	b.put("new", "new")
	for _, run := range []string{"spoke", "silent"} {
		if _, err := b.Observe(t.Context(), ledger.RunRef{ID: run, CheckUID: "new"}, ended(running(1), 4, 0)); err != nil {
			t.Fatal(err)
		}
	}
	b.at(40)
	if s, _ := b.Standing("new"); s.Verdict.Result != result.Success {
		t.Errorf("the run that spoke is %+v, want a success", s.Verdict)
	}
	if n := b.value("sonde.runs"); n != 1 {
		t.Errorf("%v runs are judged, want the one that spoke", n)
	}
}

func TestTheMostExplicitFormIsBelieved(t *testing.T) {
	const yes, no = result.ClaimSuccess, result.ClaimFailure
	type said struct {
		form  result.Form
		claim result.Claim
	}
	for name, tc := range map[string]struct {
		said []said
		want result.Result
	}{
		"a report over the span before it":    {[]said{{result.FormSpan, no}, {result.FormJSON, yes}}, result.Success},
		"the report before over the span":     {[]said{{result.FormJSON, yes}, {result.FormSpan, no}}, result.Success},
		"an attribute over a span":            {[]said{{result.FormSpan, yes}, {result.FormAttribute, no}}, result.Failure},
		"the gauge over an attribute":         {[]said{{result.FormAttribute, no}, {result.FormGauge, yes}}, result.Success},
		"of two spans the one that failed":    {[]said{{result.FormSpan, no}, {result.FormSpan, yes}}, result.Failure},
		"of two spans the second if it fails": {[]said{{result.FormSpan, yes}, {result.FormSpan, no}}, result.Failure},
	} {
		t.Run(name, func(t *testing.T) {
			b := open(t)
			b.observe("r1", running(1))
			for _, x := range tc.said {
				r := result.Report{RunID: "r1", CheckUID: checkUID, Claim: x.claim, Form: x.form, Received: b.now}
				if _, err := b.Accept(t.Context(), r); err != nil {
					t.Fatal(err)
				}
			}
			b.observe("r1", ended(running(1), 4, 0))
			b.at(10)
			b.is(1, tc.want, result.Reported)
		})
	}
}

// TestTelemetryAloneHasTheExitCodeCount is the last form of a report.
func TestTelemetryAloneHasTheExitCodeCount(t *testing.T) {
	b := open(t)
	b.observe("r1", running(1))
	if _, err := b.report("r1", result.ClaimNone, 0); err != nil {
		t.Fatal(err)
	}
	b.crash() // it is remembered that the run spoke
	b.observe("r1", ended(running(1), 4, 3))
	b.at(10)
	b.is(1, result.Failure, result.ExitCode)
}

// TestJobsAreEqualAfterTheyWereWritten guards what keeps a resync from being written.
func TestJobsAreEqualAfterTheyWereWritten(t *testing.T) {
	b := open(t)
	zone := time.FixedZone("elsewhere", 3600)
	job := running(1)
	job.Created = job.Created.In(zone)
	job.Pods = []verdict.Pod{{UID: "p", Name: "p", Started: job.Created.Add(time.Second), Cause: result.ImagePull, Message: "x"}}
	b.observe("r1", job)
	b.crash()
	b.observe("r1", job) // it was not seen since the start
	before := b.journal.appends
	b.observe("r1", job)
	if b.journal.appends != before {
		t.Error("the same Job was written again")
	}
}
