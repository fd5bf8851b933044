package series

import (
	"slices"

	"go.opentelemetry.io/otel/attribute"

	"github.com/sonde-dev/sonde/telemetry/result"
)

// The attribute keys of Sonde's own metrics. Every series of a check has the
// first two.
const (
	AttributeNamespace = "k8s.namespace.name"
	AttributeCheck     = "sonde.check.name"
	AttributeResult    = "result"
	AttributeReason    = "reason"
)

// identity is the attributes that every series of a check has. It is not changed
// after it is made.
type identity struct {
	attrs []attribute.KeyValue
	taken map[string]bool // the translated names of attrs
}

func newIdentity(c Check) identity {
	id := identity{taken: map[string]bool{}}
	fixed := []result.Label{{Name: AttributeNamespace, Value: c.Key.Namespace}, {Name: AttributeCheck, Value: c.Key.Name}}
	id.attrs = extend(nil, fixed, id.taken)
	id.taken[AttributeResult], id.taken[AttributeReason] = true, true // sonde.check.runs and .status need them
	id.attrs = extend(id.attrs, c.Labels, id.taken)
	delete(id.taken, AttributeResult)
	delete(id.taken, AttributeReason)
	return id
}

// equal says whether the two give series the same attributes.
func (id identity) equal(other identity) bool {
	a, b := id.with(), other.with()
	return a.Equals(&b)
}

// with returns the identity together with more.
func (id identity) with(more ...attribute.KeyValue) attribute.Set {
	return attribute.NewSet(append(slices.Clone(id.attrs), more...)...)
}

// info returns the identity together with those of labels that it has not.
func (id identity) info(labels []result.Label) attribute.Set {
	taken := map[string]bool{}
	for name := range id.taken {
		taken[name] = true
	}
	return attribute.NewSet(extend(slices.Clone(id.attrs), labels, taken)...)
}

// extend appends to attrs those of labels that can be exposed next to what is
// taken, and takes their names. An empty value is no label to Prometheus.
func extend(attrs []attribute.KeyValue, labels []result.Label, taken map[string]bool) []attribute.KeyValue {
	for _, l := range labels {
		translated, err := labelName(l.Name)
		value := result.Truncate(l.Value, MaxLabelValueBytes)
		if err != nil || value == "" || taken[translated] || reservedLabel(translated) || reservedLabel(l.Name) {
			continue
		}
		taken[translated] = true
		attrs = append(attrs, attribute.String(l.Name, value))
	}
	return attrs
}
