package main

import (
	"cmp"
	"context"
	"fmt"

	sdkmetric "go.opentelemetry.io/otel/sdk/metric"

	"github.com/sonde-dev/sonde/telemetry/export"
)

// otlpReaders returns the reader that pushes metrics over OTLP, if the standard
// variables name an endpoint; else none.
func otlpReaders(ctx context.Context, p process, producer sdkmetric.Producer) ([]sdkmetric.Reader, error) {
	if cmp.Or(p.getenv("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT"), p.getenv("OTEL_EXPORTER_OTLP_ENDPOINT")) == "" {
		return nil, nil
	}
	protocol := cmp.Or(p.getenv("OTEL_EXPORTER_OTLP_METRICS_PROTOCOL"), p.getenv("OTEL_EXPORTER_OTLP_PROTOCOL"), "grpc")
	if protocol != "grpc" {
		return nil, &usageError{fmt.Errorf("environment variable OTEL_EXPORTER_OTLP_PROTOCOL: must be grpc, not %q", protocol)}
	}
	reader, err := export.OTLP(ctx, producer)
	if err != nil {
		return nil, err
	}
	return []sdkmetric.Reader{reader}, nil
}
