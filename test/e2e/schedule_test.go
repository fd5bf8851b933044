//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/sonde-dev/sonde/api/v1alpha1"
	"github.com/sonde-dev/sonde/test/harness"
)

// slots returns the times that the CronJob controller made Jobs of check for, the
// earliest first.
func slots(ctx context.Context, c *harness.Cluster, check *v1alpha1.Check) []time.Time {
	var jobs batchv1.JobList
	if c.List(ctx, &jobs, client.InNamespace(check.Namespace), client.MatchingLabels{v1alpha1.LabelCheck: check.Name}) != nil {
		return nil
	}
	var out []time.Time
	for _, j := range jobs.Items {
		if at, err := time.Parse(time.RFC3339, j.Annotations[batchv1.CronJobScheduledTimestampAnnotation]); err == nil {
			out = append(out, at)
		}
	}
	slices.SortFunc(out, time.Time.Compare)
	return out
}

// TestEvery90SecondsThreeTimes also proves that a counter adds up over runs, each of
// which is a fresh process.
func TestEvery90SecondsThreeTimes(t *testing.T) {
	t.Parallel()
	c := harness.Connect(t)
	// A retry of the same report must count nothing.
	script := report(`{"ok": true, "metrics": [{"name": "pages.seen", "kind": "counter", "value": 5}]}`)
	check := harness.Check(c.Namespace(t), "every", script+"; "+script)
	harness.Every(90*time.Second, &check.Spec)
	if err := c.Create(t.Context(), check); err != nil {
		t.Fatal(err)
	}
	ours := []string{"k8s_namespace_name", check.Namespace, "sonde_check_name", check.Name}
	seen := map[time.Time]bool{} // finished Jobs are cleared away
	harness.EventuallyWithin(t, 10*time.Minute, "three runs have succeeded", func(ctx context.Context) bool {
		for _, at := range slots(ctx, c, check) {
			seen[at] = true
		}
		n, _ := c.Metric(t, "sonde_check_runs_total", append(ours, "result", "success")...)
		return n >= 3
	})
	var times []time.Time
	for at := range seen {
		times = append(times, at)
	}
	slices.SortFunc(times, time.Time.Compare)
	if len(times) != 3 {
		t.Fatalf("slots %v, want three", times)
	}
	for i := range times[1:] {
		if gap := times[i+1].Sub(times[i]); gap != 90*time.Second {
			t.Errorf("slots are %s apart, want 90s", gap)
		}
	}
	if n, _ := c.Metric(t, "pages_seen_total", ours...); n != 15 {
		t.Errorf("pages_seen_total = %v after three runs of 5, want 15", n)
	}
}

func TestCronWithAnOffset(t *testing.T) {
	t.Parallel()
	c := harness.Connect(t)
	check := harness.Check(c.Namespace(t), "offset", report(`{"ok": true}`))
	harness.Every(2*time.Minute, &check.Spec)
	if err := c.Create(t.Context(), check); err != nil {
		t.Fatal(err)
	}
	status := awaitResult(t, c, check, func(s v1alpha1.CheckStatus) bool { return s.Result == "success" })
	var offset int
	if _, err := fmt.Sscanf(status.Schedule, "%d-59/2 * * * *", &offset); err != nil {
		t.Fatalf("schedule %q: %v", status.Schedule, err)
	}
	at := slots(t.Context(), c, check)
	if len(at) != 1 || at[0].Minute()%2 != offset {
		t.Errorf("ran at %v with the schedule %q", at, status.Schedule)
	}
}

func TestSuspendResumeEditDelete(t *testing.T) {
	t.Parallel()
	c := harness.Connect(t)
	check := harness.Check(c.Namespace(t), "life", report(`{"ok": true}`))
	harness.Every(time.Minute, &check.Spec)
	check.Spec.Suspend = true
	if err := c.Create(t.Context(), check); err != nil {
		t.Fatal(err)
	}
	c.AwaitCondition(t, check, v1alpha1.ConditionScheduled, v1alpha1.ReasonSuspended)
	created := time.Now()
	ours := []string{"k8s_namespace_name", check.Namespace, "sonde_check_name", check.Name}
	harness.Eventually(t, "its counters are there before it has ever run", func(context.Context) bool {
		n, found := c.Metric(t, "sonde_check_runs_total", ours...)
		return found && n == 0
	})
	time.Sleep(time.Until(created.Add(65 * time.Second))) // a whole slot goes by
	if at := slots(t.Context(), c, check); len(at) != 0 {
		t.Fatalf("suspended, and ran at %v", at)
	}

	c.Edit(t, check, func(now *v1alpha1.Check) { now.Spec.Suspend = false })
	awaitResult(t, c, check, func(s v1alpha1.CheckStatus) bool { return s.Result == "success" })

	c.Edit(t, check, func(now *v1alpha1.Check) {
		now.Spec.PodTemplate = harness.Check("", "", report(`{"ok": false, "errors": ["edited"]}`)).Spec.PodTemplate
	})
	status := awaitResult(t, c, check, func(s v1alpha1.CheckStatus) bool { return s.Result == "failure" })
	if status.Message != "edited" || status.LastTransition == nil || status.LastTransition.TraceID != strings.ReplaceAll(status.LastTransition.JobUID, "-", "") {
		t.Errorf("status %+v", status)
	}

	if err := c.Delete(t.Context(), check, client.PropagationPolicy(metav1.DeletePropagationForeground)); err != nil {
		t.Fatal(err)
	}
	harness.Eventually(t, "its series and its CronJob are gone", func(ctx context.Context) bool {
		_, found := c.Metric(t, "sonde_check_runs_total", ours...)
		err := c.Get(ctx, client.ObjectKeyFromObject(check), &batchv1.CronJob{})
		return !found && apierrors.IsNotFound(err)
	})
}
