package otlp_test

import (
	"fmt"
	"testing"

	"github.com/sonde-dev/sonde/receiver/otlp"
)

// BenchmarkDecode is one request of counters with four attributes each, from bytes to
// a report.
func BenchmarkDecode(b *testing.B) {
	for _, n := range []int{20, 9000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			raw, origin := points(b, n), from(b)
			b.SetBytes(int64(len(raw)))
			b.ReportAllocs()
			for b.Loop() {
				taken, err := otlp.Decode(otlp.Metrics, otlp.Protobuf, raw, origin)
				if err != nil || len(taken.Report.Samples) != n || taken.Rejected.Points > 0 {
					b.Fatal(len(taken.Report.Samples), taken.Rejected.Message(), err)
				}
			}
		})
	}
}
