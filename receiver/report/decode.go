package report

import (
	"github.com/sonde-dev/sonde/receiver/credential"
	"github.com/sonde-dev/sonde/telemetry/result"
)

// report reads the whole document.
func (d *decoder) report() wire {
	var w wire
	d.object([]string{"ok", "errors", "duration", "metrics"}, func(field string) {
		switch field {
		case "ok":
			w.ok = d.boolean()
		case "errors":
			d.errors(&w)
		case "duration":
			w.duration = d.duration()
		case "metrics":
			w.metrics = d.metrics()
		}
	})
	return w
}

// errors reads the errors and keeps the first ones. The credential is taken out
// before a text is cut, or half of it could stay.
func (d *decoder) errors(w *wire) {
	d.array(func(i int) {
		if i >= MaxErrors {
			w.dropped++
			d.skip()
			return
		}
		w.errors = append(w.errors, result.Truncate(d.str(), MaxErrorBytes))
	})
}

// metrics reads the metrics, at most MaxMetrics of them.
func (d *decoder) metrics() []wireMetric {
	var metrics []wireMetric
	n := 0
	d.array(func(int) {
		n++
		if n > MaxMetrics {
			d.skip()
			return
		}
		metrics = append(metrics, d.metric())
	})
	if n > MaxMetrics {
		d.fault("must have at most %d elements, not %d", MaxMetrics, n)
	}
	return metrics
}

// metric reads one metric.
func (d *decoder) metric() wireMetric {
	if d.kind() != kindObject {
		d.expect(kindObject)
		return wireMetric{unread: true}
	}
	m := wireMetric{kind: string(result.Gauge)}
	var named, valued bool
	d.object([]string{"name", "value", "kind", "unit", "description", "labels"}, func(field string) {
		before := d.faults.total
		switch field {
		case "name":
			m.name, named = d.str(), true
		case "value":
			m.value, valued = d.number(), true
		case "kind":
			m.kind = d.str()
		case "unit":
			m.unit = d.str()
		case "description":
			m.description = d.str()
		case "labels":
			m.labels = d.labels()
		}
		if d.faults.total > before {
			m.faulty = append(m.faulty, field)
		}
	})
	if !named {
		m.faulty = append(m.faulty, d.missing("name"))
	}
	if !valued {
		m.faulty = append(m.faulty, d.missing("value"))
	}
	return m
}

// missing refuses that a field of the object just read was left out, and returns
// the field.
func (d *decoder) missing(field string) string {
	d.path = append(d.path, step{name: []byte(field)})
	d.fault("is required")
	d.path = d.path[:len(d.path)-1]
	return field
}

// labels reads an object of strings. How many may be, and what they may be
// called, is for series.CheckSample to say.
func (d *decoder) labels() []result.Label {
	if !d.expect(kindObject) {
		return nil
	}
	var labels []result.Label
	for name := range d.members() {
		d.path = append(d.path, step{name: name})
		label := result.Label{Name: credential.Redact(string(name), d.credential)}
		if is := d.kind(); is == kindString {
			label.Value = d.str()
		} else {
			d.fault("must be a string, not %s: put it in double quotes", is)
			d.skip()
		}
		labels = append(labels, label)
		d.path = d.path[:len(d.path)-1]
	}
	return labels
}
