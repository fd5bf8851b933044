package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/go-logr/logr"
	"go.opentelemetry.io/otel"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"golang.org/x/sync/errgroup"

	"github.com/sonde-dev/sonde/telemetry/export"
)

// telemetryErrors logs what the SDK could not do, other than pushes, which log it
// themselves. A reader that ends while its next push is due says that it was canceled.
func telemetryErrors(log *slog.Logger) otel.ErrorHandler {
	return otel.ErrorHandlerFunc(func(err error) {
		if !errors.Is(err, context.Canceled) {
			log.Error("telemetry failed", "err", err)
		}
	})
}

// push starts a push to each destination.
func push(ctx context.Context, to []export.Destination, of export.Pushing) ([]*export.Push, error) {
	// The SDK's exporters read the standard variables once more and log what they do
	// not understand, with its value. We have said what is wrong, and use none of it.
	otel.SetLogger(logr.Discard())
	var pushes []*export.Push
	for _, d := range to {
		p, err := export.OTLP(ctx, d, of)
		if err != nil {
			return nil, err
		}
		of.Log.Info("pushing over OTLP", "destination", d.Name, "endpoint", d.Endpoint.String(), "protocol", string(d.Protocol), "interval", d.Interval.String())
		pushes = append(pushes, p)
	}
	return pushes, nil
}

// pushLast ends pushes and meters with a last push to each destination, all at the same
// time, so that one that hangs costs the others nothing. It takes no longer than grace.
func pushLast(ctx context.Context, pushes []*export.Push, meters *sdkmetric.MeterProvider, grace time.Duration) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	var last errgroup.Group
	for _, p := range pushes {
		last.Go(func() error { return p.Shutdown(ctx) })
	}
	_ = last.Wait() // meters have the same errors
	if err := meters.Shutdown(ctx); err != nil {
		return fmt.Errorf("push for the last time: %w", err)
	}
	return nil
}
