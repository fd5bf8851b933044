package series

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/sonde-dev/sonde/telemetry/result"
)

// custom is the custom series of all checks.
type custom struct {
	maxSeries, maxBytes int
	series, bytes       int // what there is of them

	families *families
	runs     map[string]*tenant // by id; those that have streams

	labels []label // scratch of add
	aside  uint64  // scratch of add
	key    []byte  // scratch of add
}

// tenant is the custom series of one check.
type tenant struct {
	maxSeries int
	identity  identity
	series    map[string]*series // by appendKey
	runs      map[string]bool    // its keys in custom.runs
}

// refusal is why a sample is not taken.
type refusal struct {
	reason result.Rejected
	detail string
}

func newCustom(c Config) *custom {
	return &custom{
		maxSeries: c.MaxSeries, maxBytes: c.MaxSeries * SeriesBytes,
		families: newFamilies(c.MaxNames), runs: map[string]*tenant{},
	}
}

func newTenant(maxSeries int, id identity) *tenant {
	return &tenant{maxSeries: maxSeries, identity: id, series: map[string]*series{}, runs: map[string]bool{}}
}

func (c *custom) add(t *tenant, samples []result.Sample, a arrival) []result.Rejection {
	var rejected []result.Rejection
	for i, s := range samples {
		target, no := c.target(t, s, a.at)
		if no == nil {
			no = target.take(s, arrival{src: a.src, at: a.at, aside: c.aside})
		}
		if no != nil {
			rejected = append(rejected, result.Rejection{Index: i, Reason: no.reason, Detail: no.detail})
			continue
		}
		if s.Kind == result.Counter || s.Temporality == result.Delta {
			c.follow(t, a.src.RunID)
		}
	}
	return rejected
}

// follow notes that a run has streams in the series of a check.
func (c *custom) follow(t *tenant, run string) { c.runs[run], t.runs[run] = t, true }

// target returns the series that a sample belongs to, and makes it if there is
// room. at is when the sample was received.
func (c *custom) target(t *tenant, s result.Sample, at time.Time) (*series, *refusal) {
	f, known, no := c.find(t, s)
	if no != nil || known != nil {
		return known, no
	}
	if no := c.room(t, f); no != nil {
		return nil, no
	}
	return c.make(t, f, at), nil
}

// find returns the family of a sample and its series, which is nil if there is none
// yet. Their labels and key stay in c, for room and make.
func (c *custom) find(t *tenant, s result.Sample) (*family, *series, *refusal) {
	f, no := c.families.find(s)
	if no != nil {
		return nil, nil, no
	}
	c.labels, c.aside = canonical(c.labels[:0], s.Labels, t.identity.taken)
	c.key = appendKey(c.key[:0], f.translated, c.labels)
	return f, t.series[string(c.key)], nil
}

// make makes the series that find has not found.
func (c *custom) make(t *tenant, f *family, at time.Time) *series {
	c.families.keep(f)
	f.description = strings.Clone(f.description) // it may be part of a request
	made := &series{family: f, tenant: t, labels: owned(c.labels), key: string(c.key), made: at}
	made.set = t.identity.attributes(made.labels)
	f.series = append(f.series, made)
	c.attach(made)
	return made
}

// room says why a series of labels and key cannot be made; nil if it can.
func (c *custom) room(t *tenant, f *family) *refusal {
	switch {
	case len(t.series) >= t.maxSeries:
		return &refusal{result.RejectedCheckLimit, fmt.Sprintf("the check has its maxSeries of %d series", t.maxSeries)}
	case c.series >= c.maxSeries:
		return &refusal{result.RejectedTotalLimit, fmt.Sprintf("the collector keeps at most %d custom series of all checks", c.maxSeries)}
	case c.bytes+seriesBytes(len(t.identity.attrs), len(c.labels), len(c.key)) > c.maxBytes:
		return &refusal{result.RejectedTotalLimit, fmt.Sprintf("the collector keeps at most %d bytes of custom series", c.maxBytes)}
	default:
		return c.families.room(f)
	}
}

func (c *custom) attach(s *series) {
	s.tenant.series[s.key] = s
	s.bytes = seriesBytes(len(s.tenant.identity.attrs), len(s.labels), len(s.key))
	c.series++
	c.bytes += s.bytes
}

func (c *custom) detach(s *series) {
	delete(s.tenant.series, s.key)
	c.series--
	c.bytes -= s.bytes
}

// relabel gives the series of a check its new identity. What the identity now
// takes is gone from their labels for good; those that have become equal are
// merged, as Prometheus would refuse both.
func (c *custom) relabel(t *tenant, maxSeries int, id identity) {
	t.maxSeries = maxSeries
	if id.equal(t.identity) {
		return
	}
	t.identity = id
	var gone []*series
	all := t.sorted()
	for _, s := range all {
		c.detach(s)
	}
	for _, s := range all {
		s.yield(id.taken)
		s.key = string(appendKey(nil, s.family.translated, s.labels))
		s.set = id.attributes(s.labels)
		if same, ok := t.series[s.key]; ok {
			same.absorb(s)
			gone = append(gone, s)
			continue
		}
		c.attach(s)
	}
	end(gone)
}

// sorted returns the series of a check by key.
func (t *tenant) sorted() []*series {
	return slices.SortedFunc(maps.Values(t.series), func(a, b *series) int { return strings.Compare(a.key, b.key) })
}

// remove ends all series of a check.
func (c *custom) remove(t *tenant) {
	gone := slices.Collect(maps.Values(t.series))
	for _, s := range gone {
		c.detach(s)
	}
	end(gone)
	for id := range t.runs {
		delete(c.runs, id)
	}
}

// end takes series that are detached out of their families.
func end(gone []*series) {
	families := map[*family]bool{}
	for _, s := range gone {
		families[s.family] = true
		s.tenant = nil
	}
	for f := range families {
		f.series = slices.DeleteFunc(f.series, func(s *series) bool { return s.tenant == nil })
	}
}

func (c *custom) endRun(id string) {
	t, ok := c.runs[id]
	if !ok {
		return
	}
	for _, s := range t.series {
		s.forget(id)
	}
	delete(c.runs, id)
	delete(t.runs, id)
}

// metrics returns the custom metrics that have series, by translated name.
func (c *custom) metrics(now time.Time) []metricdata.Metrics {
	var metrics []metricdata.Metrics
	for _, f := range c.families.sorted {
		if len(f.series) > 0 {
			metrics = append(metrics, f.metric(now))
		}
	}
	return metrics
}

func rejectAll(samples []result.Sample, why refusal) []result.Rejection {
	rejected := make([]result.Rejection, len(samples))
	for i := range samples {
		rejected[i] = result.Rejection{Index: i, Reason: why.reason, Detail: why.detail}
	}
	return rejected
}
