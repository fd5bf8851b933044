package ledger_test

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/otel/metric/noop"

	"github.com/sonde-dev/sonde/telemetry/ledger"
	"github.com/sonde-dev/sonde/telemetry/result"
	"github.com/sonde-dev/sonde/telemetry/series"
	"github.com/sonde-dev/sonde/telemetry/verdict"
)

// life is a run as Kubernetes leads it, and what the ledger has seen of it.
type life struct {
	id    string
	job   verdict.Job
	steps []func(*life, time.Time) // what is still to happen to it, in order
	code  int
	claim result.Claim

	seen, gone bool
	counted    bool // a report of it was taken
}

// newLife returns a run that goes one of the ways that runs go.
func newLife(id string, random *rand.Rand) *life {
	l := &life{
		id:    id,
		claim: []result.Claim{result.ClaimNone, result.ClaimSuccess, result.ClaimFailure}[random.IntN(3)],
		code:  random.IntN(2),
	}
	created := func(l *life, now time.Time) { l.job.Created, l.job.Scheduled = now, now }
	pod := func(l *life, _ time.Time) { l.job.Pods = []verdict.Pod{{UID: "pod-" + id}} }
	started := func(l *life, now time.Time) { l.change(func(p *verdict.Pod) { p.Started = now }) }
	podEnded := func(l *life, now time.Time) {
		l.change(func(p *verdict.Pod) { p.Ended, p.ExitCode, p.Failed = now, l.code, l.code != 0 })
	}
	jobEnded := func(l *life, now time.Time) {
		l.job.Ended, l.job.End = now, verdict.Completed
		if l.code != 0 {
			l.job.End = verdict.GaveUp
		}
	}
	podGone := func(l *life, _ time.Time) { l.job.Pods = nil }
	l.steps = [][]func(*life, time.Time){
		{created, pod, started, podEnded, jobEnded},
		{created, pod, started, jobEnded, podEnded},
		{created, pod, started, podEnded, jobEnded, podGone},
		{created, pod, started, podGone, jobEnded},
		{created, pod, started}, // it hangs, and somebody deletes the Job
		{created, pod},          // it never starts
		{created},               // it never has a pod
	}[random.IntN(7)]
	return l
}

// change changes the pod, if it is there, and leaves alone what the ledger holds.
func (l *life) change(edit func(*verdict.Pod)) {
	pods := append([]verdict.Pod(nil), l.job.Pods...)
	for i := range pods {
		edit(&pods[i])
	}
	l.job.Pods = pods
}

// event lets one thing happen to a run, or be heard of it once more.
func (b *book) event(l *life, random *rand.Rand) {
	switch random.IntN(6) {
	case 0, 1: // Kubernetes goes on, and the watch shows it or will show it with the next
		if len(l.steps) > 0 {
			l.steps[0](l, b.now)
			l.steps = l.steps[1:]
		}
		if random.IntN(3) > 0 {
			b.show(l)
		}
	case 2: // a resync
		b.show(l)
	case 3, 4: // a report, or its repetition
		if _, err := b.report(l.id, l.claim, 5); err == nil {
			l.counted = true
		}
	case 5:
		if len(l.steps) == 0 && l.seen {
			b.gone(l.id)
			l.gone = true
		}
	}
}

// show has the ledger see the Job as it is, if it exists.
func (b *book) show(l *life) {
	if !l.job.Created.IsZero() && !l.gone {
		b.observe(l.id, l.job)
		l.seen = true
	}
}

// TestAnyInterleavingGivesOneVerdictEach plays runs that go all the ways that runs
// go, at once, with reports at any time, repeats, and ticks. However it comes, each
// has one verdict, and what was reported is counted once.
func TestAnyInterleavingGivesOneVerdictEach(t *testing.T) {
	for seed := range uint64(500) {
		random := rand.New(rand.NewPCG(seed, 2)) //nolint:gosec // repeatable on purpose
		b := open(t)
		b.interleave(seed, random, func() {
			if random.IntN(4) == 0 {
				b.Tick(b.t.Context())
			}
		})
	}
}

// interleave plays six runs to their ends, does between after each event, and checks the
// totals.
func (b *book) interleave(seed uint64, random *rand.Rand, between func()) {
	b.t.Helper()
	const runs = 6
	lives := make([]*life, runs)
	for i := range lives {
		lives[i] = newLife(fmt.Sprint("r", i), random)
	}
	for range 20 * runs {
		b.now = b.now.Add(time.Duration(random.IntN(1500)) * time.Millisecond)
		b.event(lives[random.IntN(runs)], random)
		between()
	}
	b.finish(lives)
	between()
	b.checkTotals(seed, lives)
}

// finish brings every run to its end.
func (b *book) finish(lives []*life) {
	for _, l := range lives {
		for ; len(l.steps) > 0; l.steps = l.steps[1:] {
			l.steps[0](l, b.now)
		}
		b.show(l)
	}
	b.now = b.now.Add(time.Second)
	for _, l := range lives {
		b.gone(l.id)
	}
	for range 400 { // all deadlines there are
		b.now = b.now.Add(time.Second)
		b.Tick(b.t.Context())
	}
}

func (b *book) checkTotals(seed uint64, lives []*life) {
	b.t.Helper()
	steps := 0.0
	for _, l := range lives {
		if l.counted {
			steps += 5
		}
	}
	for name, want := range map[string]float64{
		"sonde.check.runs": float64(len(lives)), "sonde.runs": float64(len(lives)), "steps": steps,
	} {
		if got := b.value(name); got != want {
			b.t.Fatalf("seed %d: %s = %v, want %v", seed, name, got, want)
		}
	}
}

// TestManyAtOnce has everything called at once, for the race detector.
func TestManyAtOnce(t *testing.T) {
	const checks, runs = 8, 20
	clock := func() time.Time { return start.Add(2 * time.Second) }
	store := series.New(series.Config{}, clock)
	changes := 0
	book, err := ledger.New(ledger.Config{
		Series: store, Journal: newMemory(), Log: slog.New(slog.DiscardHandler), Meter: noop.Meter{}, Now: clock,
		Changed: func(result.Key) { changes++ }, // the ledger is locked
	})
	if err != nil {
		t.Fatal(err)
	}
	b := &bookOfMany{Ledger: book, t: t}
	var group sync.WaitGroup
	for c := range checks {
		uid := fmt.Sprint("check-", c)
		if err := b.PutCheck(b.t.Context(), checkOf(uid, uid)); err != nil {
			t.Fatal(err)
		}
		for r := range runs {
			group.Go(func() { b.lead(uid, fmt.Sprint("run-", c, "-", r)) })
		}
		group.Go(func() { b.read(uid) })
	}
	group.Wait()
	if changes != checks*runs {
		t.Errorf("%d runs were decided, want %d", changes, checks*runs)
	}
	for c := range checks {
		if s, ok := book.Standing(fmt.Sprint("check-", c)); !ok || s.Bad != 0 || s.Verdict.Result != result.Success {
			t.Errorf("standing %+v", s)
		}
	}
}

// bookOfMany is a ledger whose clock stands still.
type bookOfMany struct {
	*ledger.Ledger
	t *testing.T
}

// lead leads one run from its report to its end.
func (b *bookOfMany) lead(check, id string) {
	ref := ledger.RunRef{ID: id, Name: id, CheckUID: check}
	job := running(2)
	must := func(err error) {
		if err != nil {
			b.t.Error(err)
		}
	}
	for range 2 {
		report := result.Report{
			RunID: id, CheckUID: check, Claim: result.ClaimSuccess, Form: result.FormJSON, Received: start.Add(2 * time.Second),
			Samples: []result.Sample{{Name: "steps", Kind: result.Counter, Value: 5}},
		}
		_, err := b.Accept(b.t.Context(), report)
		must(err)
		_, err = b.Observe(b.t.Context(), ref, job)
		must(err)
	}
	b.Refused(id, check, "malformed")
	_, err := b.Observe(b.t.Context(), ref, ended(job, 2, 0))
	must(err)
	must(b.JobGone(b.t.Context(), id))
	b.Tick(b.t.Context())
}

// read reads what may be read at any time.
func (b *bookOfMany) read(check string) {
	for range 50 {
		b.Standing(check)
		if err := b.Alive(); err != nil {
			b.t.Error(err)
		}
	}
}
