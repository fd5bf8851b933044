package controller

import (
	"context"
	"errors"
	"fmt"
	"maps"

	batchv1 "k8s.io/api/batch/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/sonde-dev/sonde/api/v1alpha1"
)

// errNameConflict says that a CronJob of the wanted name is not ours.
var errNameConflict = errors.New("a CronJob of that name exists and belongs to somebody else")

// createSecret makes the Secret of check unless it is there.
func (r *Reconciler) createSecret(ctx context.Context, check *v1alpha1.Check) error {
	err := r.Client.Create(ctx, Secret(check, r.Settings.Key), client.FieldOwner(FieldManager))
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("create the Secret with the token: %w", err)
	}
	return nil
}

// create makes the CronJob where none of its name exists. desired becomes what the
// API server made of it. Unknown fields are refused, so that a misspelt one is
// reported and not ignored.
func (r *Reconciler) create(ctx context.Context, desired *unstructured.Unstructured) error {
	return client.WithFieldValidation(r.Client, metav1.FieldValidationStrict).
		Create(ctx, desired, client.FieldOwner(FieldManager))
}

// whose reads the CronJob that stands in the way of a new one. It is ours where
// the cache is behind, or where somebody took its labels away; else the error
// wraps errNameConflict.
func (r *Reconciler) whose(ctx context.Context, check *v1alpha1.Check) (*batchv1.CronJob, error) {
	var cron batchv1.CronJob
	key := types.NamespacedName{Namespace: check.Namespace, Name: CronJobName(check.Name)}
	if err := r.Live.Get(ctx, key, &cron); err != nil {
		return nil, fmt.Errorf("look whose CronJob %s is: %w", key.Name, err)
	}
	if !metav1.IsControlledBy(&cron, check) {
		return nil, fmt.Errorf("CronJob %s: %w; rename the Check or delete that CronJob", key.Name, errNameConflict)
	}
	return &cron, nil
}

// update replaces the whole spec of held, so that a hand edit that added something
// is undone too (docs/decisions/0002), and adds labels and annotations to those
// that others have put there. desired becomes what the API server made of it.
func (r *Reconciler) update(ctx context.Context, check *v1alpha1.Check, held *batchv1.CronJob, desired *unstructured.Unstructured) error {
	if !metav1.IsControlledBy(held, check) {
		return fmt.Errorf("CronJob %s: %w; rename the Check or delete that CronJob", held.Name, errNameConflict)
	}
	desired.SetUID(held.UID) // never somebody else's of the same name
	desired.SetResourceVersion(held.ResourceVersion)
	desired.SetFinalizers(held.Finalizers)
	desired.SetLabels(merged(held.Labels, desired.GetLabels()))
	desired.SetAnnotations(merged(held.Annotations, desired.GetAnnotations()))
	return client.WithFieldValidation(r.Client, metav1.FieldValidationStrict).
		Update(ctx, desired, client.FieldOwner(FieldManager))
}

// merged returns theirs and ours in one; ours wins.
func merged(theirs, ours map[string]string) map[string]string {
	out := maps.Clone(theirs)
	if out == nil {
		out = map[string]string{}
	}
	maps.Copy(out, ours)
	return out
}

// settled reports whether held is as desired: made of the same hash, not edited
// since it was last applied at generation, and ours.
func settled(check *v1alpha1.Check, held *batchv1.CronJob, desired *unstructured.Unstructured, generation int64) bool {
	return held != nil &&
		metav1.IsControlledBy(held, check) &&
		held.Generation == generation &&
		held.Annotations[v1alpha1.AnnotationHash] == desired.GetAnnotations()[v1alpha1.AnnotationHash] &&
		containsAll(held.Labels, desired.GetLabels()) &&
		containsAll(held.Annotations, desired.GetAnnotations())
}

func containsAll(held, wanted map[string]string) bool {
	for k, v := range wanted {
		if got, ok := held[k]; !ok || got != v {
			return false
		}
	}
	return true
}

// transient returns err unless trying again cannot help.
func transient(err error) error {
	var spec *SpecError
	if errors.As(err, &spec) || invalid(err) || errors.Is(err, errNameConflict) || namespaceEnding(err) {
		return nil
	}
	return err
}

// invalid reports whether the API server says that the object itself is at fault.
func invalid(err error) bool { return apierrors.IsInvalid(err) || apierrors.IsBadRequest(err) }

// namespaceEnding reports whether the Check's namespace is being deleted, and the
// Check soon with it.
func namespaceEnding(err error) bool {
	return apierrors.HasStatusCause(err, "NamespaceTerminating")
}
