// Package keep is an exporter of the OpenTelemetry Collector that keeps what it is
// given: as lines of a file, and the latest of it for whoever asks over HTTP.
package keep

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.uber.org/zap"
)

// Config is the exporter's configuration.
type Config struct {
	// Endpoint is where it can be asked: host:port.
	Endpoint string `mapstructure:"endpoint"`
	// Path is a file to which each batch is appended as a line of OTLP JSON; empty: none.
	Path string `mapstructure:"path"`
	// MaxFileBytes is when the file becomes Path.1, in place of the one before, and a
	// new one begins.
	MaxFileBytes int64 `mapstructure:"max_file_bytes"`
}

// Validate implements xconfmap.Validator.
func (c *Config) Validate() error {
	var errs []error
	if _, _, err := net.SplitHostPort(c.Endpoint); err != nil {
		errs = append(errs, fmt.Errorf("endpoint: %w", err))
	}
	if c.MaxFileBytes < 1 {
		errs = append(errs, fmt.Errorf("max_file_bytes: must be positive, not %d", c.MaxFileBytes))
	}
	return errors.Join(errs...)
}

// NewFactory returns the exporter's factory. The pipelines of all signals
// share one keeper, which belongs to the configuration that it was made from.
func NewFactory() exporter.Factory {
	var mu sync.Mutex // guards keepers
	keepers := map[component.Config]*keeper{}
	keeperOf := func(s exporter.Settings, config component.Config) *keeper {
		mu.Lock()
		defer mu.Unlock()
		if keepers[config] == nil {
			keepers[config] = newKeeper(*config.(*Config), s.Logger)
		}
		return keepers[config]
	}
	return exporter.NewFactory(component.MustNewType("keep"),
		func() component.Config { return &Config{Endpoint: "localhost:8080", MaxFileBytes: 64 << 20} },
		exporter.WithMetrics(func(_ context.Context, s exporter.Settings, c component.Config) (exporter.Metrics, error) {
			return keeperOf(s, c), nil
		}, component.StabilityLevelDevelopment),
		exporter.WithTraces(func(_ context.Context, s exporter.Settings, c component.Config) (exporter.Traces, error) {
			return keeperOf(s, c), nil
		}, component.StabilityLevelDevelopment),
		exporter.WithLogs(func(_ context.Context, s exporter.Settings, c component.Config) (exporter.Logs, error) {
			return keeperOf(s, c), nil
		}, component.StabilityLevelDevelopment))
}

// keeper writes what comes to a file, and remembers the latest for its HTTP side.
type keeper struct {
	config Config
	log    *zap.Logger
	store  *store
	file   *journal

	start, stop sync.Once // it is one component in up to three pipelines
	server      *http.Server
}

func newKeeper(c Config, log *zap.Logger) *keeper {
	k := &keeper{config: c, log: log, store: newStore(time.Now)}
	if c.Path != "" {
		k.file = &journal{path: c.Path, max: c.MaxFileBytes}
	}
	return k
}

// Start implements component.Component.
func (k *keeper) Start(ctx context.Context, _ component.Host) (err error) {
	k.start.Do(func() { err = k.listen(ctx) })
	return err
}

func (k *keeper) listen(ctx context.Context) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", k.config.Endpoint)
	if err != nil {
		return err // it names the address
	}
	k.server = &http.Server{Handler: k.store.handler(), ReadHeaderTimeout: 5 * time.Second}
	k.log.Info("tells what it received", zap.String("address", listener.Addr().String()))
	go func() {
		if err := k.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			k.log.Error("HTTP server ended", zap.Error(err))
		}
	}()
	return nil
}

// Shutdown implements component.Component.
func (k *keeper) Shutdown(ctx context.Context) (err error) {
	k.stop.Do(func() {
		if k.server != nil {
			err = k.server.Shutdown(ctx)
		}
		err = cmp.Or(err, k.file.close())
	})
	return err
}

// Capabilities implements consumer.Metrics, consumer.Traces and consumer.Logs.
func (k *keeper) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

// ConsumeMetrics implements consumer.Metrics.
func (k *keeper) ConsumeMetrics(_ context.Context, batch pmetric.Metrics) error {
	k.store.addMetrics(batch)
	return k.file.append((&pmetric.JSONMarshaler{}).MarshalMetrics(batch))
}

// ConsumeTraces implements consumer.Traces.
func (k *keeper) ConsumeTraces(_ context.Context, batch ptrace.Traces) error {
	k.store.addTraces(batch)
	return k.file.append((&ptrace.JSONMarshaler{}).MarshalTraces(batch))
}

// ConsumeLogs implements consumer.Logs.
func (k *keeper) ConsumeLogs(_ context.Context, batch plog.Logs) error {
	k.store.addLogs(batch)
	return k.file.append((&plog.JSONMarshaler{}).MarshalLogs(batch))
}
