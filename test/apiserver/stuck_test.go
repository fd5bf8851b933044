//go:build e2e

package apiserver

import (
	"context"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/sonde-dev/sonde/api/v1alpha1"
	"github.com/sonde-dev/sonde/test/harness"
)

// TestAJobOnALostNodeIsCleared has a pod that is told to end and does not, as on a node
// that is gone: a finalizer keeps it. Its Job must not keep the check from running.
func TestAJobOnALostNodeIsCleared(t *testing.T) {
	w := setUp(t, "--stuck-patience=3s")
	check := harness.Check(w.namespace, "lost", "sleep 600")
	check.Spec.RunOnCreate = true
	w.create(t, check, v1alpha1.ReasonApplied)
	var pods corev1.PodList
	harness.Eventually(t, "the pod runs", func(ctx context.Context) bool {
		return w.List(ctx, &pods, client.InNamespace(w.namespace)) == nil && len(pods.Items) == 1 && pods.Items[0].Status.Phase == corev1.PodRunning
	})
	pod := &pods.Items[0]
	held := pod.DeepCopy()
	held.Finalizers = append(held.Finalizers, "sonde.dev/test-holds-it")
	if err := w.Patch(t.Context(), held, client.MergeFrom(pod)); err != nil {
		t.Fatal(err)
	}
	if err := w.Delete(t.Context(), held, client.GracePeriodSeconds(1)); err != nil {
		t.Fatal(err)
	}
	job := pod.OwnerReferences[0].Name
	harness.Eventually(t, "its Job is deleted", func(ctx context.Context) bool {
		return apierrors.IsNotFound(w.Get(ctx, client.ObjectKey{Namespace: w.namespace, Name: job}, &batchv1.Job{}))
	})
	if err := w.Get(t.Context(), client.ObjectKeyFromObject(held), held); err != nil {
		t.Fatal(err)
	}
	if err := w.Patch(t.Context(), withoutFinalizers(held), client.MergeFrom(held)); err != nil {
		t.Fatal(err)
	}
}

func withoutFinalizers(pod *corev1.Pod) *corev1.Pod {
	out := pod.DeepCopy()
	out.Finalizers = nil
	return out
}
