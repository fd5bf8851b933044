package series

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/sonde-dev/sonde/telemetry/result"
)

// family is the series of one custom metric, of all checks. It owns its
// translated name with one kind and one unit. It stays when its last series ends:
// exporters/prometheus pins the type of a name for the life of the process, and
// would drop a name that came back as another kind.
type family struct {
	translated  string // unique
	spelling           // of the first sample; it owns how the name is written
	description string
	series      []*series // in order of making
}

// spelling is how an author writes a metric.
type spelling struct {
	name string
	kind result.Kind
	unit string
}

func (s spelling) String() string {
	if s.unit == "" {
		return fmt.Sprintf("%s %q without unit", s.kind, s.name)
	}
	return fmt.Sprintf("%s %q with unit %q", s.kind, s.name, s.unit)
}

// families is all custom metrics ever seen.
type families struct {
	limit      int       // of names
	sorted     []*family // by translated name
	bySpelling map[spelling]*family

	// byName has every family under its translated name and under its name in
	// OpenMetrics, where counter x and gauge x would be one family.
	byName map[string]*family
}

func newFamilies(limit int) *families {
	return &families{limit: limit, bySpelling: map[spelling]*family{}, byName: map[string]*family{}}
}

// undescribed is the help text of a metric whose author gave none: a metric without
// one is a fault to promtool.
const undescribed = "Reported by checks."

// find returns the family of a sample. One that has no series yet is new, and
// becomes known only by keep: a sample that is not taken must not claim a name.
func (f *families) find(s result.Sample) (*family, *refusal) {
	wanted := spelling{s.Name, s.Kind, s.Unit}
	if known, ok := f.bySpelling[wanted]; ok {
		return known, nil
	}
	translated, err := metricName(s.Name, s.Unit, s.Kind)
	if err != nil {
		return nil, &refusal{result.RejectedType, fmt.Sprintf("%q cannot be made a Prometheus name", s.Name)}
	}
	for _, name := range []string{translated, baseName(translated, s.Kind)} {
		known, ok := f.byName[name]
		if !ok {
			continue
		}
		if known.translated == translated && known.kind == s.Kind && known.unit == s.Unit {
			return known, nil
		}
		return nil, &refusal{result.RejectedType, fmt.Sprintf("%s is %q to Prometheus, a name that is in use by %s", wanted, name, known)}
	}
	return &family{translated: translated, spelling: wanted, description: cmp.Or(s.Description, undescribed)}, nil
}

// room says why a family that find returned cannot be kept; nil if it can.
func (f *families) room(of *family) *refusal {
	if f.byName[of.translated] == nil && len(f.sorted) >= f.limit {
		return &refusal{result.RejectedTotalLimit, fmt.Sprintf("the collector keeps at most %d names of custom metrics", f.limit)}
	}
	return nil
}

// keep makes a family known that find returned.
func (f *families) keep(of *family) {
	if f.byName[of.translated] != nil {
		return
	}
	f.bySpelling[of.spelling] = of
	f.byName[of.translated] = of
	f.byName[baseName(of.translated, of.kind)] = of
	i, _ := slices.BinarySearchFunc(f.sorted, of.translated, func(f *family, name string) int { return cmp.Compare(f.translated, name) })
	f.sorted = slices.Insert(f.sorted, i, of)
}

// metric returns the family's series now; it has at least one.
func (f *family) metric(now time.Time) metricdata.Metrics {
	m := metricdata.Metrics{Name: f.name, Unit: f.unit, Description: f.description}
	points := make([]metricdata.DataPoint[float64], len(f.series))
	for i, s := range f.series {
		points[i] = metricdata.DataPoint[float64]{Attributes: s.set, Time: now, Value: s.value}
	}
	if f.kind != result.Counter {
		m.Data = metricdata.Gauge[float64]{DataPoints: points}
		return m
	}
	for i, s := range f.series {
		points[i].StartTime = s.made
	}
	m.Data = metricdata.Sum[float64]{DataPoints: points, Temporality: metricdata.CumulativeTemporality, IsMonotonic: true}
	return m
}
