package export

import (
	"context"
	"fmt"

	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetricgrpc"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
)

// maxPointsPerPush keeps a push below the 4 MiB that gRPC servers accept unless they
// are told otherwise: a point takes 135 bytes.
const maxPointsPerPush = 10_000

// OTLP returns a reader that pushes the series of producer, and Sonde's own meters,
// over gRPC. Where to, how often and with which headers is in the environment, in the
// standard variables OTEL_EXPORTER_OTLP_* and OTEL_METRIC_EXPORT_INTERVAL, which the
// SDK reads. Nothing is sent before the first interval has passed. A push that fails is
// healed by the next, since all values are totals; it goes to OpenTelemetry's error
// handler.
func OTLP(ctx context.Context, producer sdkmetric.Producer) (sdkmetric.Reader, error) {
	exporter, err := otlpmetricgrpc.New(ctx)
	if err != nil {
		return nil, fmt.Errorf("make OTLP exporter: %w", err)
	}
	return sdkmetric.NewPeriodicReader(exporter,
		sdkmetric.WithProducer(producer), sdkmetric.WithMaxExportBatchSize(maxPointsPerPush)), nil
}
