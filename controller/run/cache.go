package run

import (
	"fmt"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	klabels "k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/sonde-dev/sonde/api/v1alpha1"
)

// CacheOptions returns what the receiver keeps in memory: Checks without their
// templates, and of its shard's CronJobs, Jobs and pods what verdicts are made of.
func CacheOptions(shard int) (cache.Options, error) {
	ours, err := klabels.Parse(fmt.Sprintf("%s,%s=%d", v1alpha1.LabelCheck, v1alpha1.LabelShard, shard))
	if err != nil {
		return cache.Options{}, fmt.Errorf("parse selector: %w", err)
	}
	return cache.Options{
		DefaultTransform: cache.TransformStripManagedFields(),
		ByObject: map[client.Object]cache.ByObject{
			&v1alpha1.Check{}:  {Transform: trim},
			&batchv1.CronJob{}: {Label: ours, Transform: trim},
			&batchv1.Job{}:     {Label: ours, Transform: trim},
			&corev1.Pod{}:      {Label: ours, Transform: trim},
		},
	}, nil
}

// trim drops what no verdict depends on: with it a pod takes some 2 KB and not 10.
func trim(obj any) (any, error) {
	if o, ok := obj.(client.Object); ok {
		o.SetManagedFields(nil)
	}
	switch o := obj.(type) {
	case *v1alpha1.Check:
		o.Spec.PodTemplate.Raw = nil
	case *batchv1.CronJob:
		o.Spec.JobTemplate = batchv1.JobTemplateSpec{}
	case *batchv1.Job:
		o.Spec = batchv1.JobSpec{BackoffLimit: o.Spec.BackoffLimit}
	case *corev1.Pod:
		o.Spec = corev1.PodSpec{}
		o.Annotations = nil
	}
	return obj, nil
}
