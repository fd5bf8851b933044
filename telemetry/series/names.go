package series

import (
	"strings"

	"github.com/prometheus/otlptranslator"

	"github.com/sonde-dev/sonde/telemetry/result"
)

// metricName returns the name under which exporters/prometheus exposes a metric,
// in its default strategy: counters end in _total, units become suffixes.
func metricName(name, unit string, kind result.Kind) (string, error) {
	var typ otlptranslator.MetricType = otlptranslator.MetricTypeGauge
	if kind == result.Counter {
		typ = otlptranslator.MetricTypeMonotonicCounter
	}
	namer := otlptranslator.NewMetricNamer("", otlptranslator.UnderscoreEscapingWithSuffixes)
	return namer.Build(otlptranslator.Metric{Name: name, Unit: unit, Type: typ})
}

// baseName returns the name of a metric's family in OpenMetrics, which leaves the
// suffix of counters to their samples.
func baseName(translated string, kind result.Kind) string {
	if kind == result.Counter {
		return strings.TrimSuffix(translated, "_total")
	}
	return translated
}

// labelName returns the name under which exporters/prometheus exposes an
// attribute.
func labelName(name string) (string, error) {
	namer := otlptranslator.LabelNamer{}
	return namer.Build(name)
}

// reservedLabel says whether a label, as written or as translated, would be taken
// by Prometheus, by the exporter or by a scrape's own labels for theirs.
func reservedLabel(name string) bool {
	switch name {
	case "le", "quantile", "job", "instance":
		return true
	default:
		return strings.HasPrefix(name, "__") || strings.HasPrefix(name, "otel_scope_")
	}
}

// reservedMetric says whether a translated name is kept for metrics of Sonde, of
// the Go runtime, of the exporter or of Prometheus itself.
func reservedMetric(translated string) bool {
	switch translated {
	case "up", "target_info":
		return true
	}
	for _, prefix := range []string{"sonde_", "go_", "process_", "promhttp_", "scrape_", "otel_"} {
		if strings.HasPrefix(translated, prefix) {
			return true
		}
	}
	return false
}
