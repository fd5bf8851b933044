package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/metric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/resource"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"

	runs "github.com/sonde-dev/sonde/controller/run"
	"github.com/sonde-dev/sonde/receiver/credential"
	"github.com/sonde-dev/sonde/telemetry/export"
	"github.com/sonde-dev/sonde/telemetry/journal"
	"github.com/sonde-dev/sonde/telemetry/ledger"
	"github.com/sonde-dev/sonde/telemetry/series"
)

// pipeline is what a report goes through, from the ledger to the exporters.
type pipeline struct {
	book     *ledger.Ledger
	verdicts *runs.Queue  // checks whose standing may have changed
	metrics  http.Handler // of /metrics
	meter    metric.Meter // for Sonde's own health

	pushes []*export.Push
	meters *sdkmetric.MeterProvider
	disk   *journal.Journal
}

// openPipeline restores what the data folder holds.
func openPipeline(ctx context.Context, c receiverConfig, log *slog.Logger) (*pipeline, error) {
	store := series.New(series.Config{MaxSeries: c.MaxSeries, ClassicBuckets: c.durationBuckets()}, time.Now)
	restored := &gate{Producer: store}
	pushes, err := push(ctx, c.Destinations, export.Pushing{Producer: restored, Now: time.Now, Log: log})
	if err != nil {
		return nil, err
	}
	metrics, meters, err := export.Prometheus(export.Config{Producer: restored, Resource: describe(), Pushes: pushes, Version: version, Log: log})
	if err != nil {
		return nil, err
	}
	disk, err := openJournal(c.DataDir)
	if err != nil {
		return nil, err
	}
	out := &pipeline{
		verdicts: &runs.Queue{}, metrics: metrics, meter: meters.Meter("github.com/sonde-dev/sonde"),
		pushes: pushes, meters: meters, disk: disk,
	}
	out.book, err = ledger.New(ledger.Config{
		Series: store, Journal: disk, Log: log, Meter: out.meter, Now: time.Now, Changed: out.verdicts.Add,
	})
	if err != nil {
		return nil, errors.Join(err, disk.Close())
	}
	restored.open.Store(true)
	return out, nil
}

// gate is a producer that has nothing to show before it is opened: half a ledger would
// look like counters that were set back.
type gate struct {
	sdkmetric.Producer
	open atomic.Bool
}

// Produce implements metric.Producer.
func (g *gate) Produce(ctx context.Context) ([]metricdata.ScopeMetrics, error) {
	if !g.open.Load() {
		return nil, nil
	}
	return g.Producer.Produce(ctx)
}

// openJournal opens the file in dir, which it makes if need be.
func openJournal(dir string) (*journal.Journal, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("--data-dir: %w", err)
	}
	disk, err := journal.Open(dir)
	if err != nil {
		return nil, fmt.Errorf("--data-dir: %w", err)
	}
	return disk, nil
}

// close ends the pipeline once nothing comes in any more, with a last push that takes
// no longer than grace.
func (p *pipeline) close(ctx context.Context, grace time.Duration) error {
	p.book.Close()
	return errors.Join(pushLast(ctx, p.pushes, p.meters, grace), p.disk.Close())
}

// describe returns who this process is.
func describe() *resource.Resource {
	host, _ := os.Hostname() // without a name it has none
	return resource.NewWithAttributes(semconv.SchemaURL,
		semconv.ServiceName("sonde"), semconv.ServiceVersion(version), semconv.ServiceInstanceID(host))
}

// sink is the ledger as the edge wants it.
type sink struct{ *ledger.Ledger }

// Refused implements receiver.Sink.
func (s sink) Refused(id credential.Identity, detail string) {
	s.Ledger.Refused(id.RunID, id.CheckUID, detail)
}
