package run

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/sonde-dev/sonde/api/v1alpha1"
	"github.com/sonde-dev/sonde/telemetry/ledger"
	"github.com/sonde-dev/sonde/telemetry/result"
	"github.com/sonde-dev/sonde/telemetry/verdict"
)

func login() *v1alpha1.Check {
	return &v1alpha1.Check{
		ObjectMeta: metav1.ObjectMeta{Name: "login", Namespace: "shop", UID: "uid"},
		Spec: v1alpha1.CheckSpec{
			Timeout:        metav1.Duration{Duration: 30 * time.Second},
			StartAllowance: metav1.Duration{Duration: 2 * time.Minute},
			Report:         v1alpha1.ReportRequired,
			Labels:         map[string]v1alpha1.LabelValue{"owner": "payments", "severity": "2", "secret": "x"},
			MaxSeries:      7,
			Suspend:        true,
			PodTemplate:    runtime.RawExtension{Raw: []byte(`{"spec": {}}`)},
		},
		Status: v1alpha1.CheckStatus{Schedule: "* * * * *"},
	}
}

func TestCheck(t *testing.T) {
	want := ledger.Check{
		UID: "uid", Key: result.Key{Namespace: "shop", Name: "login"},
		Terms:     verdict.Terms{Mode: verdict.Required, Timeout: 30 * time.Second, StartAllowance: 2 * time.Minute},
		MaxSeries: 7,
		Labels:    []result.Label{{Name: "owner", Value: "payments"}, {Name: "severity", Value: "2"}},
		Info:      []result.Label{{Name: "sonde.check.schedule", Value: "* * * * *"}, {Name: "sonde.check.suspended", Value: "true"}},
	}
	got, err := Check(login(), nil, []string{"severity", "owner", "team"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Check() without a CronJob (-want +got):\n%s", diff)
	}

	cron := &batchv1.CronJob{ObjectMeta: metav1.ObjectMeta{CreationTimestamp: metav1.NewTime(noon)}, Spec: batchv1.CronJobSpec{Schedule: "@every 90s"}}
	want.NextRun = noon.Add(90 * time.Second)
	got, err = Check(login(), cron, []string{"severity", "owner", "team"})
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("Check() with its CronJob: %v (-want +got):\n%s", err, diff)
	}

	cron.Spec.Schedule = "now and then"
	want.NextRun = time.Time{}
	got, err = Check(login(), cron, []string{"severity", "owner", "team"})
	if diff := cmp.Diff(want, got); diff != "" || err == nil {
		t.Errorf("Check() with a schedule that is none: %v (-want +got):\n%s", err, diff)
	}
}

func TestModesOfReports(t *testing.T) {
	for written, want := range map[v1alpha1.ReportMode]verdict.Mode{
		v1alpha1.ReportAuto: verdict.Auto, v1alpha1.ReportRequired: verdict.Required, v1alpha1.ReportExitCode: verdict.ExitCode,
		"": verdict.Auto, "OfTomorrow": verdict.Auto,
	} {
		if got := mode(written); got != want {
			t.Errorf("mode(%q) = %s, want %s", written, got, want)
		}
	}
}

func TestDurationsAreToTheMillisecond(t *testing.T) {
	for d, want := range map[time.Duration]string{0: "", 1234567 * time.Microsecond: "1.235s", 90 * time.Second: "1m30s", time.Microsecond: "0s"} {
		if got := runDuration(d); got != want {
			t.Errorf("runDuration(%d) = %q, want %q", d, got, want)
		}
	}
}

// TestWhatIsTrimmedChangesNoFact proves that the cache keeps all that is read.
func TestWhatIsTrimmedChangesNoFact(t *testing.T) {
	managed := []metav1.ManagedFieldsEntry{{Manager: "kubelet"}}
	retries := int32(3)
	job := &batchv1.Job{
		ObjectMeta: metav1.ObjectMeta{
			CreationTimestamp: metav1.NewTime(noon), ManagedFields: managed,
			Annotations: map[string]string{batchv1.CronJobScheduledTimestampAnnotation: noon.Add(-time.Second).Format(time.RFC3339)},
		},
		Spec:   batchv1.JobSpec{BackoffLimit: &retries, Template: corev1.PodTemplateSpec{Spec: corev1.PodSpec{NodeName: "n"}}},
		Status: batchv1.JobStatus{Conditions: []batchv1.JobCondition{{Type: batchv1.JobComplete, Status: corev1.ConditionTrue, LastTransitionTime: metav1.NewTime(noon)}}},
	}
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{UID: "pod", Name: "login-1", ManagedFields: managed, Annotations: map[string]string{"a": "b"}},
		Spec:       corev1.PodSpec{NodeName: "n"},
		Status: corev1.PodStatus{Phase: corev1.PodFailed, ContainerStatuses: []corev1.ContainerStatus{{
			Name: "check", State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: 1, FinishedAt: metav1.NewTime(noon)}},
		}}},
	}
	want := Job(job.DeepCopy(), []corev1.Pod{*pod.DeepCopy()})
	for _, o := range []any{job, pod} {
		if _, err := trim(o); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(want, Job(job, []corev1.Pod{*pod})); diff != "" {
		t.Errorf("facts before and after (-before +after):\n%s", diff)
	}
	if job.ManagedFields != nil || job.Spec.Template.Spec.NodeName != "" || pod.Spec.NodeName != "" || pod.Annotations != nil {
		t.Errorf("left over: %+v, %+v", job, pod)
	}
}

func TestATrimmedCheckKeepsWhatTheLedgerNeeds(t *testing.T) {
	want, err := Check(login(), nil, []string{"owner"})
	if err != nil {
		t.Fatal(err)
	}
	trimmed := login()
	if _, err := trim(trimmed); err != nil {
		t.Fatal(err)
	}
	got, err := Check(trimmed, nil, []string{"owner"})
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("Check() after trim: %v (-before +after):\n%s", err, diff)
	}
	if trimmed.Spec.PodTemplate.Raw != nil {
		t.Error("the template is kept")
	}
	if other, err := trim("not an object"); other != "not an object" || err != nil {
		t.Errorf("trim() of something else = %v, %v", other, err)
	}
}
