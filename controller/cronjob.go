package controller

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"strconv"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/sonde-dev/sonde/api/v1alpha1"
	"github.com/sonde-dev/sonde/controller/shard"
)

// How many finished Jobs are kept, and how long: enough to look at the last
// failures, few enough that 10,000 checks keep 40,000 Jobs at most.
const (
	successfulJobsKept = 1
	failedJobsKept     = 3
	jobsKeptFor        = 24 * time.Hour
)

// CronJob returns the CronJob that check asks for, with the hash of itself as an
// annotation. It is a pure function. An error is a *SpecError.
func CronJob(check *v1alpha1.Check, s Settings) (*unstructured.Unstructured, error) {
	when, err := schedule(check.Spec, check.UID)
	if err != nil {
		return nil, err
	}
	if check.Spec.Timeout.Duration >= when.Gap {
		return nil, specErrorf("spec.timeout: must be shorter than the time between two runs, %s", when.Gap)
	}
	name := CronJobName(check.Name)
	labels := checkLabels(check, s)
	pod, err := podTemplate(check, when, s)
	if err != nil {
		return nil, err
	}

	typed := &batchv1.CronJob{
		TypeMeta: metav1.TypeMeta{APIVersion: batchv1.SchemeGroupVersion.String(), Kind: "CronJob"},
		ObjectMeta: metav1.ObjectMeta{
			Name: name, Namespace: check.Namespace,
			Labels: labels, Annotations: maps.Clone(check.Spec.Annotations),
			OwnerReferences: []metav1.OwnerReference{ownerReference(check)},
		},
		Spec: batchv1.CronJobSpec{
			Schedule:                   when.Expression,
			TimeZone:                   &when.TimeZone,
			Suspend:                    &check.Spec.Suspend,
			ConcurrencyPolicy:          batchv1.ForbidConcurrent,
			StartingDeadlineSeconds:    secondsOrNil(when.StartingDeadline),
			SuccessfulJobsHistoryLimit: new(int32(successfulJobsKept)),
			FailedJobsHistoryLimit:     new(int32(failedJobsKept)),
			JobTemplate: batchv1.JobTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels, Annotations: maps.Clone(check.Spec.Annotations)},
				Spec: batchv1.JobSpec{
					BackoffLimit:            &check.Spec.Retries,
					PodReplacementPolicy:    new(batchv1.Failed), // one attempt at a time: reports are told apart by that
					ActiveDeadlineSeconds:   secondsOrNil(jobDeadline(check.Spec)),
					TTLSecondsAfterFinished: new(int32(jobsKeptFor / time.Second)),
				},
			},
		},
	}
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(typed)
	if err != nil {
		return nil, fmt.Errorf("convert CronJob: %w", err)
	}
	unstructured.RemoveNestedField(content, "status")
	if err := unstructured.SetNestedMap(content, pod, "spec", "jobTemplate", "spec", "template"); err != nil {
		return nil, fmt.Errorf("set pod template: %w", err)
	}
	cron := &unstructured.Unstructured{Object: content}
	return cron, stamp(cron)
}

// podTemplate returns the user's template with what a run needs.
func podTemplate(check *v1alpha1.Check, when Schedule, s Settings) (template, error) {
	t, err := decodeTemplate(check.Spec.PodTemplate.Raw)
	if err != nil {
		return nil, err
	}
	cronJob := CronJobName(check.Name)
	for _, step := range []func() error{
		t.restartNever,
		func() error { return t.addStrings(checkLabels(check, s), "metadata", "labels") },
		func() error { return t.addStrings(check.Spec.Annotations, "metadata", "annotations") },
		func() error { return t.setDefault("false", "metadata", "annotations", v1alpha1.AnnotationSafeToEvict) },
		func() error {
			return t.setDefault(int64(terminationGraceSeconds), "spec", "terminationGracePeriodSeconds")
		},
		func() error {
			return t.set(int64(podDeadline(check.Spec, when.Gap)/time.Second), "spec", "activeDeadlineSeconds")
		},
		func() error {
			return t.addEnvironment(func(container string) []corev1.EnvVar {
				return environment(check, container, cronJob, s)
			})
		},
	} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	return t, nil
}

func checkLabels(check *v1alpha1.Check, s Settings) map[string]string {
	return map[string]string{
		v1alpha1.LabelCheck:            check.Name,
		v1alpha1.LabelShard:            strconv.Itoa(shard.Of(check.UID, s.Shards)),
		"app.kubernetes.io/managed-by": "sonde",
	}
}

// stamp writes the hash of cron into it.
func stamp(cron *unstructured.Unstructured) error {
	encoded, err := json.Marshal(cron.Object) // maps are encoded in order of keys
	if err != nil {
		return fmt.Errorf("encode CronJob: %w", err)
	}
	sum := sha256.Sum256(encoded)
	annotations := cron.GetAnnotations()
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations[v1alpha1.AnnotationHash] = hex.EncodeToString(sum[:16])
	cron.SetAnnotations(annotations)
	return nil
}

func secondsOrNil(d time.Duration) *int64 {
	if d == 0 {
		return nil
	}
	return new(int64(d / time.Second))
}
