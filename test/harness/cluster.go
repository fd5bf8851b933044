// Package harness connects tests with the development cluster and with the parts of
// Sonde under test. Nothing in it is skipped: without a cluster a test fails and
// says what to run.
package harness

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/sonde-dev/sonde/controller"
)

// Patience bounds every wait for something that is due. It is generous, since it is
// only spent when a test fails.
const Patience = 4 * time.Minute

// Cluster is the development cluster.
type Cluster struct {
	client.Client
	Config     *rest.Config
	Kubeconfig string
	Dir        string // state of the cluster: audit.log, bin/kubectl
	Root       string // of the checkout
}

// Connect returns the cluster that "make test" has brought up.
func Connect(t *testing.T) *Cluster {
	t.Helper()
	kubeconfig, dir := os.Getenv("KUBECONFIG"), os.Getenv("SONDE_CLUSTER_DIR")
	if kubeconfig == "" || dir == "" {
		t.Fatal("this test needs the development cluster: run make test, or go -C test/cluster run . run -- go test -tags e2e ./test/...")
	}
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	config.UserAgent, config.QPS = "sonde-test", -1
	scheme, err := controller.Scheme()
	if err != nil {
		t.Fatal(err)
	}
	c, err := client.New(config, client.Options{Scheme: scheme})
	if err != nil {
		t.Fatal(err)
	}
	return &Cluster{Client: c, Config: config, Kubeconfig: kubeconfig, Dir: dir, Root: root(t)}
}

// root returns the folder of go.mod.
func root(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; dir != "/"; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
	}
	t.Fatal("no go.mod above the working directory")
	return ""
}

// Namespace makes a namespace for the test, and deletes it afterwards.
func (c *Cluster) Namespace(t *testing.T) string {
	t.Helper()
	name := strings.ToLower(strings.NewReplacer("/", "-", "_", "-").Replace(t.Name()))
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: name[:min(len(name), 40)] + "-"}}
	if err := c.Create(t.Context(), ns); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Delete(context.Background(), ns); err != nil {
			t.Error(err)
		}
	})
	return ns.Name
}

// Eventually waits until so returns true, and fails the test if it does not.
func Eventually(t *testing.T, what string, so func(context.Context) bool) {
	t.Helper()
	EventuallyWithin(t, Patience, what, so)
}

// EventuallyWithin is Eventually with another bound.
func EventuallyWithin(t *testing.T, patience time.Duration, what string, so func(context.Context) bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for !so(ctx) {
		select {
		case <-ctx.Done():
			t.Fatalf("waited %s in vain until %s", patience, what)
		case <-time.After(200 * time.Millisecond):
		}
	}
}
