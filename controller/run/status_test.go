package run

import (
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/sonde-dev/sonde/api/v1alpha1"
	"github.com/sonde-dev/sonde/telemetry/ledger"
	"github.com/sonde-dev/sonde/telemetry/result"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// standing is the score after bad runs in a row, the last of which ended like that.
func standing(bad int, r result.Result, reason result.Reason) *ledger.Standing {
	v := result.Verdict{Result: r, Reason: reason, Message: "said"}
	return &ledger.Standing{Verdict: v, Bad: bad, Transition: result.Run{ID: "13566a3d-a0a3", Job: "login-1", Decided: noon, Verdict: v}}
}

// TestNextStatus plays a check's life: each row goes on from the status of the row
// before.
func TestNextStatus(t *testing.T) {
	check := &v1alpha1.Check{Spec: v1alpha1.CheckSpec{FailureThreshold: 2}}
	for _, tc := range []struct {
		name     string
		standing *ledger.Standing
		result   string
		passing  metav1.ConditionStatus
		reason   string
		writes   bool
	}{
		{"first sight", nil, "", metav1.ConditionUnknown, v1alpha1.ReasonAwaitingFirstRun, true},
		{"seen again", nil, "", metav1.ConditionUnknown, v1alpha1.ReasonAwaitingFirstRun, false},
		{"a success", standing(0, result.Success, result.Reported), "success", metav1.ConditionTrue, "Reported", true},
		{"another success", standing(0, result.Success, result.Reported), "success", metav1.ConditionTrue, "Reported", false},
		{"a failure below the threshold", standing(1, result.Failure, result.Reported), "failure", metav1.ConditionTrue, "Reported", true},
		{"a failure at the threshold", standing(2, result.Failure, result.Reported), "failure", metav1.ConditionFalse, "Reported", true},
		{"a further failure", standing(3, result.Failure, result.Reported), "failure", metav1.ConditionFalse, "Reported", false},
		{"bad for another reason", standing(4, result.Error, result.ImagePull), "error", metav1.ConditionFalse, "ImagePull", true},
		{"a restart of the receiver", nil, "error", metav1.ConditionFalse, "ImagePull", false},
		{"one bad run after the restart", standing(1, result.Error, result.ImagePull), "error", metav1.ConditionFalse, "ImagePull", false},
		{"recovered", standing(0, result.Success, result.ExitCode), "success", metav1.ConditionTrue, "ExitCode", true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			before := check.Status.DeepCopy()
			next := nextStatus(check, tc.standing, noon)
			if !equality.Semantic.DeepEqual(*before, check.Status) {
				t.Error("nextStatus changed its argument")
			}
			cond := meta.FindStatusCondition(next.Conditions, v1alpha1.ConditionPassing)
			if next.Result != tc.result || cond.Status != tc.passing || cond.Reason != tc.reason {
				t.Errorf("result %q, Passing %s/%s; want %q, %s/%s", next.Result, cond.Status, cond.Reason, tc.result, tc.passing, tc.reason)
			}
			if writes := !equality.Semantic.DeepEqual(*before, next); writes != tc.writes {
				t.Errorf("written: %v, want %v", writes, tc.writes)
			}
			if next.Result != "" && next.LastTransition.TraceID != "13566a3da0a3" {
				t.Errorf("last transition %+v", next.LastTransition)
			}
			check.Status = next
		})
	}
}

func TestTheQueueKeepsWhatComesBeforeItIsConnected(t *testing.T) {
	q := &Queue{}
	q.Add(result.Key{Namespace: "shop", Name: "login"})
	to := &recorded{}
	if err := q.connect(t.Context(), to); err != nil {
		t.Fatal(err)
	}
	q.Add(result.Key{Namespace: "shop", Name: "basket"})
	if len(to.names) != 2 || to.names[0] != "login" || to.names[1] != "basket" {
		t.Errorf("the reconciler was asked for %v", to.names)
	}
}
