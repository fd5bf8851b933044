package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"math"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel"
	"golang.org/x/sync/errgroup"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	ctrlconfig "sigs.k8s.io/controller-runtime/pkg/config"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/sonde-dev/sonde/controller"
	runs "github.com/sonde-dev/sonde/controller/run"
	"github.com/sonde-dev/sonde/receiver/credential"
	"github.com/sonde-dev/sonde/telemetry/export"
	"github.com/sonde-dev/sonde/telemetry/series"
)

const aboutReceiver = `The receiver takes what check pods report, watches their Jobs, decides a verdict for
every run, writes it into the Check's status when it changes, and exposes metrics.
What it answers with 2xx is synced to --data-dir first. It changes no workload. It pushes
the same metrics over OTLP to each --otlp-destination and, if the standard variable
OTEL_EXPORTER_OTLP_ENDPOINT is set, to that as well.
`

// receiverConfig is the configuration of "sonde receiver".
type receiverConfig struct {
	commonFlags
	Shard          shardNumber
	KeyDir         string
	DataDir        string
	CheckAddress   string
	OTLPHTTP       string
	OTLPGRPC       string
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
	fs.StringVar(&c.DataDir, "data-dir", "/var/lib/sonde", "`folder` of the ledger, on a disk that outlives the process; made if it is not there")
	fs.StringVar(&c.CheckAddress, "check-address", ":8080", "`host:port` that checks report to")
	fs.StringVar(&c.OTLPHTTP, "otlp-http-address", ":4318", "`host:port` that checks send OTLP to over HTTP")
	fs.StringVar(&c.OTLPGRPC, "otlp-grpc-address", ":4317", "`host:port` that checks send OTLP to over gRPC")
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

	pipe, err := openPipeline(ctx, c, log)
	if err != nil {
		return err
	}
	err = serveReceiver(ctx, c, pipe, parts{keys: keys, cluster: config, log: log})
	return errors.Join(err, pipe.close(ctx, c.ShutdownGrace))
}

// parts are what a receiver has besides its pipeline.
type parts struct {
	keys    *credential.Keyring
	cluster *rest.Config
	log     *slog.Logger
}

// serveReceiver feeds the pipeline from the API server and from checks, and shows what
// comes of it, until ctx ends.
func serveReceiver(ctx context.Context, c receiverConfig, pipe *pipeline, with parts) error {
	log := with.log
	var synced atomic.Bool
	doors, err := openDoors(ctx, c, pipe, with, readiness(&synced))
	if err != nil {
		return err
	}
	log.Info("receiver starts", append([]any{"version", version, "shard", int(c.Shard), "shards", c.Shards}, addresses(doors)...)...)

	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return watchCluster(ctx, c, pipe, with, &synced) })
	group.Go(func() error { return pipe.book.Run(ctx) })
	group.Go(func() error { return watchKeys(ctx, with.keys, log) })
	for _, d := range doors {
		group.Go(func() error { return d.serve(ctx) })
	}
	return group.Wait()
}

// watchCluster runs the manager until ctx ends. While the API server is away none can be
// made: it is tried again, and reports are taken meanwhile.
func watchCluster(ctx context.Context, c receiverConfig, pipe *pipeline, with parts, synced *atomic.Bool) error {
	const again = 5 * time.Second
	for {
		mgr, err := receiverManager(ctx, with.cluster, c, pipe)
		if err == nil {
			go func() { synced.Store(mgr.GetCache().WaitForCacheSync(ctx)) }()
			return mgr.Start(ctx)
		}
		with.log.Warn("API server not reached: runs that are not known yet wait", "err", err, "again_in", again.String())
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(again):
		}
	}
}

// receiverManager returns the manager that feeds the ledger from the API server.
func receiverManager(ctx context.Context, config *rest.Config, c receiverConfig, pipe *pipeline) (ctrl.Manager, error) {
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
		Controller: ctrlconfig.Controller{
			CacheSyncTimeout:   math.MaxInt64, // the API server may be away for as long as it likes
			SkipNameValidation: new(true),     // an earlier manager may have had the names
		},
	})
	if err != nil {
		return nil, fmt.Errorf("make manager: %w", err)
	}
	watcher := &runs.Watcher{
		Client: mgr.GetClient(), Ledger: pipe.book, Verdicts: pipe.verdicts,
		Events: mgr.GetEventRecorder("sonde-receiver"), Now: time.Now,
		AllowedLabels: c.CheckLabels.sorted(),
		Shards:        c.Shards, Shard: int(c.Shard), Namespaces: c.Namespaces.sorted(),
	}
	if err := watcher.SetupWithManager(ctx, mgr); err != nil {
		return nil, fmt.Errorf("set up the watcher: %w", err)
	}
	return mgr, nil
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
