// Package status writes the status of Checks. Controller and receiver each apply
// the fields that they own, so that neither undoes what the other wrote.
package status

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/sonde-dev/sonde/api/v1alpha1"
)

// MaxNote leaves room for a word or two in the note of an Event, which the API server
// refuses beyond 1 KiB. Source: events.k8s.io/v1.
const MaxNote = 1000

// Apply writes own, the fields of check's status that owner has, all of them. The
// resourceVersion of check goes along: a write that comes from a stale read is a
// conflict, for the caller to try again.
func Apply(ctx context.Context, c client.Client, check *v1alpha1.Check, own v1alpha1.CheckStatus, owner client.FieldOwner) error {
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(&own)
	if err != nil {
		return fmt.Errorf("convert status: %w", err)
	}
	body := &unstructured.Unstructured{Object: map[string]any{"status": content}}
	body.SetGroupVersionKind(v1alpha1.GroupVersion().WithKind(v1alpha1.Kind))
	body.SetNamespace(check.Namespace)
	body.SetName(check.Name)
	body.SetUID(check.UID)
	body.SetResourceVersion(check.ResourceVersion)
	if err := c.Status().Apply(ctx, client.ApplyConfigurationFromUnstructured(body), owner, client.ForceOwnership); err != nil {
		return fmt.Errorf("apply status: %w", err)
	}
	return nil
}
