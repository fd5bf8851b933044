package series

import (
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	otelprom "go.opentelemetry.io/otel/exporters/prometheus"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"

	"github.com/sonde-dev/sonde/telemetry/result"
)

// TestNamesAreThoseOfTheExporter compares metricName and labelName with what
// exporters/prometheus makes of the same sample.
func TestNamesAreThoseOfTheExporter(t *testing.T) {
	for _, kind := range []result.Kind{result.Gauge, result.Counter} {
		for _, unit := range []string{"", "1", "s", "ms", "By", "By/s", "{request}", "{a}/{b}", "%", "m/s2", "total", "ratio", "_x_", "/"} {
			for _, name := range []string{"x", "x.y", "x_total", "total", "x.total.y", "x.ratio", "x_seconds", "a--b", "a.", "A/b_", "x.per.second", "x.bytes.total"} {
				checkNames(t, result.Sample{Name: name, Kind: kind, Unit: unit, Labels: []result.Label{{Name: "1a.-b_", Value: "x"}}})
			}
		}
	}
}

func checkNames(t *testing.T, sample result.Sample) {
	t.Helper()
	s := New(Config{}, time.Now)
	s.PutCheck(Check{UID: "u", Key: result.Key{Namespace: "n", Name: "c"}, MaxSeries: 1})
	s.Add("u", Source{}, []result.Sample{sample}, time.Time{})
	registry := prometheus.NewRegistry()
	exporter, err := otelprom.New(otelprom.WithRegisterer(registry), otelprom.WithProducer(s), otelprom.WithoutScopeInfo(), otelprom.WithoutTargetInfo())
	if err != nil {
		t.Fatal(err)
	}
	_ = sdkmetric.NewMeterProvider(sdkmetric.WithReader(exporter))
	scrape, err := registry.Gather()
	if err != nil {
		t.Fatalf("%+v: %v", sample, err)
	}
	want, err := metricName(sample.Name, sample.Unit, sample.Kind)
	if err != nil {
		t.Fatal(err)
	}
	wantLabel, err := labelName(sample.Labels[0].Name)
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range scrape {
		if family.GetName() != want {
			continue
		}
		for _, l := range family.GetMetric()[0].GetLabel() {
			if l.GetName() == wantLabel {
				return
			}
		}
	}
	t.Errorf("%s %q with unit %q: the exporter has no %s{%s}", sample.Kind, sample.Name, sample.Unit, want, wantLabel)
}
