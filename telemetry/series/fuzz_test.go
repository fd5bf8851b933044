package series_test

import (
	"math"
	"strings"
	"testing"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/sonde-dev/sonde/telemetry/result"
	"github.com/sonde-dev/sonde/telemetry/series"
)

// FuzzCheckSample scrapes whatever passes the door, next to a sample that is
// known to be good.
func FuzzCheckSample(f *testing.F) {
	f.Add("page.load", "s", "Time to load.", "page.name", "home", 1.5)
	f.Add("a-//", "1/{x}", "", "1a", "\\\n\"", math.Copysign(0, -1))
	f.Add("x_total", "total", "\x7f", "_a", "é", 1e308)
	f.Fuzz(func(t *testing.T, name, unit, description, key, value string, v float64) {
		s := newStore(series.Config{})
		s.PutCheck(login())
		add(t, s, from("a"), gauge("known.good", 1), counter("known.good.too", 1))
		for _, kind := range []result.Kind{result.Counter, result.Gauge} {
			sample := result.Sample{Name: name, Kind: kind, Unit: unit, Description: description, Value: v, Labels: labels(key, value, "page", "home")}
			if len(series.CheckSample(sample)) == 0 {
				s.Add(login().UID, from("b"), []result.Sample{sample}, t0)
			}
		}
		text := expose(t, s, expfmt.TypeTextPlain) // fails where a scrape would
		parser := expfmt.NewTextParser(model.LegacyValidation)
		if _, err := parser.TextToMetricFamilies(strings.NewReader(text)); err != nil {
			t.Fatalf("Prometheus could not read the scrape: %v", err)
		}
	})
}
