package main

import (
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/sonde-dev/sonde/controller"
)

const aboutController = `The controller turns each Check into a CronJob and a Secret, keeps them as they
should be, and says in the condition Scheduled how that went. Two replicas may run:
one leads.
`

// controllerConfig is the configuration of "sonde controller".
type controllerConfig struct {
	commonFlags
	Namespace       string
	ReceiverService string
	KeySecret       string
	LeaderElect     bool
	HealthAddress   string
	MetricsAddress  string
	StuckPatience   time.Duration
}

func parseController(args []string, p process) (controllerConfig, error) {
	var c controllerConfig
	fs := flag.NewFlagSet("controller", flag.ContinueOnError)
	c.register(fs)
	fs.StringVar(&c.Namespace, "namespace", ownNamespace(p), "`name` of the namespace of the installation: its receivers, its key, its leases")
	fs.StringVar(&c.ReceiverService, "receiver-service", "sonde-receiver", "`name` of the receivers' Services without the number of the shard")
	fs.StringVar(&c.KeySecret, "key-secret", "sonde-key", "`name` of the Secret with the installation's key; made if absent")
	fs.BoolVar(&c.LeaderElect, "leader-elect", true, "wait until no other controller leads")
	fs.StringVar(&c.HealthAddress, "health-address", ":8081", "`host:port` of /livez and /readyz; 0 for none")
	fs.StringVar(&c.MetricsAddress, "metrics-address", ":8080", "`host:port` of /metrics; 0 for none")
	fs.DurationVar(&c.StuckPatience, "stuck-patience", controller.DefaultPatience, "how `long` beyond its grace a pod may take to end before its Job is deleted: its node is lost")
	if err := parse(fs, aboutController, args, p); err != nil {
		return c, err
	}
	faults := c.faults()
	if c.StuckPatience < 0 {
		faults = append(faults, fmt.Errorf("--stuck-patience: must not be negative, not %s", c.StuckPatience))
	}
	if c.Namespace == "" {
		faults = append(faults, errors.New("--namespace: is required outside a cluster"))
	}
	if len(faults) > 0 {
		return c, &usageError{errors.Join(faults...)}
	}
	return c, nil
}

func runController(ctx context.Context, args []string, p process) error {
	c, err := parseController(args, p)
	if err != nil {
		return err
	}
	log := newLogger(p.stderr, c.LogLevel)
	config, err := clusterConfig("sonde-controller")
	if err != nil {
		return err
	}
	mgr, err := controllerManager(config, c)
	if err != nil {
		return err
	}
	direct, err := client.New(config, client.Options{Scheme: mgr.GetScheme(), Mapper: mgr.GetRESTMapper(), HTTPClient: mgr.GetHTTPClient()})
	if err != nil {
		return fmt.Errorf("make client: %w", err)
	}
	key, err := controller.EnsureKey(ctx, direct, types.NamespacedName{Namespace: c.Namespace, Name: c.KeySecret}, rand.Reader)
	if err != nil {
		return err
	}
	refused, err := refusalCounter(metrics.Registry)
	if err != nil {
		return err
	}
	reconciler := &controller.Reconciler{
		Refused: refused,
		Client:  mgr.GetClient(),
		Live:    mgr.GetAPIReader(),
		Events:  mgr.GetEventRecorder("sonde-controller"),
		Now:     time.Now,
		Settings: controller.Settings{
			Key: key, ReceiverService: c.ReceiverService, Namespace: c.Namespace, Shards: c.Shards,
		},
	}
	if err := reconciler.SetupWithManager(mgr); err != nil {
		return fmt.Errorf("set up the controller: %w", err)
	}
	clearer := &controller.Clearer{Client: mgr.GetClient(), Now: time.Now, Patience: c.StuckPatience}
	if err := clearer.SetupWithManager(mgr); err != nil {
		return fmt.Errorf("set up the clearer: %w", err)
	}
	log.Info("controller starts", "version", version, "key_id", key.ID(), "shards", c.Shards, "namespaces", c.Namespaces.sorted())
	return mgr.Start(ctx)
}

// refusalCounter returns a function that counts Checks that cannot be scheduled, by
// reason, with every reason at 0 from the start.
func refusalCounter(registry prometheus.Registerer) (func(reason string), error) {
	refusals := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "sonde_controller_refusals_total",
		Help: "Times that a Check turned out not to be schedulable, by the reason of its condition Scheduled.",
	}, []string{"reason"})
	for _, reason := range controller.Refusals() {
		refusals.WithLabelValues(reason)
	}
	if err := registry.Register(refusals); err != nil {
		return nil, fmt.Errorf("register metric: %w", err)
	}
	return func(reason string) { refusals.WithLabelValues(reason).Inc() }, nil
}

func controllerManager(config *rest.Config, c controllerConfig) (ctrl.Manager, error) {
	scheme, err := controller.Scheme()
	if err != nil {
		return nil, err
	}
	cached, err := controller.CacheOptions()
	if err != nil {
		return nil, err
	}
	mgr, err := ctrl.NewManager(config, ctrl.Options{
		Scheme:                        scheme,
		Cache:                         within(c.Namespaces.sorted(), cached),
		Metrics:                       metricsserver.Options{BindAddress: c.MetricsAddress},
		HealthProbeBindAddress:        c.HealthAddress,
		LivenessEndpointName:          "/livez",
		LeaderElection:                c.LeaderElect,
		LeaderElectionID:              "sonde-controller",
		LeaderElectionNamespace:       c.Namespace,
		LeaderElectionReleaseOnCancel: true,
	})
	if err != nil {
		return nil, fmt.Errorf("make manager: %w", err)
	}
	alive := healthz.Checker(func(*http.Request) error { return nil })
	return mgr, errors.Join(mgr.AddHealthzCheck("ping", alive), mgr.AddReadyzCheck("ping", alive))
}
