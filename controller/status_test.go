package controller

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/sonde-dev/sonde/api/v1alpha1"
)

func TestOutcomes(t *testing.T) {
	applied := &v1alpha1.AppliedCronJob{Name: "login", Generation: 1}
	group := schema.GroupKind{Group: "batch", Kind: "CronJob"}
	for name, tc := range map[string]struct {
		outcome outcome
		suspend bool
		status  metav1.ConditionStatus
		reason  string
		says    string
		again   bool
	}{
		"applied":           {outcome{schedule: "* * * * *", cronJob: applied}, false, metav1.ConditionTrue, v1alpha1.ReasonApplied, `at "* * * * *"`, false},
		"suspended":         {outcome{schedule: "* * * * *", cronJob: applied}, true, metav1.ConditionFalse, v1alpha1.ReasonSuspended, "spec.suspend is true", false},
		"a fault of ours":   {outcome{err: specErrorf("spec.x: must be y")}, false, metav1.ConditionFalse, v1alpha1.ReasonInvalidSpec, "spec.x: must be y", false},
		"invalid":           {outcome{err: apierrors.NewInvalid(group, "login", nil)}, false, metav1.ConditionFalse, v1alpha1.ReasonInvalidSpec, "is invalid", false},
		"a misspelt field":  {outcome{err: apierrors.NewBadRequest(`unknown field "imagee"`)}, false, metav1.ConditionFalse, v1alpha1.ReasonInvalidSpec, "imagee", false},
		"somebody else's":   {outcome{err: fmt.Errorf("CronJob login: %w", errNameConflict)}, false, metav1.ConditionFalse, v1alpha1.ReasonNameConflict, "somebody else", false},
		"quota or a policy": {outcome{err: apierrors.NewForbidden(schema.GroupResource{}, "login", errors.New("quota"))}, false, metav1.ConditionFalse, v1alpha1.ReasonApplyFailed, "quota", true},
		"invalid, wrapped":  {outcome{err: fmt.Errorf("update: %w", apierrors.NewInvalid(group, "login", nil))}, false, metav1.ConditionFalse, v1alpha1.ReasonInvalidSpec, "update: ", false},
		"anything else":     {outcome{err: errors.New("no route to host")}, false, metav1.ConditionFalse, v1alpha1.ReasonApplyFailed, "no route", true},
	} {
		t.Run(name, func(t *testing.T) {
			check := &v1alpha1.Check{ObjectMeta: metav1.ObjectMeta{Generation: 7}, Spec: v1alpha1.CheckSpec{Suspend: tc.suspend}}
			next := nextStatus(check, tc.outcome, time.Unix(0, 0))
			cond := scheduledCondition(next)
			if cond.Status != tc.status || cond.Reason != tc.reason || !strings.Contains(cond.Message, tc.says) || cond.ObservedGeneration != 7 {
				t.Errorf("condition %+v", cond)
			}
			if !changed(check.Status, next) {
				t.Error("the first condition is no change")
			}
			check.Status = next
			if changed(check.Status, nextStatus(check, tc.outcome, time.Unix(1, 0))) {
				t.Error("the same outcome a second later is a change")
			}
			if again := transient(tc.outcome.err) != nil; again != tc.again {
				t.Errorf("tried again: %v, want %v", again, tc.again)
			}
		})
	}
}

func TestSettled(t *testing.T) {
	check := &v1alpha1.Check{ObjectMeta: metav1.ObjectMeta{Name: "login", UID: anyUID}}
	desired := &unstructured.Unstructured{Object: map[string]any{}}
	desired.SetLabels(map[string]string{v1alpha1.LabelCheck: "login"})
	desired.SetAnnotations(map[string]string{v1alpha1.AnnotationHash: "abc"})
	for name, tc := range map[string]struct {
		edit func(*batchv1.CronJob)
		want bool
	}{
		"as it was applied":          {func(*batchv1.CronJob) {}, true},
		"somebody added a label":     {func(c *batchv1.CronJob) { c.Labels["theirs"] = "1" }, true},
		"somebody took our label":    {func(c *batchv1.CronJob) { delete(c.Labels, v1alpha1.LabelCheck) }, false},
		"somebody edited the spec":   {func(c *batchv1.CronJob) { c.Generation++ }, false},
		"made of an older Check":     {func(c *batchv1.CronJob) { c.Annotations[v1alpha1.AnnotationHash] = "old" }, false},
		"its owner was taken away":   {func(c *batchv1.CronJob) { c.OwnerReferences = nil }, false},
		"of an older Check's making": {func(c *batchv1.CronJob) { c.OwnerReferences[0].UID = "older" }, false},
	} {
		t.Run(name, func(t *testing.T) {
			cron := &batchv1.CronJob{ObjectMeta: metav1.ObjectMeta{
				Generation: 3, OwnerReferences: []metav1.OwnerReference{ownerReference(check)},
				Labels: map[string]string{v1alpha1.LabelCheck: "login"}, Annotations: map[string]string{v1alpha1.AnnotationHash: "abc"},
			}}
			tc.edit(cron)
			if got := settled(check, cron, desired, 3); got != tc.want {
				t.Errorf("settled() = %v, want %v", got, tc.want)
			}
		})
	}
	if settled(check, nil, desired, 0) {
		t.Error("settled without a CronJob")
	}
}

var evening = time.Date(2026, 3, 1, 18, 0, 0, 0, time.UTC)

func TestAFailureToApplyKeepsWhatWasApplied(t *testing.T) {
	check := &v1alpha1.Check{ObjectMeta: metav1.ObjectMeta{Generation: 2}}
	check.Status = v1alpha1.CheckStatus{Result: "success", Reason: "Reported", LastTransition: &v1alpha1.RunStatus{Result: "success"}}
	check.Status = nextStatus(check, outcome{schedule: "* * * * *", cronJob: &v1alpha1.AppliedCronJob{Name: "login", Generation: 1}}, evening)
	before := check.DeepCopy()

	next := nextStatus(check, outcome{err: specErrorf("spec.x: must be y")}, evening.Add(time.Minute))
	want := "spec.x: must be y (until this is mended, the check goes on as it was before)"
	if cond := scheduledCondition(next); cond.Message != want || !cond.LastTransitionTime.Equal(&metav1.Time{Time: evening.Add(time.Minute)}) {
		t.Errorf("condition %+v, want %q", cond, want)
	}
	if next.Schedule != "* * * * *" || next.CronJob == nil || next.Result != "success" || next.LastTransition == nil {
		t.Errorf("status %+v has lost what is still true", next)
	}
	if !equality.Semantic.DeepEqual(before, check) {
		t.Error("nextStatus changed its argument")
	}

	own := ownStatus(next)
	if own.Result != "" || own.LastTransition != nil || len(own.Conditions) != 1 || own.CronJob == nil {
		t.Errorf("own status %+v has what the receiver owns, or lacks what the controller does", own)
	}
}

func TestTheTimeOfATransitionIsOfTheStatus(t *testing.T) {
	check := &v1alpha1.Check{}
	check.Status = nextStatus(check, outcome{err: errors.New("no route to host")}, evening)
	check.Status = nextStatus(check, outcome{err: specErrorf("spec.x: must be y")}, evening.Add(time.Hour))
	if cond := scheduledCondition(check.Status); !cond.LastTransitionTime.Equal(&metav1.Time{Time: evening}) || cond.Reason != v1alpha1.ReasonInvalidSpec {
		t.Errorf("condition %+v, want False since %s", cond, evening)
	}
}

func TestANamespaceThatIsEndingIsNotTriedAgain(t *testing.T) {
	ending := apierrors.NewForbidden(schema.GroupResource{}, "login", errors.New("namespace shop is being terminated"))
	ending.ErrStatus.Details.Causes = []metav1.StatusCause{{Type: "NamespaceTerminating"}}
	if err := transient(fmt.Errorf("create the Secret: %w", ending)); err != nil {
		t.Errorf("transient() = %v, want nil", err)
	}
}
