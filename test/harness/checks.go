package harness

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/util/retry"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/sonde-dev/sonde/api/v1alpha1"
)

// Check returns a Check whose one container runs script in busybox at New Year, so
// that a test has the runs that it asks for and no other.
func Check(namespace, name, script string) *v1alpha1.Check {
	return &v1alpha1.Check{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec: v1alpha1.CheckSpec{
			Schedule:       new("0 0 1 1 *"),
			Timeout:        metav1.Duration{Duration: 30 * time.Second},
			StartAllowance: metav1.Duration{Duration: 2 * time.Minute},
			MaxSeries:      200,
			PodTemplate:    Template(map[string]any{"name": "check", "image": "busybox:1.36", "command": []string{"sh", "-c", script}}),
		},
	}
}

// Every makes the Check run at an interval.
func Every(interval time.Duration, s *v1alpha1.CheckSpec) {
	s.Schedule, s.Interval = nil, &metav1.Duration{Duration: interval}
}

// Template returns a pod template with the containers.
func Template(containers ...map[string]any) runtime.RawExtension {
	raw, err := json.Marshal(map[string]any{"spec": map[string]any{"containers": containers}})
	if err != nil {
		panic(err) // maps of strings can be encoded
	}
	return runtime.RawExtension{Raw: raw}
}

// GetCheck reads the Check anew.
func (c *Cluster) GetCheck(t *testing.T, check *v1alpha1.Check) *v1alpha1.Check {
	t.Helper()
	var now v1alpha1.Check
	if err := c.Get(t.Context(), client.ObjectKeyFromObject(check), &now); err != nil {
		t.Fatal(err)
	}
	return &now
}

// Edit changes the Check.
func (c *Cluster) Edit(t *testing.T, check *v1alpha1.Check, edit func(*v1alpha1.Check)) {
	t.Helper()
	err := retry.RetryOnConflict(retry.DefaultRetry, func() error {
		now := c.GetCheck(t, check)
		edit(now)
		return c.Update(t.Context(), now)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// AwaitCondition waits until the Check has the condition kind with reason, and
// returns it.
func (c *Cluster) AwaitCondition(t *testing.T, check *v1alpha1.Check, kind, reason string) metav1.Condition {
	t.Helper()
	var got *metav1.Condition
	Eventually(t, check.Name+" has the condition "+kind+" with reason "+reason, func(ctx context.Context) bool {
		var now v1alpha1.Check
		if err := c.Get(ctx, client.ObjectKeyFromObject(check), &now); err != nil {
			return false
		}
		got = meta.FindStatusCondition(now.Status.Conditions, kind)
		current := kind != v1alpha1.ConditionScheduled || got != nil && got.ObservedGeneration == now.Generation
		return got != nil && got.Reason == reason && current
	})
	return *got
}
