//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/sonde-dev/sonde/api/v1alpha1"
	"github.com/sonde-dev/sonde/receiver/credential"
	"github.com/sonde-dev/sonde/test/harness"
)

// TestWhoMayReport sends reports from outside, with credentials as an attacker or a
// stale pod might have them.
func TestWhoMayReport(t *testing.T) {
	t.Parallel()
	c := harness.Connect(t)
	address := forward(t, c)
	mine, run := runOf(t, c, "mine", "sleep 60", func(s *v1alpha1.CheckSpec) { s.Timeout.Duration = 2 * time.Minute })
	theirs, _ := runOf(t, c, "theirs", "sleep 1")
	key, err := credential.NewKey(strings.NewReader(strings.Repeat("k", credential.KeyBytes)))
	if err != nil {
		t.Fatal(err)
	}
	good := credential.Compose(run, token(t, c, mine))
	for name, tc := range map[string]struct {
		credential string
		status     int
		kind       string
	}{
		"no credential":                          {"", http.StatusUnauthorized, "/problems/missing-credential"},
		"nonsense":                               {"let me in", http.StatusUnauthorized, "/problems/malformed-credential"},
		"another key's":                          {credential.Compose(run, credential.Token(key, string(mine.UID))), http.StatusUnauthorized, "/problems/unknown-key"},
		"one that was changed":                   {flip(good), http.StatusUnauthorized, "/problems/bad-signature"},
		"another check's, for a run of this":     {credential.Compose(run, token(t, c, theirs)), http.StatusForbidden, "/problems/foreign-run"},
		"the run's own":                          {good, http.StatusOK, ""},
		"the check's, for a run nobody heard of": {credential.Compose("00000000-0000-4000-8000-000000000000", token(t, c, mine)), http.StatusAccepted, ""},
	} {
		t.Run(name, func(t *testing.T) {
			status, kind := post(t, address, tc.credential, `{"metrics": [{"name": "knocks", "value": 1}]}`)
			if status != tc.status || kind != tc.kind {
				t.Errorf("answer %d %s, want %d %s", status, kind, tc.status, tc.kind)
			}
		})
	}
	t.Run("the run's own, long after its end", func(t *testing.T) {
		awaitResult(t, c, mine, func(s v1alpha1.CheckStatus) bool { return s.Result != "" })
		harness.Eventually(t, "reports of the run are refused as too late", func(context.Context) bool {
			status, kind := post(t, address, good, `{"ok": false}`)
			return status == http.StatusGone && kind == "/problems/run-over"
		})
		if got := c.GetCheck(t, mine).Status; got.Result != "success" {
			t.Errorf("the result is %s/%s %q, want the success that came before the late reports", got.Result, got.Reason, got.Message)
		}
	})
	if n, _ := c.Metric(t, "sonde_reports_total", "outcome", "refused"); n < 5 {
		t.Errorf("%v refusals are counted, want at least 5", n)
	}
}

// flip changes the last character of a credential.
func flip(s string) string {
	last := byte('A')
	if s[len(s)-1] == last {
		last = 'Q'
	}
	return s[:len(s)-1] + string(last)
}

// runOf creates a Check whose first run does script, and returns it with the UID of
// the run's Job.
func runOf(t *testing.T, c *harness.Cluster, name, script string, edits ...func(*v1alpha1.CheckSpec)) (*v1alpha1.Check, string) {
	t.Helper()
	check := harness.Check(c.Namespace(t), name, script)
	for _, edit := range edits {
		edit(&check.Spec)
	}
	check.Spec.RunOnCreate = true
	if err := c.Create(t.Context(), check); err != nil {
		t.Fatal(err)
	}
	var jobs batchv1.JobList
	harness.Eventually(t, name+" runs", func(ctx context.Context) bool {
		return c.List(ctx, &jobs, client.InNamespace(check.Namespace)) == nil && len(jobs.Items) == 1 && jobs.Items[0].Status.Active == 1
	})
	return check, string(jobs.Items[0].UID)
}

// token reads the token of check.
func token(t *testing.T, c *harness.Cluster, check *v1alpha1.Check) string {
	t.Helper()
	var secrets corev1.SecretList
	if err := c.List(t.Context(), &secrets, client.InNamespace(check.Namespace), client.MatchingLabels{v1alpha1.LabelCheck: check.Name}); err != nil || len(secrets.Items) != 1 {
		t.Fatalf("%d Secrets: %v", len(secrets.Items), err)
	}
	return string(secrets.Items[0].Data["token"])
}

// forward makes the receiver's check side reachable, and returns its address.
func forward(t *testing.T, c *harness.Cluster) string {
	t.Helper()
	address := harness.FreeAddress(t)
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	c.Start(t, filepath.Join(c.Dir, "bin", "kubectl"), "-n", harness.SystemNamespace, "port-forward", "service/sonde-receiver-0", port+":80")
	harness.Eventually(t, "the port is forwarded", func(ctx context.Context) bool {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
		if err != nil {
			return false
		}
		return conn.Close() == nil
	})
	return address
}

// post sends a report and returns the status and the type of the problem.
func post(t *testing.T, address, credential, body string) (status int, kind string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+address+"/v1/results", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	if credential != "" {
		request.Header.Set("Authorization", "Bearer "+credential)
	}
	client := http.Client{Timeout: 20 * time.Second}
	answer, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var problem struct{ Type string }
	if answer.StatusCode >= http.StatusBadRequest {
		if err := json.NewDecoder(answer.Body).Decode(&problem); err != nil {
			t.Fatal(err)
		}
	}
	return answer.StatusCode, problem.Type
}

// TestPromtoolAccepts has Prometheus' own tool look at the exposition.
func TestPromtoolAccepts(t *testing.T) {
	t.Parallel()
	c := harness.Connect(t)
	check, _ := runOf(t, c, "linted", report(`{"ok": true, "metrics": [{"name": "pages.seen", "kind": "counter", "value": 5}, {"name": "queue.age", "unit": "s", "value": 1.5}]}`))
	awaitResult(t, c, check, func(s v1alpha1.CheckStatus) bool { return s.Result == "success" })
	path, err := exec.CommandContext(t.Context(), "go", "-C", filepath.Join(c.Root, "test", "cluster"), "run", ".", "tool", "promtool").Output()
	if err != nil {
		t.Fatal(err)
	}
	lint := exec.CommandContext(t.Context(), strings.TrimSpace(string(path)), "check", "metrics")
	lint.Stdin = bytes.NewReader([]byte(c.Exposition(t)))
	if out, err := lint.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("promtool check metrics: %v\n%s", err, out)
	}
}

// TestRights asks the API server what each part may do.
func TestRights(t *testing.T) {
	t.Parallel()
	c := harness.Connect(t)
	for _, tc := range []struct{ account, verb, resource, may string }{
		{"sonde-receiver", "create", "jobs", "no"},
		{"sonde-receiver", "delete", "jobs", "no"},
		{"sonde-receiver", "update", "cronjobs", "no"},
		{"sonde-receiver", "delete", "pods", "no"},
		{"sonde-receiver", "get", "secrets", "no"},
		{"sonde-receiver", "update", "checks", "no"},
		{"sonde-receiver", "list", "pods", "yes"},
		{"sonde-controller", "get", "secrets", "no"},
		{"sonde-controller", "list", "secrets", "no"},
		{"sonde-controller", "patch", "secrets", "no"},
		{"sonde-controller", "update", "secrets", "no"},
		{"sonde-controller", "create", "secrets", "yes"},
		{"sonde-controller", "delete", "jobs", "yes"},
		{"sonde-controller", "update", "jobs", "no"},
		{"sonde-controller", "delete", "pods", "no"},
		{"sonde-controller", "create", "pods", "no"},
		{"sonde-controller", "update", "checks", "no"},
	} {
		cmd := exec.CommandContext(t.Context(), filepath.Join(c.Dir, "bin", "kubectl"), "auth", "can-i", tc.verb, tc.resource, "-n", "default",
			"--as=system:serviceaccount:"+harness.SystemNamespace+":"+tc.account)
		cmd.Env = append(os.Environ(), "KUBECONFIG="+c.Kubeconfig)
		out, _ := cmd.Output() // "no" is an exit code too
		if got := strings.TrimSpace(string(out)); got != tc.may {
			t.Errorf("may %s %s %s? %q, want %s", tc.account, tc.verb, tc.resource, got, tc.may)
		}
	}
}
