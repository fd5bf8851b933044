//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/sonde-dev/sonde/api/v1alpha1"
	"github.com/sonde-dev/sonde/test/harness"
)

// TestTheReceiverIsKilledDuringRuns proves that a run which reports afterwards is
// judged as ever, and that one which stays silent is counted as what it may be: lost
// with the receiver, and no failure of the check. It is not parallel, as the other
// tests' runs may not be lost.
func TestTheReceiverIsKilledDuringRuns(t *testing.T) {
	c := harness.Connect(t)
	longer := func(s *v1alpha1.CheckSpec) { s.Timeout.Duration = 2 * time.Minute }
	reports, _ := runOf(t, c, "reports", "sleep 25; "+report(`{"ok": true}`), longer)
	silent, _ := runOf(t, c, "silent", "sleep 25", longer)
	lost, _ := c.Metric(t, "sonde_runs_total", "reason", "CollectorDown")
	c.KillReceiver(t)
	status := awaitResult(t, c, reports, func(s v1alpha1.CheckStatus) bool { return s.Result != "" })
	if status.Result != "success" || status.Reason != "Reported" {
		t.Errorf("the run that reported is %s/%s %q", status.Result, status.Reason, status.Message)
	}
	harness.Eventually(t, "the silent run is counted", func(context.Context) bool {
		n, _ := c.Metric(t, "sonde_runs_total", "reason", "CollectorDown")
		return n == lost+1
	})
	ours := []string{"k8s_namespace_name", silent.Namespace, "sonde_check_name", silent.Name}
	if _, found := c.Metric(t, "sonde_check_ok", ours...); found {
		t.Error("sonde_check_ok of the silent check is there, though nothing is known")
	}
	passing := meta.FindStatusCondition(c.GetCheck(t, silent).Status.Conditions, v1alpha1.ConditionPassing)
	if passing == nil || passing.Status != metav1.ConditionUnknown {
		t.Errorf("Passing of the silent check is %v, want Unknown", passing)
	}
}

// startRuns starts so many runs of a suspended check at once.
func startRuns(t *testing.T, c *harness.Cluster, check *v1alpha1.Check, n int) {
	t.Helper()
	cron := c.CronJobOf(t, check)
	for range n {
		if err := c.Create(t.Context(), harness.JobOf(cron)); err != nil {
			t.Fatal(err)
		}
	}
}

// awaitTotal waits until so many runs of check have succeeded, and fails the test unless
// the sum of its counter is as wanted then.
func awaitTotal(t *testing.T, c *harness.Cluster, check *v1alpha1.Check, runs float64, counter string, want float64) {
	t.Helper()
	ours := []string{"k8s_namespace_name", check.Namespace, "sonde_check_name", check.Name}
	harness.Eventually(t, fmt.Sprint(runs, " runs of ", check.Name, " have succeeded"), func(context.Context) bool {
		n, _ := c.Metric(t, "sonde_check_runs_total", append(ours, "result", "success")...)
		return n == runs
	})
	if got, _ := c.Metric(t, counter, ours...); got != want {
		t.Errorf("%s = %v after %v runs, want %v", counter, got, runs, want)
	}
}

// TestThreeRunsOfFiveAreFifteen has runs of an SDK that follow each other, and runs that
// overlap, with the receiver killed between them.
func TestThreeRunsOfFiveAreFifteen(t *testing.T) {
	c := harness.Connect(t)
	check := c.Example(t, "otel-go")
	check.Spec.Suspend, check.Spec.RunOnCreate = true, false
	if err := c.Create(t.Context(), check); err != nil {
		t.Fatal(err)
	}
	c.AwaitCondition(t, check, v1alpha1.ConditionScheduled, v1alpha1.ReasonSuspended)
	for n := range 3 {
		startRuns(t, c, check, 1)
		awaitTotal(t, c, check, float64(n+1), "pages_visited_total", float64(5*(n+1)))
		c.KillReceiver(t)
	}
	startRuns(t, c, check, 3)
	awaitTotal(t, c, check, 6, "pages_visited_total", 30)
}

// TestTheReceiverIsKilledBetweenTheReportsOfOverlappingRuns has three runs at once that
// report 2 before, and 5 afterwards.
func TestTheReceiverIsKilledBetweenTheReportsOfOverlappingRuns(t *testing.T) {
	c := harness.Connect(t)
	steps := func(n int, more string) string {
		return report(fmt.Sprintf(`{%s"metrics": [{"name": "overlap.steps", "kind": "counter", "value": %d}]}`, more, n))
	}
	script := "until " + steps(2, "") + "; do sleep 1; done; sleep 30; until " + steps(5, `"ok": true, `) + "; do sleep 1; done"
	check := harness.Check(c.Namespace(t), "overlapping", script)
	check.Spec.Suspend = true
	check.Spec.Timeout.Duration = 3 * time.Minute
	if err := c.Create(t.Context(), check); err != nil {
		t.Fatal(err)
	}
	c.AwaitCondition(t, check, v1alpha1.ConditionScheduled, v1alpha1.ReasonSuspended)
	startRuns(t, c, check, 3)
	ours := []string{"k8s_namespace_name", check.Namespace, "sonde_check_name", check.Name}
	harness.Eventually(t, "each run has said 2", func(context.Context) bool {
		n, _ := c.Metric(t, "overlap_steps_total", ours...)
		return n == 6
	})
	c.KillReceiver(t)
	if n, _ := c.Metric(t, "overlap_steps_total", ours...); n < 6 {
		t.Errorf("after the kill overlap_steps_total = %v, want 6 at least", n)
	}
	awaitTotal(t, c, check, 3, "overlap_steps_total", 15)
}

// TestSomebodyDeletesAJob proves that its pods, which go with it, are not blamed.
func TestSomebodyDeletesAJob(t *testing.T) {
	t.Parallel()
	c := harness.Connect(t)
	check, _ := runOf(t, c, "deleted", "sleep 60", func(s *v1alpha1.CheckSpec) { s.Timeout.Duration = 2 * time.Minute })
	var jobs batchv1.JobList
	if err := c.List(t.Context(), &jobs, client.InNamespace(check.Namespace)); err != nil || len(jobs.Items) != 1 {
		t.Fatalf("%d Jobs, %v", len(jobs.Items), err)
	}
	if err := c.Delete(t.Context(), &jobs.Items[0], client.PropagationPolicy(metav1.DeletePropagationBackground)); err != nil {
		t.Fatal(err)
	}
	got := awaitResult(t, c, check, func(s v1alpha1.CheckStatus) bool { return s.Result != "" })
	if got.Result != "error" || got.Reason != "JobDeleted" {
		t.Errorf("verdict %s/%s %q, want error/JobDeleted", got.Result, got.Reason, got.Message)
	}
}
