package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/sonde-dev/sonde/telemetry/result"
	"github.com/sonde-dev/sonde/telemetry/series"
)

// report makes a Report of what was read, and adds to f what is wrong with it as
// a whole or with its samples.
func (w wire) report(f *faults) result.Report {
	r := result.Report{Claim: w.claim(f), Errors: w.errors, Duration: w.duration}
	if r.Claim != result.ClaimNone {
		r.Form = result.FormJSON
	}
	if w.dropped > 0 {
		r.Errors = append(r.Errors, fmt.Sprintf("… and %d more errors, of which nothing was kept", w.dropped))
	}
	if len(w.metrics) == 0 {
		return r
	}
	r.Samples = make([]result.Sample, 0, len(w.metrics))
	for i, m := range w.metrics {
		r.Samples = append(r.Samples, m.sample(i, f))
	}
	return r
}

// claim returns what the check says of itself. Errors alone are a failure.
func (w wire) claim(f *faults) result.Claim {
	switch {
	case w.ok == nil && len(w.errors) == 0:
		return result.ClaimNone
	case w.ok == nil || !*w.ok:
		return result.ClaimFailure
	case len(w.errors) > 0:
		f.add("/errors", `contradicts "ok": true; send "ok": false, or no errors`)
	}
	return result.ClaimSuccess
}

// sample makes a Sample of metric i. A field that could not be read is not
// judged again.
func (m wireMetric) sample(i int, f *faults) result.Sample {
	s := result.Sample{
		Name: m.name, Kind: result.Kind(m.kind), Unit: m.unit, Description: m.description,
		Labels: m.labels, Value: m.value,
	}
	if m.unread {
		return s
	}
	slices.SortStableFunc(s.Labels, func(a, b result.Label) int { return cmp.Compare(a.Name, b.Name) })
	for j := 1; j < len(s.Labels); j++ {
		if name := s.Labels[j].Name; name == s.Labels[j-1].Name {
			f.add(metricPointer(i, "labels/"+name), "is written twice")
		}
	}
	s.Labels = slices.CompactFunc(s.Labels, func(a, b result.Label) bool { return a.Name == b.Name })
	for _, fault := range series.CheckSample(s) {
		if !slices.Contains(m.faulty, fault.Field) {
			f.add(metricPointer(i, fault.Field), fault.Detail)
		}
	}
	return s
}

// metricPointer returns the pointer to a field of metric i, as package series
// names fields: "value", or "labels/" and a label's name.
func metricPointer(i int, field string) string {
	field, label, isLabel := strings.Cut(field, "/")
	pointer := fmt.Sprintf("/metrics/%d/%s", i, field)
	if isLabel {
		pointer += "/" + escape(clip(label))
	}
	return pointer
}
