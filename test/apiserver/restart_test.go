//go:build e2e

package apiserver

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/sonde-dev/sonde/api/v1alpha1"
	"github.com/sonde-dev/sonde/test/harness"
)

// TestARestartOverSettledChecksWritesNothing counts, by the API server's own
// account, what a controller costs that starts over 500 Checks and finds all of them
// as they should be.
func TestARestartOverSettledChecksWritesNothing(t *testing.T) {
	const checks = 500
	w := setUp(t)
	group, ctx := errgroup.WithContext(t.Context())
	group.SetLimit(8)
	for i := range checks {
		group.Go(func() error { return w.Create(ctx, w.suspended(fmt.Sprintf("check-%03d", i))) })
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	harness.Eventually(t, "all Checks are settled", func(ctx context.Context) bool {
		var list v1alpha1.CheckList
		if err := w.List(ctx, &list); err != nil {
			return false
		}
		settled := 0
		for _, c := range list.Items {
			if c.Namespace == w.namespace && c.Status.CronJob != nil {
				settled++
			}
		}
		return settled == checks
	})
	w.isQuiet(t)

	w.controller.Signal(syscall.SIGTERM)
	audit := w.AuditFromNow(t)
	address := harness.FreeAddress(t)
	second := w.start(t, "--metrics-address="+address)
	harness.Eventually(t, "the new controller has looked at every Check", func(ctx context.Context) bool {
		return reconciled(ctx, address) >= checks
	})
	second.Signal(syscall.SIGTERM) // a watch is in the audit log once it has ended

	time.Sleep(time.Second) // the audit log is written behind the answers
	lists := map[string]int{}
	for _, r := range audit.Requests(t, "sonde-controller", func(harness.Request) bool { return true }) {
		switch {
		case r.Write():
			t.Errorf("a write: %s %s", r.Verb, r.RequestURI)
		case r.Lists():
			lists[r.ObjectRef.Resource]++
		case r.Verb == "get" && r.ObjectRef.Resource != "" && r.ObjectRef.Resource != "secrets":
			t.Errorf("a read of one object: %s", r.RequestURI)
		}
	}
	if len(lists) != 3 || lists["checks"] != 1 || lists["cronjobs"] != 1 || lists["pods"] != 1 {
		t.Errorf("lists by kind: %v, want one each of checks, cronjobs and pods", lists)
	}
}

// reconciled returns how many reconciles the controller at address has done.
func reconciled(ctx context.Context, address string) int {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/metrics", nil)
	if err != nil {
		return 0
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return 0
	}
	total := 0
	for line := range strings.Lines(string(body)) {
		var n int
		if _, err := fmt.Sscanf(line, `controller_runtime_reconcile_total{controller="check",result="success"} %d`, &n); err == nil {
			total = n
		}
	}
	return total
}

// TestOneOfTwoControllersLeads proves that the second waits, and takes over when the
// first is killed.
func TestOneOfTwoControllersLeads(t *testing.T) {
	w := setUp(t)
	w.controller.Signal(syscall.SIGKILL)
	first := w.start(t, "--leader-elect=true")
	w.create(t, w.suspended("one"), v1alpha1.ReasonSuspended)
	w.start(t, "--leader-elect=true")
	audit := w.AuditFromNow(t)
	w.create(t, w.suspended("two"), v1alpha1.ReasonSuspended)
	created := audit.Requests(t, "sonde-controller", func(r harness.Request) bool {
		return r.Verb == "create" && r.ObjectRef.Resource == "cronjobs" && r.ObjectRef.Namespace == w.namespace
	})
	if len(created) != 1 {
		t.Errorf("%d requests to create one CronJob", len(created))
	}
	first.Signal(syscall.SIGKILL)
	w.create(t, w.suspended("three"), v1alpha1.ReasonSuspended)
}
