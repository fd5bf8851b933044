package main

import (
	"context"
	"strings"
)

// receiverProxy is the path of the receiver's reader side through the API server.
const receiverProxy = "/api/v1/namespaces/sonde-system/services/sonde:http/proxy"

// prometheusProxy is that of Prometheus.
const prometheusProxy = "/api/v1/namespaces/" + namespace + "/services/prometheus:http/proxy"

// collectorProxy is that of what the Collector received.
const collectorProxy = "/api/v1/namespaces/" + namespace + "/services/collector:http/proxy"

func (d demo) cluster(ctx context.Context) error { return d.tool(ctx, "up") }

// collector comes before Sonde, which would wait long before it tries again to push to
// one that is not there.
func (d demo) collector(ctx context.Context) error {
	return firstError(
		func() error { return d.show(ctx, "make", "--no-print-directory", "images-otel") },
		func() error {
			return d.tool(ctx, "load", d.path("bin", "collector.tar"), d.path("bin", "example-otel-go.tar"), d.path("bin", "example-otel-node.tar"))
		},
		func() error { return d.show(ctx, "kubectl", "apply", "-f", "test/demo/collector.yaml") },
		func() error { return d.rolledOut(ctx, namespace, "deployment/collector") },
	)
}

func (d demo) install(ctx context.Context) error {
	_, err := d.read(ctx, "kubectl", "-n", "sonde-system", "get", "statefulset/sonde-receiver")
	again := err == nil
	workloads := []string{"deployment/sonde-controller", "statefulset/sonde-receiver"}
	return firstError(
		func() error { return d.show(ctx, "make", "--no-print-directory", "image") },
		func() error { return d.tool(ctx, "load", d.path("bin", "sonde.tar")) },
		func() error { return d.show(ctx, "kubectl", "apply", "-k", "test/demo/sonde") },
		func() error {
			if !again {
				return nil
			}
			// The image is a new one under the same name.
			return d.show(ctx, "kubectl", append([]string{"-n", "sonde-system", "rollout", "restart"}, workloads...)...)
		},
		func() error { return d.rolledOut(ctx, "sonde-system", workloads[0]) },
		func() error { return d.rolledOut(ctx, "sonde-system", workloads[1]) },
	)
}

// rolledOut waits until a workload is as it should be.
func (d demo) rolledOut(ctx context.Context, namespace, workload string) error {
	return d.show(ctx, "kubectl", "-n", namespace, "rollout", "status", workload, "--timeout=3m")
}

func (d demo) prometheus(ctx context.Context) error {
	if err := d.tool(ctx, "tool", "prometheus"); err != nil {
		return err
	}
	binary, err := d.read(ctx, "go", "-C", "test/cluster", "run", ".", "tool", "prometheus")
	if err != nil {
		return err
	}
	archive := d.path("bin", "prometheus.tar")
	return firstError(
		func() error {
			return d.tool(ctx, "image", "--name", "docker.io/sonde-dev/prometheus:demo", "--binary", strings.TrimSpace(binary)+":/prometheus", "--output", archive)
		},
		func() error { return d.tool(ctx, "load", archive) },
		func() error { return d.show(ctx, "kubectl", "apply", "-f", "test/demo/prometheus.yaml") },
		func() error { return d.rolledOut(ctx, namespace, "deployment/prometheus") },
	)
}

// checks applies the examples anew, so that each makes its first run now.
func (d demo) checks(ctx context.Context) error {
	args := []string{"-n", namespace}
	for _, example := range examples() {
		args = append(args, "-f", "examples/"+example+"/check.yaml")
	}
	return firstError(
		func() error {
			return d.show(ctx, "kubectl", append([]string{"delete", "--ignore-not-found"}, args...)...)
		},
		func() error { return d.show(ctx, "kubectl", append([]string{"apply"}, args...)...) },
	)
}

// examples returns the checks of the showing, each a folder of examples.
func examples() []string {
	return []string{"shell-json", "failing", "silent", "every-90s", "otel-go", "otel-node"}
}

// firstError does one thing after the other until one fails.
func firstError(things ...func() error) error {
	for _, do := range things {
		if err := do(); err != nil {
			return err
		}
	}
	return nil
}
