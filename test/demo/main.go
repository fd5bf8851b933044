// Command demo shows Sonde's main job on a real Kubernetes: it brings up the
// development cluster, installs Sonde, a Prometheus and an OpenTelemetry Collector in
// it, applies a few checks, and prints what becomes of them as it happens.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	root, err := os.Getwd()
	if err == nil {
		err = run(ctx, demo{root: root, out: os.Stdout, began: time.Now()})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

// demo is one showing.
type demo struct {
	root  string // of the checkout
	out   io.Writer
	began time.Time
}

// namespace is where the example checks run.
const namespace = "sonde-demo"

// step is a part of the showing, with what it does in a person's words.
type step struct {
	says string
	do   func(context.Context) error
}

func run(ctx context.Context, d demo) error {
	for _, s := range []step{
		{"A real Kubernetes", d.cluster},
		{"An OpenTelemetry Collector, and checks that use OpenTelemetry SDKs", d.collector},
		{"Sonde: image, CRD, controller and receiver", d.install},
		{"A Prometheus that scrapes it", d.prometheus},
		{"Example checks", d.checks},
		{"Verdicts, as they come", d.verdicts},
		{"What the receiver exposes", d.metrics},
		{"What Prometheus answers", d.queries},
		{"What a Collector received", d.received},
		{"Runs that overlap, with the receiver killed between them", d.crash},
	} {
		d.headline(s.says)
		if err := s.do(ctx); err != nil {
			return fmt.Errorf("%s: %w", s.says, err)
		}
	}
	d.farewell()
	return nil
}

func (d demo) headline(s string) {
	d.say("\n=== %s  (after %s)\n", s, time.Since(d.began).Round(time.Second))
}

func (d demo) say(format string, args ...any) { _, _ = fmt.Fprintf(d.out, format, args...) }

func (d demo) path(elements ...string) string {
	return filepath.Join(append([]string{d.root}, elements...)...)
}

func (d demo) farewell() {
	d.headline("All of it is yours to play with")
	d.say(`
  export KUBECONFIG=%[1]s PATH=%[2]s:$PATH
  kubectl get checks -A -o wide --watch             verdicts, when they change
  kubectl -n %[3]s describe check failing      conditions and events
  kubectl -n %[3]s logs job/...                what a check printed
  kubectl get --raw %[4]s/metrics
  kubectl -n %[3]s port-forward svc/prometheus 9090
  kubectl -n %[3]s logs deploy/collector       a line for each batch
  kubectl get --raw %[5]s/v1/metrics                what came last, as OTLP; or /v1/traces, /v1/logs

  make demo-down                                    removes all of it
`, d.path(".cluster", "kubeconfig"), d.path(".cluster", "bin"), namespace, receiverProxy, collectorProxy)
}
