package main

import (
	"errors"
	"testing"
	"time"

	"github.com/sonde-dev/sonde/telemetry/series"
)

func TestOTLPReaders(t *testing.T) {
	for name, tc := range map[string]struct {
		environment map[string]string
		readers     int
		fault       bool
	}{
		"no endpoint, no push":      {nil, 0, false},
		"an endpoint":               {map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"}, 1, false},
		"an endpoint for metrics":   {map[string]string{"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "http://127.0.0.1:1"}, 1, false},
		"grpc, said so":             {map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, 1, false},
		"a protocol that is not to": {map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"}, 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			p := process{getenv: func(k string) string { return tc.environment[k] }}
			readers, err := otlpReaders(t.Context(), p, series.New(series.Config{}, time.Now))
			_, fault := errors.AsType[*usageError](err)
			if len(readers) != tc.readers || fault != tc.fault {
				t.Errorf("%d readers, %v", len(readers), err)
			}
			for _, r := range readers {
				_ = r.Shutdown(t.Context()) // nobody listens there
			}
		})
	}
}
