package series_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"
	"go.opentelemetry.io/otel/attribute"
	otelprom "go.opentelemetry.io/otel/exporters/prometheus"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/sonde-dev/sonde/telemetry/result"
	"github.com/sonde-dev/sonde/telemetry/series"
)

var update = flag.Bool("update", false, "write the golden files")

const runID = "0af76519-16cd-43dd-8448-eb211c80319c"

var t0 = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func fixed() time.Time { return t0 }

func newStore(c series.Config) *series.Store { return series.New(c, fixed) }

func login() series.Check {
	return series.Check{
		UID: "uid-login", Key: result.Key{Namespace: "shop", Name: "login"}, MaxSeries: 200,
		Labels: []result.Label{{Name: "owner", Value: "payments"}},
		Info:   []result.Label{{Name: "sonde.check.schedule", Value: "*/5 * * * *"}},
	}
}

func run(r result.Result, why result.Reason) result.Run {
	return result.Run{
		Check: login().Key, CheckUID: login().UID, ID: runID,
		Scheduled: t0, Started: t0.Add(2 * time.Second), Decided: t0.Add(10 * time.Second), Duration: 4 * time.Second,
		Verdict: result.Verdict{Result: r, Reason: why},
	}
}

func counter(name string, v float64, labels ...result.Label) result.Sample {
	return result.Sample{Name: name, Kind: result.Counter, Value: v, Labels: labels}
}

func gauge(name string, v float64, labels ...result.Label) result.Sample {
	return result.Sample{Name: name, Kind: result.Gauge, Value: v, Labels: labels}
}

func from(run string) series.Source { return series.Source{RunID: run} }

// add adds samples of the check login, none of which may be rejected.
func add(t *testing.T, s *series.Store, src series.Source, samples ...result.Sample) {
	t.Helper()
	if rejected := s.Add(login().UID, src, samples, t0); len(rejected) > 0 {
		t.Fatalf("Add() rejected %v", rejected)
	}
}

// gather returns what a scrape through exporters/prometheus would get, with
// nothing that could be forgiven.
func gather(t *testing.T, s *series.Store) prometheus.Gatherer {
	t.Helper()
	registry := prometheus.NewRegistry()
	exporter, err := otelprom.New(otelprom.WithRegisterer(registry), otelprom.WithProducer(s), otelprom.WithoutScopeInfo(), otelprom.WithoutTargetInfo())
	if err != nil {
		t.Fatal(err)
	}
	meters := sdkmetric.NewMeterProvider(sdkmetric.WithReader(exporter))
	t.Cleanup(func() { _ = meters.Shutdown(t.Context()) })
	return registry
}

// expose returns the text of a scrape.
func expose(t *testing.T, s *series.Store, format expfmt.FormatType) string {
	t.Helper()
	found, err := gather(t, s).Gather()
	if err != nil {
		t.Fatalf("scrape: %v", err)
	}
	var out bytes.Buffer
	encoder := expfmt.NewEncoder(&out, expfmt.NewFormat(format))
	for _, family := range found {
		if err := encoder.Encode(family); err != nil {
			t.Fatal(err)
		}
	}
	return out.String()
}

// values returns the custom series of a store: name{labels} to value.
func values(t *testing.T, s *series.Store) map[string]float64 {
	t.Helper()
	got := map[string]float64{}
	for _, m := range produce(t, s) {
		if strings.HasPrefix(m.Name, "sonde.") {
			continue
		}
		var points []metricdata.DataPoint[float64]
		switch data := m.Data.(type) {
		case metricdata.Sum[float64]:
			points = data.DataPoints
		case metricdata.Gauge[float64]:
			points = data.DataPoints
		}
		for _, p := range points {
			got[m.Name+"{"+p.Attributes.Encoded(attribute.DefaultEncoder())+"}"] = p.Value
		}
	}
	return got
}

func produce(t *testing.T, s *series.Store) []metricdata.Metrics {
	t.Helper()
	scopes, err := s.Produce(t.Context())
	if err != nil || len(scopes) != 1 {
		t.Fatalf("Produce() = %d scopes, %v", len(scopes), err)
	}
	return scopes[0].Metrics
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-golden +got), go test -update to accept:\n%s", path, diff)
	}
}
