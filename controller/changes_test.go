package controller

import (
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/sonde-dev/sonde/api/v1alpha1"
	"github.com/sonde-dev/sonde/receiver/credential"
)

func TestWhichChangesOfACheckAreLookedAt(t *testing.T) {
	key, err := credential.ParseKey(make([]byte, credential.KeyBytes))
	if err != nil {
		t.Fatal(err)
	}
	r := &Reconciler{Settings: Settings{Key: key}}
	passing := func(status metav1.ConditionStatus, reason, message string) func(*v1alpha1.Check) {
		return func(c *v1alpha1.Check) {
			c.Status.Conditions = []metav1.Condition{{Type: v1alpha1.ConditionPassing, Status: status, Reason: reason, Message: message}}
		}
	}
	ours := secretName(anyUID, key.ID())
	for name, tc := range map[string]struct {
		edit func(*v1alpha1.Check)
		want bool
	}{
		"nothing, as in a resync":       {func(*v1alpha1.Check) {}, false},
		"its spec":                      {func(c *v1alpha1.Check) { c.Generation++ }, true},
		"its deletion":                  {func(c *v1alpha1.Check) { c.DeletionTimestamp = &metav1.Time{Time: evening} }, true},
		"the annotation for kube-up":    {func(c *v1alpha1.Check) { c.Annotations = map[string]string{v1alpha1.AnnotationKubeUpQuery: "true"} }, true},
		"another annotation":            {func(c *v1alpha1.Check) { c.Annotations = map[string]string{"theirs": "1"} }, false},
		"a verdict":                     {passing(metav1.ConditionFalse, "Reported", "no login form"), false},
		"its Secret is missing":         {passing(metav1.ConditionFalse, "ContainerConfig", `secret "`+ours+`" not found`), true},
		"a Secret of the user's is not": {passing(metav1.ConditionFalse, "ContainerConfig", `secret "theirs" not found`), false},
	} {
		t.Run(name, func(t *testing.T) {
			was := &v1alpha1.Check{ObjectMeta: metav1.ObjectMeta{Name: "login", UID: anyUID, Generation: 1}}
			is := was.DeepCopy()
			tc.edit(is)
			if got := r.checkChanged().Update(event.UpdateEvent{ObjectOld: was, ObjectNew: is}); got != tc.want {
				t.Errorf("looked at: %v, want %v", got, tc.want)
			}
		})
	}
}

func TestWhichChangesOfACronJobAreLookedAt(t *testing.T) {
	for name, tc := range map[string]struct {
		edit func(*batchv1.CronJob)
		want bool
	}{
		"its status, after each run":  {func(c *batchv1.CronJob) { c.Status.LastScheduleTime = &metav1.Time{Time: evening} }, false},
		"its spec":                    {func(c *batchv1.CronJob) { c.Generation++ }, true},
		"a label":                     {func(c *batchv1.CronJob) { c.Labels = map[string]string{"theirs": "1"} }, true},
		"an annotation":               {func(c *batchv1.CronJob) { c.Annotations = map[string]string{"theirs": "1"} }, true},
		"its owner":                   {func(c *batchv1.CronJob) { c.OwnerReferences = nil }, true},
		"labels that are empty, none": {func(c *batchv1.CronJob) { c.Labels = map[string]string{} }, false},
	} {
		t.Run(name, func(t *testing.T) {
			was := &batchv1.CronJob{ObjectMeta: metav1.ObjectMeta{Generation: 1, OwnerReferences: []metav1.OwnerReference{{UID: anyUID}}}}
			is := was.DeepCopy()
			tc.edit(is)
			if got := cronJobChanged().Update(event.UpdateEvent{ObjectOld: was, ObjectNew: is}); got != tc.want {
				t.Errorf("looked at: %v, want %v", got, tc.want)
			}
		})
	}
	if cronJobChanged().Create(event.CreateEvent{Object: &batchv1.CronJob{}}) {
		t.Error("a CronJob of our own making is looked at")
	}
	if !cronJobChanged().Delete(event.DeleteEvent{Object: &batchv1.CronJob{}}) {
		t.Error("a CronJob that was deleted is not looked at")
	}
}

func TestMemory(t *testing.T) {
	check := func(generation int64) *v1alpha1.Check {
		c := &v1alpha1.Check{ObjectMeta: metav1.ObjectMeta{UID: anyUID}}
		if generation > 0 {
			c.Status.CronJob = &v1alpha1.AppliedCronJob{Generation: generation}
		}
		return c
	}
	var m memory
	step := func(status, want int64, why string) {
		t.Helper()
		if got := m.recorded(check(status)); got != want {
			t.Errorf("%s: recorded %d, want %d", why, got, want)
		}
	}
	step(0, 0, "never applied")
	step(3, 3, "applied by an earlier process")
	m.remember(anyUID, 4)
	step(3, 4, "applied, and the cache is behind")
	step(0, 4, "applied for the first time, and the cache is behind")
	step(4, 4, "the cache has caught up")
	if len(m.generations) != 0 {
		t.Errorf("%d generations are held though the status tells", len(m.generations))
	}
	step(5, 5, "applied by another process since")
	m.remember(anyUID, 1)
	step(5, 1, "made anew, with its generations from the beginning")
	m.forget(anyUID)
	step(0, 0, "forgotten")
}

func TestUnscheduledJob(t *testing.T) {
	long := "a-name-of-63-characters-which-is-all-that-a-check-may-have-0123"
	check := &v1alpha1.Check{ObjectMeta: metav1.ObjectMeta{Name: long, Namespace: "shop", UID: anyUID}}
	cron := &unstructured.Unstructured{Object: map[string]any{
		"metadata": map[string]any{"name": CronJobName(long), "namespace": "shop"},
		"spec": map[string]any{"jobTemplate": map[string]any{
			"metadata": map[string]any{"labels": map[string]any{v1alpha1.LabelCheck: "login"}, "annotations": map[string]any{"team": "payments"}},
			"spec":     map[string]any{"backoffLimit": int64(2)},
		}},
	}}
	job, err := unscheduledJob(check, cron, "0a1b2c", "on-create")
	if err != nil {
		t.Fatal(err)
	}
	const maxJobName = 63 // it becomes a label of its pods
	if n := len(job.GetName()); n > maxJobName {
		t.Errorf("the name %s has %d characters, more than %d", job.GetName(), n, maxJobName)
	}
	if !metav1.IsControlledBy(job, check) || job.GetNamespace() != "shop" || job.GetKind() != "Job" {
		t.Errorf("job %v is not the Check's", job)
	}
	if l := job.GetLabels(); l[v1alpha1.LabelUnscheduled] != "on-create" || l[v1alpha1.LabelCheck] != "login" {
		t.Errorf("labels %v", l)
	}
	if retries, _, _ := unstructured.NestedInt64(job.Object, "spec", "backoffLimit"); retries != 2 || job.GetAnnotations()["team"] != "payments" {
		t.Errorf("job %v is not of the template", job)
	}
	if len(cron.GetLabels()) != 0 || cron.GetKind() != "" {
		t.Error("unscheduledJob changed the CronJob")
	}
	if _, err := unscheduledJob(check, &unstructured.Unstructured{Object: map[string]any{}}, "x", "y"); err == nil {
		t.Error("a CronJob without a template gave a Job")
	}
}

func TestNamesWithDotsStayNames(t *testing.T) {
	dotted := "a-name-with-a-dot-where-the-cut-is-made-as.example-of-one"
	if got, want := CronJobName(dotted), "a-name-with-a-dot-where-the-cut-is-made-as-"+shortHash(dotted, 8); got != want {
		t.Errorf("CronJobName(%q) = %q, want %q", dotted, got, want)
	}
}
