// Package controller turns Checks into CronJobs and Secrets and says in the
// condition Scheduled how that went. It is the only part of Sonde that may create
// or change workloads; it decides nothing about results. Its subpackage run
// watches what becomes of the Jobs.
package controller

import (
	"fmt"

	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/sonde-dev/sonde/api/v1alpha1"
)

// concurrentReconciles bounds the requests under way. A reconcile waits for the API
// server most of its time: 4 settle 500 new Checks in some 10 s on two cores that
// also run the API server.
const concurrentReconciles = 4

// Scheme returns a scheme with the kinds that Sonde works with.
func Scheme() (*runtime.Scheme, error) {
	s := runtime.NewScheme()
	if err := clientgoscheme.AddToScheme(s); err != nil {
		return nil, fmt.Errorf("add Kubernetes' kinds: %w", err)
	}
	if err := v1alpha1.AddToScheme(s); err != nil {
		return nil, fmt.Errorf("add %s: %w", v1alpha1.Group, err)
	}
	return s, nil
}

// CacheOptions returns what the controller keeps in memory: Checks, and of our own
// CronJobs and pods the metadata only.
func CacheOptions() (cache.Options, error) {
	ours, err := labels.Parse(v1alpha1.LabelCheck)
	if err != nil {
		return cache.Options{}, fmt.Errorf("parse selector: %w", err)
	}
	return cache.Options{
		DefaultTransform: cache.TransformStripManagedFields(),
		ByObject: map[client.Object]cache.ByObject{
			&batchv1.CronJob{}: {Label: ours, Transform: metadataOnly},
			podMetadata():      {Label: ours},
		},
	}, nil
}

// metadataOnly drops what the controller does not look at.
func metadataOnly(obj any) (any, error) {
	if cron, ok := obj.(*batchv1.CronJob); ok {
		cron.ManagedFields = nil
		cron.Spec, cron.Status = batchv1.CronJobSpec{}, batchv1.CronJobStatus{}
	}
	return obj, nil
}

// SetupWithManager registers the reconciler.
func (r *Reconciler) SetupWithManager(mgr ctrl.Manager) error {
	return ctrl.NewControllerManagedBy(mgr).
		Named("check").
		For(&v1alpha1.Check{}, builder.WithPredicates(r.checkChanged())).
		Owns(&batchv1.CronJob{}, builder.WithPredicates(cronJobChanged())).
		WithOptions(controller.Options{MaxConcurrentReconciles: concurrentReconciles}).
		Complete(reconcile.AsReconciler(mgr.GetClient(), r))
}

// checkChanged lets through what can change the CronJob, and not the status writes
// of either process.
func (r *Reconciler) checkChanged() predicate.Predicate {
	return predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
		was, ok := e.ObjectOld.(*v1alpha1.Check)
		is, ok2 := e.ObjectNew.(*v1alpha1.Check)
		return !ok || !ok2 ||
			was.Generation != is.Generation ||
			was.DeletionTimestamp.IsZero() != is.DeletionTimestamp.IsZero() ||
			was.Annotations[v1alpha1.AnnotationKubeUpQuery] != is.Annotations[v1alpha1.AnnotationKubeUpQuery] ||
			!secretMissing(was, r.Settings.Key) && secretMissing(is, r.Settings.Key)
	}}
}

// cronJobChanged lets hand edits and deletions through. A CronJob that appears is
// of our own making, and its status changes with each run.
func cronJobChanged() predicate.Predicate {
	return predicate.Funcs{
		CreateFunc: func(event.CreateEvent) bool { return false },
		UpdateFunc: func(e event.UpdateEvent) bool {
			return e.ObjectOld.GetGeneration() != e.ObjectNew.GetGeneration() ||
				!equality.Semantic.DeepEqual(e.ObjectOld.GetLabels(), e.ObjectNew.GetLabels()) ||
				!equality.Semantic.DeepEqual(e.ObjectOld.GetAnnotations(), e.ObjectNew.GetAnnotations()) ||
				!equality.Semantic.DeepEqual(e.ObjectOld.GetOwnerReferences(), e.ObjectNew.GetOwnerReferences())
		},
	}
}
