package harness

import (
	"context"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/sonde-dev/sonde/api/v1alpha1"
)

// JobOf returns a Job of the CronJob that is not due, as kubectl create job --from
// makes it.
func JobOf(cron *batchv1.CronJob) *batchv1.Job {
	template := cron.Spec.JobTemplate.DeepCopy()
	return &batchv1.Job{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: cron.Namespace, GenerateName: cron.Name + "-",
			Labels: template.Labels, Annotations: template.Annotations,
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(cron, batchv1.SchemeGroupVersion.WithKind("CronJob"))},
		},
		Spec: template.Spec,
	}
}

// CronJobOf returns the CronJob of a Check that is scheduled.
func (c *Cluster) CronJobOf(t *testing.T, check *v1alpha1.Check) *batchv1.CronJob {
	t.Helper()
	var cron batchv1.CronJob
	if err := c.Get(t.Context(), client.ObjectKeyFromObject(check), &cron); err != nil {
		t.Fatal(err)
	}
	return &cron
}

// KillReceiver ends the receiver without warning, and waits until another one serves.
func (c *Cluster) KillReceiver(t *testing.T) {
	t.Helper()
	name := types.NamespacedName{Namespace: SystemNamespace, Name: "sonde-receiver-0"}
	var pod corev1.Pod
	if err := c.Get(t.Context(), name, &pod); err != nil {
		t.Fatal(err)
	}
	killed := pod.UID
	if err := c.Delete(t.Context(), &pod, client.GracePeriodSeconds(0)); err != nil {
		t.Fatal(err)
	}
	Eventually(t, "another receiver serves", func(ctx context.Context) bool {
		var pod corev1.Pod
		if c.Get(ctx, name, &pod) != nil || pod.UID == killed {
			return false
		}
		for _, cond := range pod.Status.Conditions {
			if cond.Type == corev1.PodReady {
				return cond.Status == corev1.ConditionTrue
			}
		}
		return false
	})
}
