//go:build e2e

package e2e

import (
	"context"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/sonde-dev/sonde/api/v1alpha1"
	"github.com/sonde-dev/sonde/test/harness"
)

// TestTheReceiverIsKilledDuringRuns proves that a run which reports afterwards is
// judged as ever, and that one which stays silent is counted as what it may be: lost
// with the receiver, and no failure of the check. It is not parallel, since the other
// tests' counters would begin anew.
func TestTheReceiverIsKilledDuringRuns(t *testing.T) {
	c := harness.Connect(t)
	longer := func(s *v1alpha1.CheckSpec) { s.Timeout.Duration = 2 * time.Minute }
	reports, _ := runOf(t, c, "reports", "sleep 25; "+report(`{"ok": true}`), longer)
	silent, _ := runOf(t, c, "silent", "sleep 25", longer)
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: harness.SystemNamespace, Name: "sonde-receiver-0"}}
	if err := c.Delete(t.Context(), pod, client.GracePeriodSeconds(0)); err != nil {
		t.Fatal(err)
	}
	status := awaitResult(t, c, reports, func(s v1alpha1.CheckStatus) bool { return s.Result != "" })
	if status.Result != "success" || status.Reason != "Reported" {
		t.Errorf("the run that reported is %s/%s %q", status.Result, status.Reason, status.Message)
	}
	harness.Eventually(t, "the silent run is counted", func(context.Context) bool {
		n, _ := c.Metric(t, "sonde_runs_total", "reason", "CollectorDown")
		return n == 1
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
