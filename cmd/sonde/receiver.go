package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/sdk/resource"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"golang.org/x/sync/errgroup"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/sonde-dev/sonde/controller"
	runs "github.com/sonde-dev/sonde/controller/run"
	"github.com/sonde-dev/sonde/receiver"
	"github.com/sonde-dev/sonde/receiver/credential"
	"github.com/sonde-dev/sonde/telemetry/export"
	"github.com/sonde-dev/sonde/telemetry/ledger"
	"github.com/sonde-dev/sonde/telemetry/series"
)

const aboutReceiver = `The receiver takes what check pods report, watches their Jobs, decides a verdict for
every run, writes it into the Check's status when it changes, and exposes metrics.
It changes no workload. It pushes the same metrics over OTLP to each --otlp-destination
and, if the standard variable OTEL_EXPORTER_OTLP_ENDPOINT is set, to that as well.
`

// receiverConfig is the configuration of "sonde receiver".
type receiverConfig struct {
	commonFlags
	Shard          shardNumber
	KeyDir         string
	CheckAddress   string
	ReaderAddress  string
	CheckLabels    list
	MaxSeries      int
	ClassicBuckets bool
	ShutdownGrace  time.Duration
	Destinations   []export.Destination
}

// shardNumber is a flag that takes a number, or a pod's name that ends in one.
type shardNumber int

func (n *shardNumber) String() string { return fmt.Sprint(int(*n)) }

func (n *shardNumber) Set(s string) error {
	digits := s
	if i := strings.LastIndex(s, "-"); i > 0 {
		digits = s[i+1:]
	}
	number, err := strconv.Atoi(digits)
	if err != nil {
		return errors.New("must be a number, or a name that ends in one")
	}
	*n = shardNumber(number)
	return nil
}

func parseReceiver(args []string, p process) (receiverConfig, error) {
	var c receiverConfig
	fs := flag.NewFlagSet("receiver", flag.ContinueOnError)
	c.register(fs)
	fs.Var(&c.Shard, "shard", "`number` of this receiver from 0, or the name of its StatefulSet pod")
	fs.StringVar(&c.KeyDir, "key-dir", "/etc/sonde/key", "`folder` where the Secret with the installation's key is mounted")
	fs.StringVar(&c.CheckAddress, "check-address", ":8080", "`host:port` that checks report to")
	fs.StringVar(&c.ReaderAddress, "reader-address", ":8081", "`host:port` of /metrics, /livez and /readyz")
	fs.Var(&c.CheckLabels, "check-labels", "comma-separated `keys` of spec.labels that become metric attributes (default none)")
	fs.IntVar(&c.MaxSeries, "max-series", series.DefaultMaxSeries, "most custom `series` of all checks together; about 1.5 KB of memory each")
	fs.BoolVar(&c.ClassicBuckets, "classic-buckets", false, "expose run durations as a classic histogram instead of a native one")
	fs.DurationVar(&c.ShutdownGrace, "shutdown-grace", 10*time.Second, "how `long` requests in flight may take to end, and then the last push over OTLP")
	var pushTo destinationFlag
	fs.Var(&pushTo, "otlp-destination", aboutDestination)
	if err := parse(fs, aboutReceiver, args, p); err != nil {
		return c, err
	}
	faults := c.faults()
	if len(faults) == 0 && (int(c.Shard) < 0 || int(c.Shard) >= c.Shards) {
		faults = append(faults, fmt.Errorf("--shard: must be from 0 to %d, one less than --shards, not %d", c.Shards-1, c.Shard))
	}
	if c.MaxSeries < 1 {
		faults = append(faults, fmt.Errorf("--max-series: must be at least 1, not %d", c.MaxSeries))
	}
	var wrong []error
	c.Destinations, wrong = destinations(pushTo.specs, p.getenv)
	if faults = append(faults, wrong...); len(faults) > 0 {
		return c, &usageError{errors.Join(faults...)}
	}
	return c, nil
}

// durationBuckets returns the bounds of the classic histogram of run durations, in
// seconds: from a fast request to a slow end-to-end test, each about twice the last.
func (c receiverConfig) durationBuckets() []float64 {
	if !c.ClassicBuckets {
		return nil
	}
	return []float64{0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600}
}

func runReceiver(ctx context.Context, args []string, p process) error {
	c, err := parseReceiver(args, p)
	if err != nil {
		return err
	}
	log := newLogger(p.stderr, c.LogLevel)
	otel.SetErrorHandler(telemetryErrors(log))
	keys, err := credential.LoadKeyring(c.KeyDir)
	if err != nil {
		return err
	}
	config, err := clusterConfig("sonde-receiver")
	if err != nil {
		return err
	}

	// The pipeline, in the order in which a report goes through it, from its end.
	store := series.New(series.Config{MaxSeries: c.MaxSeries, ClassicBuckets: c.durationBuckets()}, time.Now)
	pushes, err := push(ctx, c.Destinations, export.Pushing{Producer: store, Now: time.Now, Log: log})
	if err != nil {
		return err
	}
	metrics, meters, err := export.Prometheus(export.Config{Producer: store, Resource: describe(), Pushes: pushes, Version: version, Log: log})
	if err != nil {
		return err
	}
	verdicts := &runs.Queue{}
	meter := meters.Meter("github.com/sonde-dev/sonde")
	book, err := ledger.New(ledger.Config{Series: store, Meter: meter, Now: time.Now, Changed: verdicts.Add})
	if err != nil {
		return err
	}
	mgr, err := receiverManager(ctx, config, c, book, verdicts)
	if err != nil {
		return err
	}
	var synced atomic.Bool
	servers, err := listen(ctx, c, receiver.CheckFacing{
		Keys: keys, Sink: sink{book}, Log: log, Now: time.Now, Meter: meter,
	}, receiver.ReaderFacing{
		Metrics: metrics, Log: log, Live: book.Alive, Ready: readiness(&synced),
	})
	if err != nil {
		return err
	}
	log.Info("receiver starts", "version", version, "shard", int(c.Shard), "shards", c.Shards,
		"check_address", servers[0].listener.Addr().String(), "reader_address", servers[1].listener.Addr().String())

	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return mgr.Start(ctx) })
	group.Go(func() error { synced.Store(mgr.GetCache().WaitForCacheSync(ctx)); return nil })
	group.Go(func() error { return book.Run(ctx) })
	group.Go(func() error { return watchKeys(ctx, keys, log) })
	for _, s := range servers {
		group.Go(func() error { return receiver.Serve(ctx, s.listener, s.handler, c.ShutdownGrace, log) })
	}
	return errors.Join(group.Wait(), pushLast(ctx, pushes, meters, c.ShutdownGrace))
}

// receiverManager returns the manager that feeds book from the API server.
func receiverManager(ctx context.Context, config *rest.Config, c receiverConfig, book *ledger.Ledger, verdicts *runs.Queue) (ctrl.Manager, error) {
	scheme, err := controller.Scheme()
	if err != nil {
		return nil, err
	}
	cached, err := runs.CacheOptions(int(c.Shard))
	if err != nil {
		return nil, err
	}
	mgr, err := ctrl.NewManager(config, ctrl.Options{
		Scheme: scheme, Cache: within(c.Namespaces.sorted(), cached), Metrics: metricsserver.Options{BindAddress: "0"},
	})
	if err != nil {
		return nil, fmt.Errorf("make manager: %w", err)
	}
	watcher := &runs.Watcher{
		Client: mgr.GetClient(), Ledger: book, Verdicts: verdicts,
		Events: mgr.GetEventRecorder("sonde-receiver"), Now: time.Now,
		AllowedLabels: c.CheckLabels.sorted(),
		Shards:        c.Shards, Shard: int(c.Shard),
	}
	if err := watcher.SetupWithManager(ctx, mgr); err != nil {
		return nil, fmt.Errorf("set up the watcher: %w", err)
	}
	return mgr, nil
}

// server is a handler with its open door.
type server struct {
	listener net.Listener
	handler  http.Handler
}

// listen opens the doors for checks and for readers, in that order.
func listen(ctx context.Context, c receiverConfig, checks receiver.CheckFacing, readers receiver.ReaderFacing) ([]server, error) {
	handler, err := checks.Handler(ctx)
	if err != nil {
		return nil, err
	}
	var servers []server
	for _, s := range []struct {
		address string
		handler http.Handler
	}{{c.CheckAddress, handler}, {c.ReaderAddress, readers.Handler()}} {
		l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", s.address)
		if err != nil {
			return nil, err // it names the address
		}
		servers = append(servers, server{l, s.handler})
	}
	return servers, nil
}

func readiness(synced *atomic.Bool) func() error {
	return func() error {
		if !synced.Load() {
			return errors.New("what is in the cluster is not known yet")
		}
		return nil
	}
}

// watchKeys reads the key again as the kubelet brings the Secret up to date.
func watchKeys(ctx context.Context, keys *credential.Keyring, log *slog.Logger) error {
	const every = 10 * time.Second
	keys.Watch(ctx, every, func(err error) { log.Warn("keys not read", "err", err) })
	return nil
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
