package controller

import (
	"context"
	"fmt"

	batchv1 "k8s.io/api/batch/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/sonde-dev/sonde/api/v1alpha1"
)

// runOnCreate makes the one run that spec.runOnCreate asks for. Its name is made
// of the Check's UID, so that doing it again after a crash makes no second one.
func (r *Reconciler) runOnCreate(ctx context.Context, check *v1alpha1.Check, cron *unstructured.Unstructured) error {
	const idLength = 6 // with the longest name of a CronJob, the longest name of a Job
	job, err := unscheduledJob(check, cron, shortHash(string(check.UID), idLength), "on-create")
	if err != nil {
		return err
	}
	if err := r.Client.Create(ctx, job, client.FieldOwner(FieldManager)); err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("create the first run: %w", err)
	}
	return nil
}

// unscheduledJob returns a Job of cron's template that no slot asked for. The Check
// owns it: of a Job that is owned by a CronJob and that it did not make itself, the
// CronJob controller warns.
func unscheduledJob(check *v1alpha1.Check, cron *unstructured.Unstructured, id, why string) (*unstructured.Unstructured, error) {
	content, found, err := unstructured.NestedMap(cron.Object, "spec", "jobTemplate")
	if err != nil || !found {
		return nil, fmt.Errorf("read the job template of CronJob %s: %w", cron.GetName(), err)
	}
	job := &unstructured.Unstructured{Object: content}
	job.SetAPIVersion(batchv1.SchemeGroupVersion.String())
	job.SetKind("Job")
	job.SetNamespace(cron.GetNamespace())
	job.SetName(cron.GetName() + "-now-" + id)
	job.SetLabels(merged(job.GetLabels(), map[string]string{v1alpha1.LabelUnscheduled: why}))
	job.SetOwnerReferences([]metav1.OwnerReference{ownerReference(check)})
	return job, nil
}
