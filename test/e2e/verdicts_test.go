//go:build e2e

package e2e

import (
	"context"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/sonde-dev/sonde/api/v1alpha1"
	"github.com/sonde-dev/sonde/test/harness"
)

// verdict is how a run ends and what the status says of it.
type verdict struct{ result, reason, message string }

func TestVerdicts(t *testing.T) {
	tooLarge := `head -c 1100000 /dev/zero | tr '\0' ' ' > /tmp/body; echo '{}' >> /tmp/body; ` +
		strings.Replace(report(""), "--post-data ''", "--post-file /tmp/body", 1)
	tooMany := `(printf '{"metrics":['; i=0; while [ $i -lt 2001 ]; do printf '{"name":"m%d","value":1},' $i; i=$((i+1)); done; printf '{"name":"last","value":1}]}') > /tmp/body; ` +
		strings.Replace(report(""), "--post-data ''", "--post-file /tmp/body", 1)
	for name, tc := range map[string]struct {
		script string
		edit   func(*v1alpha1.CheckSpec)
		want   verdict
	}{
		"success":             {report(`{"ok": true}`), nil, verdict{"success", "Reported", ""}},
		"failure":             {report(`{"ok": false, "errors": ["no login form", "slow"]}`), nil, verdict{"failure", "Reported", "no login form (and 1 more)"}},
		"errors-mean-failure": {report(`{"errors": ["x"]}`), nil, verdict{"failure", "Reported", "x"}},
		"no-report":           {"true", nil, verdict{"error", "NoReport", "ended with exit code 0 and did not report"}},
		"crash":               {"exit 7", nil, verdict{"error", "NoReport", "ended with exit code 7"}},
		"metrics-only":        {report(`{"metrics": [{"name": "pages", "value": 3}]}`), nil, verdict{"success", "ExitCode", ""}},
		"metrics-then-crash":  {report(`{"metrics": [{"name": "pages", "value": 3}]}`) + "; exit 3", nil, verdict{"failure", "ExitCode", "exit code 3"}},
		"required":            {report(`{"metrics": [{"name": "pages", "value": 3}]}`), required, verdict{"error", "NoReport", ""}},
		"exit-code-0":         {"true", exitCode, verdict{"success", "ExitCode", ""}},
		"exit-code-3":         {"echo refused > /dev/termination-log; exit 3", exitCode, verdict{"failure", "ExitCode", "exit code 3: refused"}},
		"timeout":             {"sleep 100", brief, verdict{"timeout", "DeadlineExceeded", "still running after its timeout of 5s"}},
		"reported-late":       {"trap '' TERM; sleep 9; " + report(`{"ok": true}`), brief, verdict{"timeout", "DeadlineExceeded", ""}},
		"second-attempt": {
			`mkdir -p /marks/$SONDE_JOB/first || exit 1; if mkdir /marks/$SONDE_JOB/second; then ` + report(`{"ok": false, "errors": ["first attempt"]}`) + `; exit 1; fi; ` + report(`{"ok": true}`),
			twice,
			verdict{"success", "Reported", ""},
		},
		"no-image":  {"true", noImage, verdict{"error", "ImagePull", "container check: "}},
		"no-secret": {"true", noSecret, verdict{"error", "ContainerConfig", `secret "nowhere" not found`}},
		"no-command": {"true", func(s *v1alpha1.CheckSpec) {
			s.PodTemplate = harness.Template(map[string]any{"name": "check", "image": "busybox:1.36", "command": []string{"/nowhere"}})
		}, verdict{"error", "StartError", "/nowhere"}},
		"no-node": {"true", func(s *v1alpha1.CheckSpec) {
			s.StartAllowance.Duration = 5 * time.Second
			s.PodTemplate.Raw = []byte(`{"spec": {"nodeSelector": {"nowhere": "x"}, "containers": [{"name": "check", "image": "busybox:1.36"}]}}`)
		}, verdict{"error", "Unschedulable", "node"}},
		"malformed-report":   {report(`{"ok": tru}`), nil, verdict{"error", "NoReport", "its report was refused"}},
		"misspelt-report":    {report(`{"okay": true}`), nil, verdict{"error", "NoReport", "its report was refused"}},
		"report-with-nan":    {report(`{"metrics": [{"name": "x", "value": NaN}]}`), nil, verdict{"error", "NoReport", "its report was refused"}},
		"report-with-le":     {report(`{"metrics": [{"name": "x", "value": 1, "labels": {"le": "1", "__x": "y"}}]}`), nil, verdict{"error", "NoReport", "its report was refused"}},
		"report-too-large":   {tooLarge, nil, verdict{"error", "NoReport", "its report was refused"}},
		"report-of-too-much": {tooMany, nil, verdict{"error", "NoReport", "its report was refused"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := harness.Connect(t)
			check := harness.Check(c.Namespace(t), name, tc.script)
			check.Spec.RunOnCreate = true
			if tc.edit != nil {
				tc.edit(&check.Spec)
			}
			if err := c.Create(t.Context(), check); err != nil {
				t.Fatal(err)
			}
			got := awaitResult(t, c, check, func(s v1alpha1.CheckStatus) bool { return s.Result != "" })
			if got.Result != tc.want.result || got.Reason != tc.want.reason || !strings.Contains(got.Message, tc.want.message) {
				t.Errorf("verdict %s/%s %q, want %s/%s %q", got.Result, got.Reason, got.Message, tc.want.result, tc.want.reason, tc.want.message)
			}
			exposes(t, c, check, tc.want.result)
		})
	}
}

func required(s *v1alpha1.CheckSpec) { s.Report = v1alpha1.ReportRequired }
func exitCode(s *v1alpha1.CheckSpec) { s.Report = v1alpha1.ReportExitCode }
func brief(s *v1alpha1.CheckSpec)    { s.Timeout.Duration = 5 * time.Second }

// twice allows a second attempt, and gives both a place to leave marks on the node.
func twice(s *v1alpha1.CheckSpec) {
	s.Retries = 1
	raw := string(s.PodTemplate.Raw)
	raw = strings.Replace(raw, `"name":"check"`, `"name":"check","volumeMounts":[{"name":"marks","mountPath":"/marks"}]`, 1)
	raw = strings.Replace(raw, `"containers":`, `"volumes":[{"name":"marks","hostPath":{"path":"/tmp/sonde-e2e","type":"DirectoryOrCreate"}}],"containers":`, 1)
	s.PodTemplate.Raw = []byte(raw)
}

func noImage(s *v1alpha1.CheckSpec) {
	s.StartAllowance.Duration = 5 * time.Second
	s.PodTemplate = harness.Template(map[string]any{"name": "check", "image": "sonde-dev/nowhere:1", "imagePullPolicy": "Never"})
}

func noSecret(s *v1alpha1.CheckSpec) {
	s.StartAllowance.Duration = 5 * time.Second
	s.PodTemplate = harness.Template(map[string]any{
		"name": "check", "image": "busybox:1.36",
		"envFrom": []any{map[string]any{"secretRef": map[string]any{"name": "nowhere"}}},
	})
}

// awaitResult waits until the status of check satisfies so, and returns it.
func awaitResult(t *testing.T, c *harness.Cluster, check *v1alpha1.Check, so func(v1alpha1.CheckStatus) bool) v1alpha1.CheckStatus {
	t.Helper()
	var now v1alpha1.Check
	harness.Eventually(t, check.Name+" has its verdict", func(ctx context.Context) bool {
		return c.Get(ctx, client.ObjectKeyFromObject(check), &now) == nil && so(now.Status)
	})
	return now.Status
}

// exposes proves that /metrics says of the one run of check what its status says.
func exposes(t *testing.T, c *harness.Cluster, check *v1alpha1.Check, want string) {
	t.Helper()
	ours := []string{"k8s_namespace_name", check.Namespace, "sonde_check_name", check.Name}
	ok, found := c.Metric(t, "sonde_check_ok", ours...)
	if !found || (ok == 1) != (want == "success") {
		t.Errorf("sonde_check_ok = %v, %v; the result is %s", ok, found, want)
	}
	if n, _ := c.Metric(t, "sonde_check_runs_total", append(ours, "result", want)...); n != 1 {
		t.Errorf("sonde_check_runs_total{result=%q} = %v, want 1", want, n)
	}
	if n, _ := c.Metric(t, "sonde_check_runs_total", ours...); n != 1 {
		t.Errorf("all results of sonde_check_runs_total = %v, want 1", n)
	}
	passing := c.AwaitCondition(t, check, v1alpha1.ConditionPassing, c.GetCheck(t, check).Status.Reason)
	if (passing.Status == metav1.ConditionTrue) != (want == "success") {
		t.Errorf("Passing is %s", passing.Status)
	}
}
