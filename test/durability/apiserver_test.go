//go:build e2e

package durability

import (
	"context"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/sonde-dev/sonde/test/harness"
)

// nowhere is a kubeconfig of a cluster that is not there.
const nowhere = `apiVersion: v1
kind: Config
clusters: [{name: nowhere, cluster: {server: "https://127.0.0.1:1"}}]
contexts: [{name: nowhere, context: {cluster: nowhere, user: nobody}}]
current-context: nowhere
users: [{name: nobody, user: {token: none}}]
`

// TestAStartWithoutAnAPIServer has the receiver show what it knows and take reports all
// the same.
func TestAStartWithoutAnAPIServer(t *testing.T) {
	w := setUp(t, 1)
	first := w.receiver(t)
	w.awaitReady(t)
	l := newLoad(w)
	r, err := w.newRun(t, 0)
	if err != nil {
		t.Fatal(err)
	}
	l.send(t.Context(), r, steps("one", 1, ""))
	harness.Eventually(t, "the report is counted", func(ctx context.Context) bool {
		n, err := w.metrics(ctx, "crash_steps_total", "client")
		return err == nil && n["one"] == 1
	})
	first.Signal(syscall.SIGTERM)

	there := w.Kubeconfig
	w.Kubeconfig = filepath.Join(t.TempDir(), "kubeconfig")
	if err := os.WriteFile(w.Kubeconfig, []byte(nowhere), 0o600); err != nil {
		t.Fatal(err)
	}
	alone := w.receiver(t)
	l.send(t.Context(), r, steps("one", 2, `"ok": true,`))
	w.has(t, "crash_steps_total", 2)
	alone.Signal(syscall.SIGTERM)

	w.Kubeconfig = there
	w.receiver(t)
	if err := w.complete(t, r); err != nil {
		t.Fatal(err)
	}
	l.steps["one"], l.completed[0] = 2, 1
	w.awaitReady(t)
	l.check(t)
}
