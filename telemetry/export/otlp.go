package export

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
)

// Pushing is what all pushes have in common.
type Pushing struct {
	// Producer is where the series of checks come from. All destinations share it, and
	// nothing else.
	Producer sdkmetric.Producer

	Now func() time.Time
	Log *slog.Logger
}

// Push is a reader that pushes to one destination, from a goroutine of its own: one
// that is down or slow keeps neither a scrape nor another waiting.
type Push struct {
	*sdkmetric.PeriodicReader
	tally *tally

	once sync.Once
	err  error // of the first Shutdown
}

// OTLP returns a reader that pushes the series of checks, and Sonde's own meters, to d.
// All sums and histograms are cumulative: that is what a store that outlives runs has,
// and what Prometheus and Mimir take. So a push that fails is healed by the next.
// Nothing is sent before the first interval has passed, nor is it tried whether anybody
// is there.
func OTLP(ctx context.Context, d Destination, of Pushing) (*Push, error) {
	h := &headers{fixed: d.Headers, file: d.HeadersFile}
	var exporter sdkmetric.Exporter
	var err error
	if d.Protocol == GRPC {
		exporter, err = grpcExporter(ctx, d, h)
	} else {
		exporter, err = httpExporter(ctx, d, h)
	}
	if err != nil {
		return nil, fmt.Errorf("make OTLP exporter for %s: %w", d.Name, err)
	}
	t := &tally{destination: d.Name, now: of.Now, log: of.Log}
	reader := sdkmetric.NewPeriodicReader(
		observed{exporter, t, h},
		sdkmetric.WithProducer(starting{of.Producer, t}),
		sdkmetric.WithMaxExportBatchSize(d.MaxPoints),
		sdkmetric.WithInterval(d.Interval),
		sdkmetric.WithTimeout(d.Timeout),
	)
	return &Push{PeriodicReader: reader, tally: t}, nil
}

// Shutdown pushes for the last time, until ctx ends. To call it again does nothing and
// returns the same, so that pushes may be shut down side by side before the provider
// does it one after the other.
func (p *Push) Shutdown(ctx context.Context) error {
	p.once.Do(func() { p.err = p.PeriodicReader.Shutdown(ctx) })
	return p.err
}
