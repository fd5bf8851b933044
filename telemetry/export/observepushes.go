package export

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// observePushes makes the instruments that tell what becomes of pushes. A request's own
// outcome is in the next, and in a scrape at once.
func observePushes(meters metric.MeterProvider, pushes []*Push) error {
	meter := meters.Meter(scopeName)
	requests, err1 := meter.Int64ObservableCounter("sonde.otlp.pushes",
		metric.WithUnit("{push}"), metric.WithDescription("Requests that metrics were pushed with, by what became of them."))
	last, err2 := meter.Float64ObservableGauge("sonde.otlp.last_push.timestamp",
		metric.WithUnit("s"), metric.WithDescription("When a destination has last taken a request whole, in Unix time."))
	_, err3 := meter.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		for _, p := range pushes {
			p.tally.observe(o, requests, last)
		}
		return nil
	}, requests, last)
	if err := errors.Join(err1, err2, err3); err != nil {
		return fmt.Errorf("make instruments of pushes: %w", err)
	}
	return nil
}

func (t *tally) observe(o metric.Observer, requests metric.Int64Observable, last metric.Float64Observable) {
	destination := attribute.String("destination", t.destination)
	successes, failures, at := t.counts()
	o.ObserveInt64(requests, successes, metric.WithAttributes(destination, attribute.String("outcome", "success")))
	o.ObserveInt64(requests, failures, metric.WithAttributes(destination, attribute.String("outcome", "failure")))
	if !at.IsZero() {
		o.ObserveFloat64(last, seconds(at), metric.WithAttributes(destination))
	}
}

// seconds returns t in Unix time.
func seconds(t time.Time) float64 { return float64(t.UnixNano()) / float64(time.Second) }
