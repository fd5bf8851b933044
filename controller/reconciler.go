package controller

import (
	"context"
	"errors"
	"slices"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/sonde-dev/sonde/api/v1alpha1"
	"github.com/sonde-dev/sonde/controller/status"
	"github.com/sonde-dev/sonde/telemetry/result"
)

// Rights of the controller in every namespace that it looks after. Those in its
// own namespace (leases, the installation's key) are a Role in deploy/kustomize.
//
// +kubebuilder:rbac:groups=sonde.dev,resources=checks,verbs=get;list;watch
// +kubebuilder:rbac:groups=sonde.dev,resources=checks/status,verbs=patch
// +kubebuilder:rbac:groups=batch,resources=cronjobs,verbs=get;list;watch;create;update
// +kubebuilder:rbac:groups=batch,resources=jobs,verbs=create
// +kubebuilder:rbac:groups="",resources=secrets,verbs=create
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

// Reconciler keeps one CronJob for each Check.
type Reconciler struct {
	// Client reads from the cache.
	Client client.Client

	// Live reads from the API server; used only where the cache cannot tell whose
	// a CronJob is.
	Live client.Reader

	Events   events.EventRecorder
	Settings Settings
	Now      func() time.Time

	// Refused is called with the reason each time that a Check turns out not to be
	// schedulable: one of Refusals.
	Refused func(reason string)

	applied memory
}

// nameConflictRetry is how soon a name conflict is looked at again: nothing tells
// the controller when a stranger's CronJob goes away.
const nameConflictRetry = 2 * time.Minute

// Reconcile brings one Check up to date: desired, settled or not, apply, status.
func (r *Reconciler) Reconcile(ctx context.Context, check *v1alpha1.Check) (reconcile.Result, error) {
	if !check.DeletionTimestamp.IsZero() {
		r.applied.forget(check.UID)
		return reconcile.Result{}, nil // the owner references take everything along
	}
	desired, err := CronJob(check, r.Settings)
	if err != nil {
		return r.finish(ctx, check, outcome{err: err})
	}
	held, err := r.held(ctx, check)
	if err != nil {
		return reconcile.Result{}, err
	}
	if secretMissing(check, r.Settings.Key) {
		if err := r.createSecret(ctx, check); err != nil {
			return r.finish(ctx, check, outcome{err: err})
		}
	}
	if settled(check, held, desired, r.applied.recorded(check)) {
		return r.finish(ctx, check, applied(desired, held.Generation))
	}
	return r.finish(ctx, check, r.apply(ctx, check, held, desired))
}

// held returns the CronJob of check as the cache has it, or nil.
func (r *Reconciler) held(ctx context.Context, check *v1alpha1.Check) (*batchv1.CronJob, error) {
	var cron batchv1.CronJob
	err := r.Client.Get(ctx, types.NamespacedName{Namespace: check.Namespace, Name: CronJobName(check.Name)}, &cron)
	if apierrors.IsNotFound(err) {
		return nil, nil //nolint:nilnil // no CronJob is an answer
	}
	return &cron, err
}

// apply makes the world as desired and says how that went. Secret first: a pod
// that starts before its Secret exists waits for it, visibly.
func (r *Reconciler) apply(ctx context.Context, check *v1alpha1.Check, held *batchv1.CronJob, desired *unstructured.Unstructured) outcome {
	if err := r.createSecret(ctx, check); err != nil {
		return outcome{err: err}
	}
	if held == nil {
		err := r.create(ctx, desired)
		if apierrors.IsAlreadyExists(err) {
			held, err = r.whose(ctx, check)
		}
		if err != nil {
			return outcome{err: err}
		}
	}
	if held != nil {
		if err := r.update(ctx, check, held, desired); err != nil {
			return outcome{err: err}
		}
	}
	if check.Spec.RunOnCreate && !check.Spec.Suspend && check.Status.CronJob == nil {
		if err := r.runOnCreate(ctx, check, desired); err != nil {
			return outcome{err: err}
		}
	}
	r.applied.remember(check.UID, desired.GetGeneration())
	return applied(desired, desired.GetGeneration())
}

// finish writes the status if it changed, then tells of the change by an Event,
// and turns the outcome into what the work queue should do.
func (r *Reconciler) finish(ctx context.Context, check *v1alpha1.Check, o outcome) (reconcile.Result, error) {
	if apierrors.IsConflict(o.err) {
		return reconcile.Result{}, o.err // read again and try again; nothing for a person
	}
	next := nextStatus(check, o, r.Now())
	if changed(check.Status, next) {
		if err := status.Apply(ctx, r.Client, check, ownStatus(next), FieldManager); err != nil {
			return reconcile.Result{}, errors.Join(transient(o.err), client.IgnoreNotFound(err))
		}
		r.tell(check, next)
	}
	if errors.Is(o.err, errNameConflict) {
		return reconcile.Result{RequeueAfter: nameConflictRetry}, nil
	}
	return reconcile.Result{}, transient(o.err)
}

// Refusals returns the reasons of the condition Scheduled for which somebody has to
// mend something. The slice is the caller's.
func Refusals() []string {
	return []string{v1alpha1.ReasonInvalidSpec, v1alpha1.ReasonNameConflict, v1alpha1.ReasonApplyFailed}
}

// tell counts and emits an Event where the condition Scheduled changed.
func (r *Reconciler) tell(check *v1alpha1.Check, next v1alpha1.CheckStatus) {
	was, is := scheduledCondition(check.Status), scheduledCondition(next)
	if was != nil && was.Status == is.Status && was.Reason == is.Reason && was.Message == is.Message {
		return
	}
	kind := corev1.EventTypeNormal
	if slices.Contains(Refusals(), is.Reason) {
		kind = corev1.EventTypeWarning
		r.Refused(is.Reason)
	}
	r.Events.Eventf(check, nil, kind, is.Reason, "Schedule", "%s", result.Truncate(is.Message, status.MaxNote))
}
