//go:build e2e

package apiserver

import (
	"context"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/sonde-dev/sonde/api/v1alpha1"
	"github.com/sonde-dev/sonde/test/harness"
)

func unstructuredOf(body map[string]any) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: body}
}

// suspended returns a Check that is scheduled in all but starting pods, so that a
// test of the controller leaves the node alone.
func (w *world) suspended(name string) *v1alpha1.Check {
	check := harness.Check(w.namespace, name, "true")
	check.Spec.Suspend = true
	return check
}

// create creates the Check and waits until it is as reason says.
func (w *world) create(t *testing.T, check *v1alpha1.Check, reason string) metav1.Condition {
	t.Helper()
	if err := w.Create(t.Context(), check); err != nil {
		t.Fatal(err)
	}
	return w.AwaitCondition(t, check, v1alpha1.ConditionScheduled, reason)
}

func (w *world) cronJob(t *testing.T, name string) *batchv1.CronJob {
	t.Helper()
	var cron batchv1.CronJob
	if err := w.Get(t.Context(), types.NamespacedName{Namespace: w.namespace, Name: name}, &cron); err != nil {
		t.Fatal(err)
	}
	return &cron
}

// change edits the CronJob by hand.
func (w *world) change(t *testing.T, name string, edit func(*batchv1.CronJob)) {
	t.Helper()
	cron := w.cronJob(t, name)
	before := cron.DeepCopy()
	edit(cron)
	if err := w.Patch(t.Context(), cron, client.MergeFrom(before), client.FieldOwner("somebody")); err != nil {
		t.Fatal(err)
	}
}

// cronJobBecomes waits until the CronJob satisfies so.
func (w *world) cronJobBecomes(t *testing.T, name, what string, so func(*batchv1.CronJob) bool) {
	t.Helper()
	harness.Eventually(t, "CronJob "+name+" "+what, func(ctx context.Context) bool {
		var cron batchv1.CronJob
		return w.Get(ctx, types.NamespacedName{Namespace: w.namespace, Name: name}, &cron) == nil && so(&cron)
	})
}
