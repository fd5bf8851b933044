package harness

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/sonde-dev/sonde/api/v1alpha1"
	"github.com/sonde-dev/sonde/test/samples"
)

// Scraped returns the samples of the receiver's /metrics.
func (c *Cluster) Scraped(ctx context.Context) (samples.Samples, error) {
	text, err := c.kubectl(ctx, "get", "--raw", metrics)
	if err != nil {
		return nil, err
	}
	return samples.FromText(text)
}

// Pushed returns the samples that the Collector received within the last ten seconds,
// in which the receiver pushes five times. For so long it has those of a receiver that
// is gone as well, which is an error where two differ in nothing but their sender.
func (c *Cluster) Pushed(ctx context.Context) (samples.Samples, error) {
	text, err := c.kubectl(ctx, "get", "--raw", "/api/v1/namespaces/"+CollectorNamespace+"/services/collector:http/proxy/v1/metrics?within=10s")
	if err != nil {
		return nil, err
	}
	return samples.FromOTLP([]byte(text))
}

// Example returns the Check of a folder of examples, in a namespace of the test's. It
// runs once, at its creation, so that what is counted stays as it is.
func (c *Cluster) Example(t *testing.T, name string) *v1alpha1.Check {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(c.Root, "examples", name, "check.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var check v1alpha1.Check
	if err := yaml.UnmarshalStrict(text, &check); err != nil {
		t.Fatal(err)
	}
	check.Namespace = c.Namespace(t)
	check.Spec.Interval, check.Spec.Schedule = nil, new("0 0 1 1 *")
	if check.Spec.MaxSeries == 0 {
		check.Spec.MaxSeries = 200 // the API server's default is for what is not sent, and Go sends it
	}
	return &check
}
