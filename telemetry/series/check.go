package series

import (
	"time"

	"go.opentelemetry.io/otel/attribute"

	"github.com/sonde-dev/sonde/telemetry/result"
)

// check is what is known of one check: who it is, what its last runs were, and
// its custom series.
type check struct {
	uid      string
	key      result.Key
	made     time.Time // when the store first saw it: the start of its counters
	identity identity

	self attribute.Set // identity alone
	info attribute.Set

	runs      []tally // one for each of result.Results, in that order
	durations histogram
	latest
	tenant *tenant
}

// tally is the runs with one result.
type tally struct {
	result result.Result
	set    attribute.Set
	count  int64
	trace  []byte    // of the last run that has one, for the exemplar; nil before
	at     time.Time // when that run was decided
}

// histogram is a distribution of values ≥ 0.
type histogram interface{ observe(v float64) }

// latest is what the gauges of a check say. CollectorDown leaves it alone, as it
// is about the collector and not about the check.
type latest struct {
	verdict  result.Outcome // zero before the first
	status   attribute.Set  // identity and verdict
	failures int            // runs since the last success

	duration reading // of the last run that was not missed; none if it never ran
	delay    reading // from its slot to its start

	lastRun, lastSuccess, nextRun time.Time // zero: none
}

// reading is a value that may be missing.
type reading struct {
	seconds float64
	known   bool
}

// setSpec takes over what may change while a check lives.
func (c *check) setSpec(spec Check) {
	c.key = spec.Key
	c.identity = newIdentity(spec)
	c.self = c.identity.with()
	c.info = c.identity.info(spec.Info)
	for i := range c.runs {
		c.runs[i].set = c.identity.with(attribute.String(AttributeResult, string(c.runs[i].result)))
	}
	c.setStatus()
}

func (c *check) setStatus() {
	c.status = c.identity.with(
		attribute.String(AttributeResult, string(c.verdict.Result)),
		attribute.String(AttributeReason, string(c.verdict.Reason)))
}

// record counts a run of the check and remembers it as the last.
func (c *check) record(r result.Run) {
	for i := range c.runs {
		if c.runs[i].result == r.Verdict.Result {
			c.runs[i].add(r)
		}
	}
	if r.Verdict.Reason == result.CollectorDown {
		return
	}
	c.verdict = result.Outcome{Result: r.Verdict.Result, Reason: r.Verdict.Reason}
	c.setStatus()
	c.failures++
	if r.Verdict.Result == result.Success {
		c.failures = 0
		c.lastSuccess = r.Decided
	}
	if r.Verdict.Result == result.Missed {
		return
	}
	c.lastRun = r.Decided
	c.measure(r)
}

// measure takes the times of a run: those of one that never started are not
// known, rather than those of the run before.
func (c *check) measure(r result.Run) {
	c.duration, c.delay = reading{}, reading{}
	started := !r.Started.IsZero()
	if started || r.Duration > 0 {
		c.duration = seconds(r.Duration)
	}
	if !started {
		return
	}
	c.durations.observe(c.duration.seconds)
	if !r.Scheduled.IsZero() {
		c.delay = seconds(r.Started.Sub(r.Scheduled))
	}
}

// seconds never returns less than zero: the clocks of nodes and of the API server
// differ.
func seconds(d time.Duration) reading {
	return reading{seconds: max(d, 0).Seconds(), known: true}
}

func (t *tally) add(r result.Run) {
	t.count++
	if trace := traceOf(r); trace != nil {
		t.trace, t.at = trace, r.Decided
	}
}
