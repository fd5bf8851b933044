package run

import (
	"context"
	"slices"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	ctrlcontroller "sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/sonde-dev/sonde/api/v1alpha1"
	"github.com/sonde-dev/sonde/controller/shard"
	"github.com/sonde-dev/sonde/controller/status"
	"github.com/sonde-dev/sonde/telemetry/ledger"
	"github.com/sonde-dev/sonde/telemetry/result"
)

// Rights of the receiver. It changes no workload.
//
// +kubebuilder:rbac:groups=sonde.dev,resources=checks,verbs=get;list;watch
// +kubebuilder:rbac:groups=sonde.dev,resources=checks/status,verbs=patch
// +kubebuilder:rbac:groups=batch,resources=cronjobs;jobs,verbs=get;list;watch
// +kubebuilder:rbac:groups="",resources=pods,verbs=get;list;watch
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

// Watcher tells the ledger of Checks, Jobs and pods, and writes verdicts into the
// status of Checks. All reads are from the cache.
type Watcher struct {
	Client client.Client
	Ledger *ledger.Ledger
	Events events.EventRecorder
	Now    func() time.Time

	// AllowedLabels are the keys of spec.labels that may become attributes.
	AllowedLabels []string

	// Shards is the number of receivers, and Shard which of them this is.
	Shards, Shard int

	// Verdicts are the checks whose standing may have changed.
	Verdicts *Queue

	// Namespaces are those that are looked after; none means all.
	Namespaces []string

	departed departed
}

// unknownOwnerRetry is how soon a Job is looked at again whose CronJob or Check the
// cache does not have yet.
const unknownOwnerRetry = 2 * time.Second

// unknownOwnerPatience is for how long, from the creation of the Job.
const unknownOwnerPatience = 2 * time.Minute

// atOnce is how many objects are told of at once: what waits for the disk together is
// synced together.
const atOnce = 32

// podOwner is the name of the index of pods by the UID of their Job.
const podOwner = "job"

// SetupWithManager registers the two reconcilers and the sweep.
func (w *Watcher) SetupWithManager(ctx context.Context, mgr ctrl.Manager) error {
	err := mgr.GetFieldIndexer().IndexField(ctx, &corev1.Pod{}, podOwner, func(o client.Object) []string {
		if owner := metav1.GetControllerOf(o); owner != nil {
			return []string{string(owner.UID)}
		}
		return nil
	})
	if err != nil {
		return err
	}
	err = ctrl.NewControllerManagedBy(mgr).
		Named("run").
		Watches(&batchv1.Job{}, handler.Funcs{
			CreateFunc: func(_ context.Context, e event.CreateEvent, q requests) { q.Add(requestFor(e.Object)) },
			UpdateFunc: func(_ context.Context, e event.UpdateEvent, q requests) { q.Add(requestFor(e.ObjectNew)) },
			DeleteFunc: func(_ context.Context, e event.DeleteEvent, q requests) {
				w.departed.add(e)
				q.Add(requestFor(e.Object))
			},
		}).
		Watches(&corev1.Pod{}, handler.EnqueueRequestForOwner(mgr.GetScheme(), mgr.GetRESTMapper(), &batchv1.Job{}, handler.OnlyControllerOwner())).
		WithOptions(retrying()).
		Complete(reconcile.Func(w.reconcileJob))
	if err != nil {
		return err
	}
	if err := mgr.Add(manager.RunnableFunc(w.sweep)); err != nil {
		return err
	}
	return ctrl.NewControllerManagedBy(mgr).
		Named("verdict").
		For(&v1alpha1.Check{}).
		Owns(&batchv1.CronJob{}).
		WatchesRawSource(source.Func(w.Verdicts.connect)).
		WithOptions(retrying()).
		Complete(reconcile.Func(w.reconcileCheck))
}

// retrying tries again sooner than the default, which waits for up to 16 minutes: what
// fails is the ledger's disk, and then no run is judged until its Job is seen again.
func retrying() ctrlcontroller.Options {
	const first, most = 100 * time.Millisecond, 10 * time.Second
	return ctrlcontroller.Options{MaxConcurrentReconciles: atOnce, RateLimiter: workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](first, most)}
}

type requests = workqueue.TypedRateLimitingInterface[reconcile.Request]

func requestFor(o client.Object) reconcile.Request {
	return reconcile.Request{NamespacedName: client.ObjectKeyFromObject(o)}
}

// reconcileJob tells the ledger of one Job, and first of those of its name that are gone.
func (w *Watcher) reconcileJob(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	if err := w.departures(ctx, req.NamespacedName); err != nil {
		return reconcile.Result{}, err
	}
	var job batchv1.Job
	if err := w.Client.Get(ctx, req.NamespacedName, &job); err != nil {
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	checkUID, found, err := w.owner(ctx, &job)
	switch {
	case err != nil:
		return reconcile.Result{}, err
	case !found && w.Now().Sub(job.CreationTimestamp.Time) > unknownOwnerPatience:
		return reconcile.Result{}, nil // an orphan, or a stranger with our labels
	case !found:
		return reconcile.Result{RequeueAfter: unknownOwnerRetry}, nil
	}
	known, err := w.observe(ctx, &job, checkUID)
	if err != nil || known {
		return reconcile.Result{}, err
	}
	return reconcile.Result{RequeueAfter: unknownOwnerRetry}, nil // after a start: the Check comes next
}

// observe tells the ledger of job as it is now. It returns false where the ledger
// does not know the Check.
func (w *Watcher) observe(ctx context.Context, job *batchv1.Job, checkUID string) (bool, error) {
	var pods corev1.PodList
	if err := w.Client.List(ctx, &pods, client.InNamespace(job.Namespace), client.MatchingFields{podOwner: string(job.UID)}); err != nil {
		return false, err
	}
	ref := ledger.RunRef{ID: string(job.UID), Name: job.Name, CheckUID: checkUID}
	return w.Ledger.Observe(ctx, ref, Job(job, pods.Items))
}

// observeOwned tells the ledger of job as it is now, if it is a Check's.
func (w *Watcher) observeOwned(ctx context.Context, job *batchv1.Job) error {
	checkUID, found, err := w.owner(ctx, job)
	if found {
		_, err = w.observe(ctx, job, checkUID)
	}
	return err
}

// owner follows the owner references of job to a Check: through its CronJob, or at
// once where no slot asked for the Job. Names prove nothing: UIDs must agree, and all
// must be in one namespace, so that nobody can run another tenant's check.
func (w *Watcher) owner(ctx context.Context, job *batchv1.Job) (checkUID string, found bool, err error) {
	ref := metav1.GetControllerOf(job)
	if ref != nil && ref.Kind == "CronJob" {
		var cron batchv1.CronJob
		found, err := w.owned(ctx, job.Namespace, ref, &cron)
		if !found || err != nil {
			return "", false, err
		}
		ref = metav1.GetControllerOf(&cron)
	}
	if ref == nil || ref.Kind != v1alpha1.Kind || ref.APIVersion != v1alpha1.GroupVersion().String() {
		return "", false, nil
	}
	found, err = w.owned(ctx, job.Namespace, ref, &v1alpha1.Check{})
	return string(ref.UID), found, err
}

// owned reads the owner that ref names into owner, and reports whether it is there
// and the same.
func (w *Watcher) owned(ctx context.Context, namespace string, ref *metav1.OwnerReference, owner client.Object) (bool, error) {
	err := w.Client.Get(ctx, types.NamespacedName{Namespace: namespace, Name: ref.Name}, owner)
	return err == nil && owner.GetUID() == ref.UID, client.IgnoreNotFound(err)
}

// reconcileCheck tells the ledger of one Check, and the Check of its standing.
func (w *Watcher) reconcileCheck(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	key := result.Key{Namespace: req.Namespace, Name: req.Name}
	var check v1alpha1.Check
	err := w.Client.Get(ctx, req.NamespacedName, &check)
	if apierrors.IsNotFound(err) || err == nil && !check.DeletionTimestamp.IsZero() {
		return reconcile.Result{}, w.Ledger.DeleteCheck(ctx, key)
	}
	if err != nil || shard.Of(check.UID, w.Shards) != w.Shard {
		return reconcile.Result{}, err
	}
	cron, err := w.cronJob(ctx, &check)
	if err != nil {
		return reconcile.Result{}, err
	}
	known, unknownSchedule := Check(&check, cron, w.AllowedLabels)
	if err := w.Ledger.PutCheck(ctx, known); err != nil {
		return reconcile.Result{}, err
	}
	if err := w.writeStatus(ctx, &check); err != nil {
		return reconcile.Result{}, err
	}
	if unknownSchedule != nil { // costs the time of the next run, and no verdict
		return reconcile.Result{}, reconcile.TerminalError(unknownSchedule)
	}
	return reconcile.Result{}, nil
}

// cronJob returns the CronJob that check owns, or nil.
func (w *Watcher) cronJob(ctx context.Context, check *v1alpha1.Check) (*batchv1.CronJob, error) {
	var crons batchv1.CronJobList
	selector := client.MatchingLabels{v1alpha1.LabelCheck: check.Name}
	if err := w.Client.List(ctx, &crons, client.InNamespace(check.Namespace), selector); err != nil {
		return nil, err
	}
	i := slices.IndexFunc(crons.Items, func(c batchv1.CronJob) bool { return metav1.IsControlledBy(&c, check) })
	if i < 0 {
		return nil, nil //nolint:nilnil // no CronJob is an answer
	}
	return &crons.Items[i], nil
}

// writeStatus brings the status of check up to its standing, and tells of a change
// of result by an Event once the write has made it true.
func (w *Watcher) writeStatus(ctx context.Context, check *v1alpha1.Check) error {
	var standing *ledger.Standing
	if s, ok := w.Ledger.Standing(string(check.UID)); ok {
		standing = &s
	}
	next := nextStatus(check, standing, w.Now())
	if equality.Semantic.DeepEqual(check.Status, next) {
		return nil
	}
	if err := status.Apply(ctx, w.Client, check, ownStatus(next), FieldManager); err != nil {
		return client.IgnoreNotFound(err)
	}
	w.tell(check, next)
	return nil
}

// tell emits an Event where the result of check changed.
func (w *Watcher) tell(check *v1alpha1.Check, next v1alpha1.CheckStatus) {
	if check.Status.Result == next.Result && check.Status.Reason == next.Reason {
		return
	}
	kind, message := corev1.EventTypeWarning, next.Message
	if next.Result == string(result.Success) {
		kind, message = corev1.EventTypeNormal, "the check passes"
	}
	w.Events.Eventf(check, nil, kind, next.Reason, "Judge", "%s: %s", next.Result, result.Truncate(message, status.MaxNote))
}
