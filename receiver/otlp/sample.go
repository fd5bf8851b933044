package otlp

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/sonde-dev/sonde/telemetry/result"
	"github.com/sonde-dev/sonde/telemetry/series"
)

// of is what a point is one of.
type of struct {
	name, unit, description string // without the credential, and cut where they are too long

	kind        result.Kind
	temporality result.Temporality
	from        origin
}

// of returns what the points of m are of. Its text is looked at once and not for each of
// them.
func (d *decoder) of(m pmetric.Metric, kind result.Kind, from origin) of {
	return of{
		name:        result.Truncate(d.clean(m.Name()), series.MaxNameBytes+1), // a fault all the same
		unit:        result.Truncate(d.clean(m.Unit()), series.MaxUnitBytes+1),
		description: result.Truncate(d.clean(m.Description()), series.MaxDescriptionBytes),
		kind:        kind, from: from,
	}
}

// point takes one point of a custom metric, or rejects it.
func (d *decoder) point(p pmetric.NumberDataPoint, of of) {
	if p.Flags().NoRecordedValue() {
		return
	}
	d.points++
	name := of.name
	if d.points > MaxPoints {
		d.rejected.Add(1, RequestLimit, "", fmt.Sprintf("of one request %d points are taken; send them in several", MaxPoints))
		return
	}
	value, ok := number(p)
	switch {
	case !ok:
		d.reject(1, Invalid, name, "a point must have a value")
		return
	case of.temporality != result.Total && p.Timestamp() == 0:
		d.reject(1, Invalid, name, "a point of a sum must have a time")
		return
	case !inRange(p.Timestamp()) || !inRange(p.StartTimestamp()):
		d.reject(1, Invalid, name, "its times must be in nanoseconds, before the year 2262")
		return
	}
	s := d.sample(p, of, value)
	if faults := series.CheckSample(s); len(faults) > 0 {
		d.reject(1, Invalid, name, faults[0].Field+" "+faults[0].Detail)
		return
	}
	d.samples = append(d.samples, s)
}

// sample returns a point as a sample. Only a sum has a start and a stream: a gauge is
// what was measured last, wherever it was.
func (d *decoder) sample(p pmetric.NumberDataPoint, of of, value float64) result.Sample {
	labels, ofRun := d.labels(p.Attributes())
	s := result.Sample{
		Name: of.name, Kind: of.kind, Unit: of.unit, Description: of.description,
		Labels: labels, Value: value, Temporality: of.temporality, Time: at(p.Timestamp()),
	}
	if of.temporality != result.Total {
		s.Start, s.Stream = at(p.StartTimestamp()), of.from.stream(ofRun)
	}
	return s
}

// at returns a time of OTLP, in which zero is not known.
func at(t pcommon.Timestamp) time.Time {
	if t == 0 {
		return time.Time{}
	}
	return t.AsTime()
}

// labels returns the attributes of a point, sorted by name, of which the first of a
// name counts; and apart from them those that are of one run only.
func (d *decoder) labels(attrs pcommon.Map) (labels, ofRun []result.Label) {
	if attrs.Len() == 0 {
		return nil, nil
	}
	labels = make([]result.Label, 0, attrs.Len())
	for key, value := range attrs.All() {
		label := result.Label{Name: key, Value: value.AsString()}
		if isOfRun(key) {
			ofRun = append(ofRun, label)
			continue
		}
		labels = append(labels, result.Label{Name: d.clean(key), Value: d.clean(label.Value)})
	}
	return byName(labels), byName(ofRun)
}

// byName sorts labels, and leaves out what has the name of an earlier one.
func byName(labels []result.Label) []result.Label {
	if len(labels) == 0 {
		return nil
	}
	slices.SortStableFunc(labels, func(a, b result.Label) int { return cmp.Compare(a.Name, b.Name) })
	return slices.CompactFunc(labels, func(a, b result.Label) bool { return a.Name == b.Name })
}
