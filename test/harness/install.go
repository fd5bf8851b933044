package harness

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// SystemNamespace is what deploy/kustomize installs into.
const SystemNamespace = "sonde-system"

// metrics is the path of the receiver's /metrics through the API server.
const metrics = "/api/v1/namespaces/" + SystemNamespace + "/services/sonde:http/proxy/metrics"

// CollectorNamespace is what test/demo/collector.yaml installs into.
const CollectorNamespace = "sonde-demo"

// Install builds the images, loads them and installs a Collector, and Sonde from
// deploy/kustomize, as README says, with the receiver pushing to the Collector. It is
// for TestMain and writes what it does to out.
func Install(ctx context.Context, out io.Writer) error {
	root, err := filepath.Abs("../..")
	if err != nil {
		return err
	}
	system := []string{"-n", SystemNamespace}
	load := []string{"go", "-C", "test/cluster", "run", ".", "load"}
	for _, image := range []string{"sonde", "collector", "example-otel-go", "example-otel-node"} {
		load = append(load, filepath.Join(root, "bin", image+".tar"))
	}
	for _, c := range [][]string{
		{"make", "--no-print-directory", "image", "images-otel"},
		load,
		{"kubectl", "apply", "-f", "test/demo/collector.yaml"},
		{"kubectl", "rollout", "restart", "deployment/collector", "-n", CollectorNamespace},
		{"kubectl", "rollout", "status", "deployment/collector", "-n", CollectorNamespace, "--timeout=4m"},
		{"kubectl", "apply", "-k", "test/demo/sonde"},
		append([]string{"kubectl", "rollout", "restart", "deployment/sonde-controller", "statefulset/sonde-receiver"}, system...),
		append([]string{"kubectl", "rollout", "status", "deployment/sonde-controller", "--timeout=4m"}, system...),
		append([]string{"kubectl", "rollout", "status", "statefulset/sonde-receiver", "--timeout=4m"}, system...),
	} {
		cmd := exec.CommandContext(ctx, c[0], c[1:]...)
		cmd.Dir, cmd.Stdout, cmd.Stderr = root, out, out
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("%s: %w", strings.Join(c, " "), err)
		}
	}
	return nil
}

// WithoutSonde runs m after it has put down the Sonde that a demo may have left in the
// cluster: of two controllers for one namespace neither would be quiet, and two
// receivers would judge the same runs. The e2e tests, or another demo, put it up again.
func WithoutSonde(m *testing.M) int {
	down := exec.CommandContext(context.Background(), "kubectl", "-n", SystemNamespace, "scale", "--replicas=0", "deployment/sonde-controller", "statefulset/sonde-receiver")
	if out, err := down.CombinedOutput(); err != nil && !strings.Contains(strings.ToLower(string(out)), "not found") {
		fmt.Fprintf(os.Stderr, "put down Sonde in the cluster: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// Exposition returns what the receiver's /metrics says, in text form. It waits for a
// receiver that is just starting.
func (c *Cluster) Exposition(t *testing.T) string {
	t.Helper()
	var out string
	Eventually(t, "the receiver can be scraped", func(ctx context.Context) bool {
		var err error
		out, err = c.kubectl(ctx, "get", "--raw", metrics)
		return err == nil
	})
	return out
}

// kubectl runs kubectl and returns what it prints.
func (c *Cluster) kubectl(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, filepath.Join(c.Dir, "bin", "kubectl"), args...)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+c.Kubeconfig)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("kubectl %s: %w: %s", strings.Join(args, " "), err, stderr.String())
	}
	return string(out), nil
}

// Metric returns the sum of the series of a counter or gauge that have all labels
// (name, value, name, value …), and whether there is one.
func (c *Cluster) Metric(t *testing.T, name string, labels ...string) (float64, bool) {
	t.Helper()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(c.Exposition(t)))
	if err != nil {
		t.Fatal(err)
	}
	sum, found := 0.0, false
	for _, m := range families[name].GetMetric() {
		have := map[string]string{}
		for _, l := range m.GetLabel() {
			have[l.GetName()] = l.GetValue()
		}
		matches := true
		for i := 0; i+1 < len(labels); i += 2 {
			matches = matches && have[labels[i]] == labels[i+1]
		}
		if matches {
			sum, found = sum+m.GetCounter().GetValue()+m.GetGauge().GetValue(), true
		}
	}
	return sum, found
}
