// Package export shows to the world what the store holds. Here is the side that
// Prometheus scrapes: a registry of its own, so that nothing gets into a scrape
// that was not put there on purpose, with the store behind the OpenTelemetry
// exporter, Sonde's own meters, the Go runtime and the process.
package export

import (
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	otelprom "go.opentelemetry.io/otel/exporters/prometheus"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
)

const (
	// maxScrapes is how many requests are answered at once: two Prometheus
	// servers, and as many people with a browser. They share one collection, so
	// this bounds the encoded answers: 4 × 10 MB at 450,000 series, compressed.
	maxScrapes = 4

	// scrapeTimeout is ten times what 450,000 series take: 300,000 custom ones and
	// 15 each of 10,000 checks, at 4.4 µs. Prometheus waits 10 s unless told
	// otherwise, and nobody waits for longer than this.
	scrapeTimeout = 20 * time.Second
)

// Config is what an exposition is made of.
type Config struct {
	// Producer is where the series of checks come from.
	Producer sdkmetric.Producer

	// Resource describes this process to further readers. Prometheus has its own
	// idea of who it scrapes, and is not given it.
	Resource *resource.Resource

	// Readers read Sonde's own meters too. A reader that is to have the series of
	// checks has Producer as an option.
	Readers []sdkmetric.Reader

	// Pushes are readers of the same, of which there are metrics.
	Pushes []*Push

	Version string // of Sonde, for sonde.build.info
	Log     *slog.Logger
}

// Prometheus returns the handler of scrapes, and the provider of Sonde's own
// meters, which the caller shuts down. Their instruments are named sonde.*, and
// all others are dropped: authors of checks may use any other name, and two
// metrics of one name would spoil a scrape.
func Prometheus(c Config) (http.Handler, *sdkmetric.MeterProvider, error) {
	registry := prometheus.NewRegistry()
	exporter, err := otelprom.New(
		otelprom.WithRegisterer(registry),
		otelprom.WithProducer(c.Producer),
		otelprom.WithoutScopeInfo(),
		otelprom.WithoutTargetInfo(),
	)
	if err != nil {
		return nil, nil, fmt.Errorf("make exporter: %w", err)
	}
	for _, of := range []prometheus.Collector{
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	} {
		if err := registry.Register(of); err != nil {
			return nil, nil, fmt.Errorf("register collector: %w", err)
		}
	}
	meters := meterProvider(c, exporter)
	if err := observeBuild(meters, c.Version); err != nil {
		return nil, nil, err
	}
	if err := observePushes(meters, c.Pushes); err != nil {
		return nil, nil, err
	}
	return handler(registry, c.Log), meters, nil
}

func meterProvider(c Config, exporter sdkmetric.Reader) *sdkmetric.MeterProvider {
	options := []sdkmetric.Option{sdkmetric.WithResource(c.Resource), sdkmetric.WithReader(exporter), sdkmetric.WithView(onlySonde)}
	for _, r := range c.Readers {
		options = append(options, sdkmetric.WithReader(r))
	}
	for _, p := range c.Pushes {
		options = append(options, sdkmetric.WithReader(p))
	}
	return sdkmetric.NewMeterProvider(options...)
}

// handler leaves out of a scrape what cannot be exposed, counts it in
// promhttp_metric_handler_errors_total and logs it: to lose one series is better
// than to lose all, though the store lets none in that could do it.
func handler(registry *prometheus.Registry, log *slog.Logger) http.Handler {
	return promhttp.HandlerFor(registry, promhttp.HandlerOpts{
		ErrorLog:            errorLog{log},
		ErrorHandling:       promhttp.ContinueOnError,
		Registry:            registry,
		MaxRequestsInFlight: maxScrapes,
		CoalesceGather:      true,
		Timeout:             scrapeTimeout,
		EnableOpenMetrics:   true,
	})
}
