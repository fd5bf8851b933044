package samples

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/prometheus/otlptranslator"
)

// FromOTLP reads metrics in OTLP JSON. Of an exponential histogram it takes what text
// can say of it: count and sum. The resource is not part of a sample: it is the
// sender's, whom a scrape knows otherwise.
func FromOTLP(text []byte) (Samples, error) {
	var batch struct {
		ResourceMetrics []struct {
			ScopeMetrics []struct{ Metrics []metric }
		}
	}
	if err := json.Unmarshal(text, &batch); err != nil {
		return nil, fmt.Errorf("decode OTLP: %w", err)
	}
	out := Samples{}
	for _, resource := range batch.ResourceMetrics {
		for _, scope := range resource.ScopeMetrics {
			for _, m := range scope.Metrics {
				if err := out.otlp(m); err != nil {
					return nil, err
				}
			}
		}
	}
	return out, nil
}

// metric is a metric in OTLP JSON; one of its kinds is set.
type metric struct {
	Name, Unit           string
	Gauge                *points
	Sum                  *points
	Histogram            *points
	ExponentialHistogram *points
}

type points struct {
	IsMonotonic bool
	DataPoints  []point
}

// point has the fields of a number's and of a histogram's.
type point struct {
	Attributes     []attribute
	AsDouble       number
	AsInt          number
	Count, Sum     number
	BucketCounts   []number
	ExplicitBounds []number
}

// attribute is a name and a value, which is an object of one field, named by its type.
type attribute struct {
	Key   string
	Value map[string]json.RawMessage
}

// number is one that JSON may have in quotes: 64-bit integers, NaN and Infinity.
type number float64

// UnmarshalJSON implements json.Unmarshaler.
func (n *number) UnmarshalJSON(text []byte) error {
	value, err := strconv.ParseFloat(strings.Trim(string(text), `"`), 64)
	*n = number(value)
	return err
}

// kind returns the points of a metric and what its name depends on.
func (m metric) kind() (*points, otlptranslator.MetricType) {
	switch {
	case m.Gauge != nil:
		return m.Gauge, otlptranslator.MetricTypeGauge
	case m.Sum != nil && m.Sum.IsMonotonic:
		return m.Sum, otlptranslator.MetricTypeMonotonicCounter
	case m.Sum != nil:
		return m.Sum, otlptranslator.MetricTypeNonMonotonicCounter
	case m.Histogram != nil:
		return m.Histogram, otlptranslator.MetricTypeHistogram
	case m.ExponentialHistogram != nil:
		return m.ExponentialHistogram, otlptranslator.MetricTypeHistogram
	default:
		return &points{}, otlptranslator.MetricTypeUnknown
	}
}

func (s Samples) otlp(m metric) error {
	of, kind := m.kind()
	namer := otlptranslator.NewMetricNamer("", otlptranslator.UnderscoreEscapingWithSuffixes)
	name, err := namer.Build(otlptranslator.Metric{Name: m.Name, Unit: m.Unit, Type: kind})
	if err != nil {
		return err
	}
	for _, p := range of.DataPoints {
		labels, err := p.labels()
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if kind == otlptranslator.MetricTypeHistogram {
			err = s.histogram(name, labels, p.histogram())
		} else {
			err = s.add(name, labels, float64(p.AsDouble+p.AsInt))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// labels are the point's attributes as Prometheus names them.
func (p point) labels() (map[string]string, error) {
	labels := map[string]string{}
	namer := otlptranslator.LabelNamer{}
	for _, a := range p.Attributes {
		name, err := namer.Build(a.Key)
		if err != nil {
			return nil, err
		}
		for _, raw := range a.Value {
			text := string(raw) // of a bool or a double
			if len(raw) > 0 && raw[0] == '"' {
				if err := json.Unmarshal(raw, &text); err != nil {
					return nil, err
				}
			}
			labels[name] = text
		}
	}
	return labels, nil
}

func (p point) histogram() histogram {
	h := histogram{buckets: map[float64]float64{}, count: float64(p.Count), sum: float64(p.Sum)}
	sum := 0.0
	for i, bound := range p.ExplicitBounds {
		sum += float64(p.BucketCounts[i])
		h.buckets[float64(bound)] = sum
	}
	return h
}
