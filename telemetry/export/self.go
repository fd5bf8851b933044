package export

import (
	"context"
	"fmt"
	"runtime"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
)

const scopeName = "github.com/sonde-dev/sonde/telemetry/export"

// onlySonde drops instruments that are not Sonde's own.
func onlySonde(i sdkmetric.Instrument) (sdkmetric.Stream, bool) {
	if strings.HasPrefix(i.Name, "sonde.") {
		return sdkmetric.Stream{}, false
	}
	return sdkmetric.Stream{Aggregation: sdkmetric.AggregationDrop{}}, true
}

// observeBuild makes sonde.build.info, whose value is 1.
func observeBuild(meters metric.MeterProvider, version string) error {
	build := metric.WithAttributes(attribute.String("version", version), attribute.String("go.version", runtime.Version()))
	_, err := meters.Meter(scopeName).Int64ObservableGauge("sonde.build.info",
		metric.WithDescription("The build of Sonde; the value is 1."),
		metric.WithInt64Callback(func(_ context.Context, o metric.Int64Observer) error {
			o.Observe(1, build)
			return nil
		}))
	if err != nil {
		return fmt.Errorf("make sonde.build.info: %w", err)
	}
	return nil
}
