// Package samples makes metrics that came by scrape and by push comparable: both
// become samples under the names and labels that Prometheus has for them.
package samples

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// Samples are values by name and labels, as Prometheus writes them: labels sorted,
// name{label="value"}.
type Samples map[string]float64

// With returns those samples that have all of the labels (name, value, name, value …).
func (s Samples) With(labels ...string) Samples {
	found := maps.Clone(s)
	for i := 0; i+1 < len(labels); i += 2 {
		label := fmt.Sprintf("%s=%q", labels[i], labels[i+1])
		maps.DeleteFunc(found, func(key string, _ float64) bool {
			return !strings.Contains(key, "{"+label) && !strings.Contains(key, ","+label)
		})
	}
	return found
}

// Of returns the samples of one name.
func (s Samples) Of(name string) Samples {
	found := maps.Clone(s)
	maps.DeleteFunc(found, func(key string, _ float64) bool { return key != name && !strings.HasPrefix(key, name+"{") })
	return found
}

// add adds a sample. That it is there already is an error: there is one truth.
func (s Samples) add(name string, labels map[string]string, value float64) error {
	pairs := make([]string, 0, len(labels))
	for _, label := range slices.Sorted(maps.Keys(labels)) {
		pairs = append(pairs, fmt.Sprintf("%s=%q", label, labels[label]))
	}
	key := name
	if len(pairs) > 0 {
		key += "{" + strings.Join(pairs, ",") + "}"
	}
	if _, there := s[key]; there {
		return fmt.Errorf("%s is there twice", key)
	}
	s[key] = value
	return nil
}

// histogram adds what text has of a histogram; buckets are cumulative counts by upper
// bound, without that of +Inf, which is the count.
func (s Samples) histogram(name string, labels map[string]string, h histogram) error {
	for bound, count := range h.buckets {
		if err := s.bucket(name, labels, bound, count); err != nil {
			return err
		}
	}
	if err := s.bucket(name, labels, math.Inf(1), h.count); err != nil {
		return err
	}
	if err := s.add(name+"_count", labels, h.count); err != nil {
		return err
	}
	return s.add(name+"_sum", labels, h.sum)
}

type histogram struct {
	buckets    map[float64]float64
	count, sum float64
}

func (s Samples) bucket(name string, labels map[string]string, bound, count float64) error {
	of := maps.Clone(labels)
	of["le"] = strconv.FormatFloat(bound, 'g', -1, 64)
	return s.add(name+"_bucket", of, count)
}

// FromText reads an exposition in Prometheus' text format.
func FromText(exposition string) (Samples, error) {
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(exposition))
	if err != nil {
		return nil, err
	}
	out := Samples{}
	for name, family := range families {
		for _, m := range family.GetMetric() {
			if err := out.metric(name, m); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

func (s Samples) metric(name string, m *dto.Metric) error {
	labels := map[string]string{}
	for _, l := range m.GetLabel() {
		labels[l.GetName()] = l.GetValue()
	}
	if h := m.GetHistogram(); h != nil {
		in := histogram{buckets: map[float64]float64{}, count: float64(h.GetSampleCount()), sum: h.GetSampleSum()}
		for _, b := range h.GetBucket() {
			if !math.IsInf(b.GetUpperBound(), 1) {
				in.buckets[b.GetUpperBound()] = float64(b.GetCumulativeCount())
			}
		}
		return s.histogram(name, labels, in)
	}
	return s.add(name, labels, m.GetCounter().GetValue()+m.GetGauge().GetValue()+m.GetUntyped().GetValue())
}
