package ledger_test

import (
	"fmt"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"go.opentelemetry.io/otel/metric/noop"

	"github.com/sonde-dev/sonde/telemetry/journal"
	"github.com/sonde-dev/sonde/telemetry/ledger"
	"github.com/sonde-dev/sonde/telemetry/result"
	"github.com/sonde-dev/sonde/telemetry/series"
)

// onDisk returns a ledger on a real file, with its journal.
func onDisk(b *testing.B, dir string) (*ledger.Ledger, *journal.Journal) {
	b.Helper()
	disk, err := journal.Open(dir)
	if err != nil {
		b.Fatal(err)
	}
	book, err := ledger.New(ledger.Config{
		Series: series.New(series.Config{}, time.Now), Journal: disk, Log: slog.New(slog.DiscardHandler),
		Meter: noop.Meter{}, Now: time.Now, Changed: func(result.Key) {},
	})
	if err != nil {
		b.Fatal(err)
	}
	return book, disk
}

// fill makes checks with a run each that goes on, and returns reports of them: ten
// series and five labels each.
func fill(b *testing.B, book *ledger.Ledger, checks int) []result.Report {
	b.Helper()
	var reports []result.Report
	for i := range checks {
		uid, id := fmt.Sprintf("7c9e6679-7425-40de-944b-%012d", i), fmt.Sprintf("0f8fad5b-d9cb-469f-a165-%012d", i)
		if err := book.PutCheck(b.Context(), checkOf(uid, fmt.Sprint("check-", i))); err != nil {
			b.Fatal(err)
		}
		if _, err := book.Observe(b.Context(), ledger.RunRef{ID: id, Name: fmt.Sprint("check-", i, "-1"), CheckUID: uid}, running(1)); err != nil {
			b.Fatal(err)
		}
		r := result.Report{RunID: id, CheckUID: uid}
		for n := range 10 {
			r.Samples = append(r.Samples, result.Sample{
				Name: fmt.Sprint("pages.visited.", n), Kind: result.Counter, Value: 5,
				Labels: []result.Label{{Name: "host", Value: "shop.example"}, {Name: "method", Value: "GET"}, {Name: "page", Value: "/basket"}, {Name: "region", Value: "eu-west-2"}, {Name: "status", Value: "200"}},
			})
		}
		reports = append(reports, r)
	}
	return reports
}

// BenchmarkAccept is reports of ten series from so many senders at once, each of which
// waits for the disk.
func BenchmarkAccept(b *testing.B) {
	for _, senders := range []int{1, 128} {
		b.Run(fmt.Sprint("senders=", senders), func(b *testing.B) {
			book, disk := onDisk(b, b.TempDir())
			defer disk.Close()
			reports := fill(b, book, 1000)
			book.Close() // folds
			before, _ := disk.Size()
			var n atomic.Int64
			b.SetParallelism((senders + 1) / 2)
			b.ReportAllocs()
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					i := n.Add(1)
					r := reports[i%int64(len(reports))]
					r.Received = time.Now()
					if _, err := book.Accept(b.Context(), r); err != nil {
						b.Error(err)
					}
				}
			})
			b.StopTimer()
			after, _ := disk.Size()
			b.ReportMetric(float64(after-before)/float64(b.N), "file-B/op")
		})
	}
}

// BenchmarkStart is the start of a process over so many reports in the journal.
func BenchmarkStart(b *testing.B) {
	const reports = 10_000
	dir := b.TempDir()
	book, disk := onDisk(b, dir)
	all := fill(b, book, 1000)
	for i := range reports {
		r := all[i%len(all)]
		r.Received = time.Now()
		if _, err := book.Accept(b.Context(), r); err != nil {
			b.Fatal(err)
		}
	}
	if err := disk.Close(); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		_, disk := onDisk(b, dir)
		if err := disk.Close(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(b.Elapsed().Seconds()/float64(b.N)/reports*1e9, "ns/report")
}

// BenchmarkFold is a fold of 1,000 checks with ten series each.
func BenchmarkFold(b *testing.B) {
	book, disk := onDisk(b, b.TempDir())
	defer disk.Close()
	all := fill(b, book, 1000)
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		for _, r := range all {
			r.Received = time.Now()
			if _, err := book.Accept(b.Context(), r); err != nil {
				b.Fatal(err)
			}
		}
		b.StartTimer()
		book.Close()
	}
	size, _ := disk.Size()
	b.ReportMetric(float64(size)/1000, "file-B/check")
}
