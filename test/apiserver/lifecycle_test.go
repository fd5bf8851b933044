//go:build e2e

package apiserver

import (
	"context"
	"strings"
	"syscall"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/sonde-dev/sonde/api/v1alpha1"
	"github.com/sonde-dev/sonde/receiver/credential"
	"github.com/sonde-dev/sonde/test/harness"
)

func TestACheckBecomesACronJobAndASecret(t *testing.T) {
	w := setUp(t)
	check := harness.Check(w.namespace, "login", "true")
	cond := w.create(t, check, v1alpha1.ReasonApplied)
	if cond.Status != metav1.ConditionTrue {
		t.Errorf("Scheduled is %s", cond.Status)
	}
	sentence(t, cond.Message, `CronJob login runs the check at "0 0 1 1 *"`)

	cron := w.cronJob(t, "login")
	if !metav1.IsControlledBy(cron, check) {
		t.Error("the Check does not own the CronJob")
	}
	now := w.GetCheck(t, check)
	if now.Status.Schedule != "0 0 1 1 *" || now.Status.CronJob == nil || now.Status.CronJob.Generation != cron.Generation {
		t.Errorf("status is %+v", now.Status)
	}
	w.tokenIsValid(t, check)
	harness.Eventually(t, "an Event tells of it", func(ctx context.Context) bool {
		var events eventsv1.EventList
		if err := w.List(ctx, &events, client.InNamespace(w.namespace)); err != nil {
			return false
		}
		for _, e := range events.Items {
			if e.Regarding.Name == "login" && e.Reason == v1alpha1.ReasonApplied && e.ReportingController == "sonde-controller" {
				return true
			}
		}
		return false
	})

	w.isQuiet(t)
}

// tokenIsValid proves that the Secret of check holds a token for it under the
// installation's key.
func (w *world) tokenIsValid(t *testing.T, check *v1alpha1.Check) {
	t.Helper()
	var secrets corev1.SecretList
	if err := w.List(t.Context(), &secrets, client.InNamespace(w.namespace), client.MatchingLabels{v1alpha1.LabelCheck: check.Name}); err != nil {
		t.Fatal(err)
	}
	var key corev1.Secret
	if err := w.Get(t.Context(), client.ObjectKey{Namespace: w.namespace, Name: "sonde-key"}, &key); err != nil {
		t.Fatal(err)
	}
	if len(secrets.Items) != 1 || secrets.Items[0].Immutable == nil || !*secrets.Items[0].Immutable {
		t.Fatalf("want one immutable Secret, got %d", len(secrets.Items))
	}
	parsed, err := credential.ParseKey(key.Data[credential.CurrentFile])
	if err != nil {
		t.Fatal(err)
	}
	const run = "13566a3d-a0a3-49c5-aa21-72530395e376"
	id, err := credential.NewKeyring(parsed).Verify(credential.Compose(run, string(secrets.Items[0].Data["token"])))
	if err != nil || id.CheckUID != string(check.UID) || id.RunID != run {
		t.Errorf("the token speaks for %+v: %v", id, err)
	}
}

// isQuiet proves by the API server's own account that the controller writes nothing
// while nothing changes.
func (w *world) isQuiet(t *testing.T) {
	t.Helper()
	time.Sleep(time.Second) // let what is under way end: events are sent behind the status
	audit := w.AuditFromNow(t)
	time.Sleep(5 * time.Second)
	for _, r := range audit.Requests(t, "sonde-controller", func(r harness.Request) bool { return r.Verb != "watch" }) {
		if r.ObjectRef.Namespace == w.namespace {
			t.Errorf("while nothing happened: %s %s", r.Verb, r.RequestURI)
		}
	}
}

func TestEditsReachTheCronJob(t *testing.T) {
	w := setUp(t)
	check := w.suspended("edited")
	check.Spec.PodTemplate = harness.Template(map[string]any{"name": "check", "image": "busybox:1.36", "workingDir": "/tmp"})
	w.create(t, check, v1alpha1.ReasonSuspended)

	w.Edit(t, check, func(c *v1alpha1.Check) {
		harness.Every(90*time.Second, &c.Spec)
		c.Spec.PodTemplate = harness.Template(map[string]any{"name": "check", "image": "busybox:1.36"})
	})
	w.AwaitCondition(t, check, v1alpha1.ConditionScheduled, v1alpha1.ReasonSuspended)
	cron := w.cronJob(t, "edited")
	if cron.Spec.Schedule != "@every 1m30s" || cron.Spec.StartingDeadlineSeconds != nil {
		t.Errorf("schedule %q, starting deadline %v", cron.Spec.Schedule, cron.Spec.StartingDeadlineSeconds)
	}
	if dir := cron.Spec.JobTemplate.Spec.Template.Spec.Containers[0].WorkingDir; dir != "" {
		t.Errorf("a field that was taken out of the template is still there: %s", dir)
	}

	w.Edit(t, check, func(c *v1alpha1.Check) { c.Spec.Suspend = false })
	w.AwaitCondition(t, check, v1alpha1.ConditionScheduled, v1alpha1.ReasonApplied)
	if *w.cronJob(t, "edited").Spec.Suspend {
		t.Error("resumed, and the CronJob is suspended")
	}
	w.isQuiet(t)
}

func TestHandEditsAreRepaired(t *testing.T) {
	w := setUp(t)
	check := w.suspended("mended")
	w.create(t, check, v1alpha1.ReasonSuspended)
	schedule := w.cronJob(t, "mended").Spec.Schedule

	w.change(t, "mended", func(c *batchv1.CronJob) { c.Spec.Schedule = "0 0 * * *" })
	w.cronJobBecomes(t, "mended", "has its schedule back", func(c *batchv1.CronJob) bool { return c.Spec.Schedule == schedule })

	w.change(t, "mended", func(c *batchv1.CronJob) {
		c.Spec.JobTemplate.Spec.Template.Spec.NodeSelector = map[string]string{"a": "b"}
	})
	w.cronJobBecomes(t, "mended", "has lost what was added", func(c *batchv1.CronJob) bool {
		return c.Spec.JobTemplate.Spec.Template.Spec.NodeSelector == nil
	})

	w.change(t, "mended", func(c *batchv1.CronJob) { delete(c.Labels, v1alpha1.LabelCheck) })
	w.cronJobBecomes(t, "mended", "has its label back", func(c *batchv1.CronJob) bool { return c.Labels[v1alpha1.LabelCheck] == "mended" })

	w.change(t, "mended", func(c *batchv1.CronJob) { metav1.SetMetaDataLabel(&c.ObjectMeta, "theirs", "1") })
	was := w.cronJob(t, "mended").UID
	if err := w.Delete(t.Context(), w.cronJob(t, "mended")); err != nil {
		t.Fatal(err)
	}
	w.cronJobBecomes(t, "mended", "is there again", func(c *batchv1.CronJob) bool { return c.UID != was })
	w.isQuiet(t)
}

func TestDeletingACheckTakesEverythingAlong(t *testing.T) {
	w := setUp(t)
	check := w.suspended("gone")
	w.create(t, check, v1alpha1.ReasonSuspended)
	if err := w.Delete(t.Context(), check); err != nil {
		t.Fatal(err)
	}
	harness.Eventually(t, "CronJob and Secret are gone", func(ctx context.Context) bool {
		var crons batchv1.CronJobList
		var secrets corev1.SecretList
		ours := client.MatchingLabels{v1alpha1.LabelCheck: "gone"}
		return w.List(ctx, &crons, client.InNamespace(w.namespace)) == nil && len(crons.Items) == 0 &&
			w.List(ctx, &secrets, client.InNamespace(w.namespace), ours) == nil && len(secrets.Items) == 0
	})
}

func TestRunOnCreateRunsOnce(t *testing.T) {
	w := setUp(t)
	asleep := w.suspended("asleep")
	asleep.Spec.RunOnCreate = true
	w.create(t, asleep, v1alpha1.ReasonSuspended)
	check := harness.Check(w.namespace, "now", "true")
	check.Spec.RunOnCreate = true
	w.create(t, check, v1alpha1.ReasonApplied)
	jobs := func() []batchv1.Job {
		var list batchv1.JobList
		if err := w.List(t.Context(), &list, client.InNamespace(w.namespace)); err != nil {
			t.Fatal(err)
		}
		return list.Items
	}
	if len(jobs()) != 1 || jobs()[0].Labels[v1alpha1.LabelUnscheduled] != "on-create" {
		t.Fatalf("jobs: %v", jobs())
	}
	if err := w.Delete(t.Context(), &jobs()[0], client.PropagationPolicy(metav1.DeletePropagationBackground)); err != nil {
		t.Fatal(err)
	}
	w.controller.Signal(syscall.SIGKILL)
	w.start(t)
	w.Edit(t, check, func(c *v1alpha1.Check) { c.Spec.Timeout.Duration = 20 * time.Second })
	w.AwaitCondition(t, check, v1alpha1.ConditionScheduled, v1alpha1.ReasonApplied)
	harness.Eventually(t, "no Job is left", func(context.Context) bool { return len(jobs()) == 0 })
}

func TestAStrangersCronJobIsLeftAlone(t *testing.T) {
	w := setUp(t)
	theirs := &batchv1.CronJob{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "backup", Labels: map[string]string{"app": "backup"}},
		Spec: batchv1.CronJobSpec{Schedule: "0 0 1 1 *", JobTemplate: batchv1.JobTemplateSpec{Spec: batchv1.JobSpec{Template: corev1.PodTemplateSpec{
			Spec: corev1.PodSpec{RestartPolicy: corev1.RestartPolicyNever, Containers: []corev1.Container{{Name: "c", Image: "busybox:1.36"}}},
		}}}},
	}
	if err := w.Create(t.Context(), theirs); err != nil {
		t.Fatal(err)
	}
	check := w.suspended("backup")
	cond := w.create(t, check, v1alpha1.ReasonNameConflict)
	sentence(t, cond.Message, "belongs to somebody else; rename the Check or delete that CronJob")
	if now := w.cronJob(t, "backup"); now.ResourceVersion != theirs.ResourceVersion {
		t.Error("the stranger's CronJob was changed")
	}

	if err := w.Delete(t.Context(), theirs); err != nil {
		t.Fatal(err)
	}
	w.Edit(t, check, func(c *v1alpha1.Check) { c.Spec.Timeout.Duration = 20 * time.Second }) // sooner than its own retry
	w.AwaitCondition(t, check, v1alpha1.ConditionScheduled, v1alpha1.ReasonSuspended)
}

func TestABadTemplateIsReportedInTheAPIServersWords(t *testing.T) {
	w := setUp(t)
	bad := w.suspended("bad")
	bad.Spec.PodTemplate = harness.Template(map[string]any{"name": "Not A Name", "image": "busybox:1.36"})
	sentence(t, w.create(t, bad, v1alpha1.ReasonInvalidSpec).Message, "spec.jobTemplate.spec.template.spec.containers[0].name")

	w.Edit(t, bad, func(c *v1alpha1.Check) {
		c.Spec.PodTemplate = harness.Template(map[string]any{"name": "check", "imagee": "busybox:1.36"})
	})
	harness.Eventually(t, "the misspelt field is named", func(context.Context) bool {
		cond := w.AwaitCondition(t, bad, v1alpha1.ConditionScheduled, v1alpha1.ReasonInvalidSpec)
		return cond.ObservedGeneration == w.GetCheck(t, bad).Generation && strings.Contains(cond.Message, `unknown field "spec.jobTemplate.spec.template.spec.containers[0].imagee"`)
	})

	// A template that no Go type would take harms no other Check.
	odd := w.suspended("odd")
	odd.Spec.PodTemplate.Raw = []byte(`{"spec": {"containers": 5}}`)
	sentence(t, w.create(t, odd, v1alpha1.ReasonInvalidSpec).Message, "spec.podTemplate.spec.containers: must be a list")
	w.create(t, w.suspended("good"), v1alpha1.ReasonSuspended)

	w.Edit(t, bad, func(c *v1alpha1.Check) {
		c.Spec.PodTemplate = harness.Template(map[string]any{"name": "check", "image": "busybox:1.36"})
	})
	w.AwaitCondition(t, bad, v1alpha1.ConditionScheduled, v1alpha1.ReasonSuspended)

	// An edit that goes wrong leaves the check running as it was.
	w.Edit(t, bad, func(c *v1alpha1.Check) { c.Spec.PodTemplate.Raw = []byte(`{"spec": {"restartPolicy": "OnFailure"}}`) })
	cond := w.AwaitCondition(t, bad, v1alpha1.ConditionScheduled, v1alpha1.ReasonInvalidSpec)
	sentence(t, cond.Message, "must be Never (or absent), not OnFailure")
	sentence(t, cond.Message, "goes on as it was before")
	if err := w.Get(t.Context(), client.ObjectKey{Namespace: w.namespace, Name: "bad"}, &batchv1.CronJob{}); apierrors.IsNotFound(err) {
		t.Error("the CronJob of the last good spec is gone")
	}
	w.isQuiet(t)
}
