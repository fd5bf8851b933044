package controller

import (
	"context"
	"fmt"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// Rights to clear what a lost node leaves behind.
//
// +kubebuilder:rbac:groups="",resources=pods,verbs=get;list;watch
// +kubebuilder:rbac:groups=batch,resources=jobs,verbs=delete

// Clearer deletes the Job of a pod that does not end though it was told to long ago,
// because its node is gone. Such a Job never ends, and while it does not, Forbid keeps
// its check from running.
type Clearer struct {
	Client client.Client // reads pods' metadata from the cache
	Now    func() time.Time

	// Patience is how far beyond its grace period a pod may be. A node that is only
	// slow, or restarting, comes back within it.
	Patience time.Duration
}

// DefaultPatience is longer than a node takes to restart its kubelet, and shorter than
// two runs of a usual check.
const DefaultPatience = 2 * time.Minute

// podMetadata is a pod of which only the metadata is wanted.
func podMetadata() *metav1.PartialObjectMetadata {
	pod := &metav1.PartialObjectMetadata{}
	pod.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Pod"))
	return pod
}

// SetupWithManager registers the reconciler.
func (c *Clearer) SetupWithManager(mgr ctrl.Manager) error {
	ending := predicate.NewPredicateFuncs(func(o client.Object) bool { return o.GetDeletionTimestamp() != nil })
	return ctrl.NewControllerManagedBy(mgr).
		Named("stuck").
		For(podMetadata(), builder.OnlyMetadata, builder.WithPredicates(ending)).
		Complete(reconcile.Func(c.reconcile))
}

// reconcile deletes the Job of one pod once patience has run out.
func (c *Clearer) reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	pod := podMetadata()
	if err := c.Client.Get(ctx, req.NamespacedName, pod); err != nil {
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	owner := metav1.GetControllerOf(pod)
	if pod.DeletionTimestamp == nil || owner == nil || owner.Kind != "Job" {
		return reconcile.Result{}, nil
	}
	if left := c.left(pod.DeletionTimestamp.Time); left > 0 {
		return reconcile.Result{RequeueAfter: left}, nil
	}
	job := &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Namespace: pod.Namespace, Name: owner.Name}}
	err := c.Client.Delete(ctx, job, client.Preconditions{UID: &owner.UID}, client.PropagationPolicy(metav1.DeletePropagationBackground))
	switch {
	case err == nil:
		log.FromContext(ctx).Info("deleted a Job whose pod does not end", "job", owner.Name, "pod", pod.Name)
		return reconcile.Result{}, nil
	case client.IgnoreNotFound(err) == nil:
		return reconcile.Result{}, nil // done before
	default:
		return reconcile.Result{}, fmt.Errorf("delete Job %s whose pod does not end: %w", owner.Name, err)
	}
}

// left returns how long to wait for a pod whose grace ended then.
func (c *Clearer) left(graceEnded time.Time) time.Duration {
	return graceEnded.Add(c.Patience).Sub(c.Now())
}
