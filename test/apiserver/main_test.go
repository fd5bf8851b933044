//go:build e2e

// Package apiserver tests the controller, as a process, against a real API server:
// only that can say whether a CronJob is valid, whether a second apply is quiet, and
// what each of them costs.
package apiserver

import (
	"os"
	"strings"
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/sonde-dev/sonde/test/harness"
)

func TestMain(m *testing.M) { os.Exit(harness.WithoutSonde(m)) }

// world is the cluster with the CRD and a controller for one namespace.
type world struct {
	*harness.Cluster
	namespace  string
	program    string
	controller *harness.Process
}

// setUp makes a namespace with a controller that looks after it alone, with more
// flags.
func setUp(t *testing.T, more ...string) *world {
	t.Helper()
	c := harness.Connect(t)
	if _, err := envtest.InstallCRDs(c.Config, envtest.CRDInstallOptions{Paths: []string{c.Root + "/deploy/crd"}}); err != nil {
		t.Fatal(err)
	}
	w := &world{Cluster: c, namespace: c.Namespace(t), program: c.Sonde(t)}
	w.controller = w.start(t, more...)
	return w
}

// start runs a controller for the namespace.
func (w *world) start(t *testing.T, more ...string) *harness.Process {
	t.Helper()
	args := append([]string{
		"controller",
		"--namespace=" + w.namespace, "--namespaces=" + w.namespace, "--leader-elect=false",
		"--health-address=0", "--metrics-address=0",
	}, more...)
	return w.Start(t, w.program, args...)
}

// sentence fails the test unless text contains part.
func sentence(t *testing.T, text, part string) {
	t.Helper()
	if !strings.Contains(text, part) {
		t.Errorf("%q does not say %q", text, part)
	}
}
