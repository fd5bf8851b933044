package series_test

import (
	"fmt"
	"testing"

	"github.com/sonde-dev/sonde/telemetry/result"
	"github.com/sonde-dev/sonde/telemetry/series"
)

// tenThousand returns a store of 100 checks with 100 custom series each, and the
// report that made those of each check.
func tenThousand(b *testing.B) (*series.Store, []result.Sample) {
	b.Helper()
	s := newStore(series.Config{})
	report := make([]result.Sample, 100)
	for i := range report {
		report[i] = counter(fmt.Sprint("login.steps.", i%10), 1, labels("http.method", "GET", "page", fmt.Sprint(i))...)
	}
	for i := range 100 {
		uid := fmt.Sprint(i)
		s.PutCheck(series.Check{UID: uid, Key: result.Key{Namespace: "shop", Name: uid}, MaxSeries: 100})
		if rejected := s.Add(uid, from(uid), report, t0); len(rejected) > 0 {
			b.Fatal(rejected)
		}
	}
	return s, report
}

// BenchmarkAdd adds a report of 100 samples that are known, of a new run.
func BenchmarkAdd(b *testing.B) {
	s, report := tenThousand(b)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		id := fmt.Sprint(i)
		s.Add(fmt.Sprint(i%100), from(id), report, t0)
		s.EndRun(id)
	}
}

// BenchmarkNew makes 10,000 series; B/op over 10,000 is to stay below SeriesBytes.
func BenchmarkNew(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		tenThousand(b)
	}
}

// BenchmarkProduce reads 10,000 custom series and the own ones of 100 checks.
func BenchmarkProduce(b *testing.B) {
	s, _ := tenThousand(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Produce(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}
