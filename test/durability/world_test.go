//go:build e2e

// Package durability tests what a 2xx of the receiver is worth: the process is killed,
// its disk loses power, is full, or takes nothing. The receiver is the real program, as
// a process, and Checks and Jobs are those of a real API server.
package durability

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/sonde-dev/sonde/api/v1alpha1"
	"github.com/sonde-dev/sonde/receiver/credential"
	"github.com/sonde-dev/sonde/test/harness"
)

func TestMain(m *testing.M) { os.Exit(harness.WithoutSonde(m)) }

// world is the cluster with Checks that have CronJobs and no runs of their own, and
// what a receiver needs to judge the runs that the test makes.
type world struct {
	*harness.Cluster
	namespace string
	program   string
	key       credential.Key
	keyDir    string
	dataDir   string

	checks []*v1alpha1.Check
	crons  []*batchv1.CronJob

	checkAddress, readerAddress string
}

// setUp makes so many Checks. The controller has gone when it returns.
func setUp(t *testing.T, checks int) *world {
	t.Helper()
	c := harness.Connect(t)
	if _, err := envtest.InstallCRDs(c.Config, envtest.CRDInstallOptions{Paths: []string{c.Root + "/deploy/crd"}}); err != nil {
		t.Fatal(err)
	}
	w := &world{
		Cluster: c, namespace: c.Namespace(t), program: c.Sonde(t), keyDir: t.TempDir(), dataDir: t.TempDir(),
		checkAddress: harness.FreeAddress(t), readerAddress: harness.FreeAddress(t),
	}
	controller := w.Start(t, w.program, "controller", "--namespace="+w.namespace, "--namespaces="+w.namespace,
		"--leader-elect=false", "--health-address=0", "--metrics-address=0")
	for i := range checks {
		check := harness.Check(w.namespace, fmt.Sprint("check-", i), "true")
		check.Spec.Suspend = true
		if err := w.Create(t.Context(), check); err != nil {
			t.Fatal(err)
		}
		w.AwaitCondition(t, check, v1alpha1.ConditionScheduled, v1alpha1.ReasonSuspended)
		w.checks = append(w.checks, check)
	}
	w.readKey(t)
	controller.Signal(syscall.SIGTERM)
	for _, check := range w.checks {
		w.crons = append(w.crons, w.keepJobs(t, check))
	}
	return w
}

// keepJobs has the Jobs of a check kept when they are over. Those of these tests are
// over within a second, and would be cleared away before a receiver that was down could
// see them.
func (w *world) keepJobs(t *testing.T, check *v1alpha1.Check) *batchv1.CronJob {
	t.Helper()
	cron := w.CronJobOf(t, check)
	before := cron.DeepCopy()
	cron.Spec.SuccessfulJobsHistoryLimit, cron.Spec.FailedJobsHistoryLimit = new(int32(100_000)), new(int32(100_000))
	cron.Spec.JobTemplate.Spec.TTLSecondsAfterFinished = nil
	if err := w.Patch(t.Context(), cron, client.MergeFrom(before)); err != nil {
		t.Fatal(err)
	}
	return cron
}

func (w *world) readKey(t *testing.T) {
	t.Helper()
	var secret corev1.Secret
	if err := w.Get(t.Context(), types.NamespacedName{Namespace: w.namespace, Name: "sonde-key"}, &secret); err != nil {
		t.Fatal(err)
	}
	var err error
	if w.key, err = credential.ParseKey(secret.Data[credential.CurrentFile]); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(w.keyDir, credential.CurrentFile), w.key.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}

// receiver starts the receiver.
func (w *world) receiver(t *testing.T) *harness.Process {
	t.Helper()
	return w.Start(t, w.program, "receiver", "--namespaces="+w.namespace, "--key-dir="+w.keyDir, "--data-dir="+w.dataDir,
		"--check-address="+w.checkAddress, "--reader-address="+w.readerAddress,
		"--otlp-http-address=127.0.0.1:0", "--otlp-grpc-address=127.0.0.1:0")
}

// run is one run that the test leads in place of a pod.
type run struct {
	job        *batchv1.Job
	credential string
}

// newRun makes a Job of the CronJob of check i that no controller touches.
func (w *world) newRun(t *testing.T, i int) (run, error) {
	t.Helper()
	job := harness.JobOf(w.crons[i])
	job.Spec.ManagedBy = new("sonde.dev/test")
	if err := w.Create(t.Context(), job); err != nil {
		return run{}, err
	}
	token := credential.Token(w.key, string(w.checks[i].UID))
	return run{job, credential.Compose(string(job.UID), token)}, nil
}

// complete has the Job end well.
func (w *world) complete(t *testing.T, r run) error {
	t.Helper()
	now := metav1.Now()
	job := r.job.DeepCopy()
	job.Status.StartTime, job.Status.CompletionTime = &now, &now
	for _, kind := range []batchv1.JobConditionType{batchv1.JobSuccessCriteriaMet, batchv1.JobComplete} {
		job.Status.Conditions = append(job.Status.Conditions, batchv1.JobCondition{Type: kind, Status: corev1.ConditionTrue, LastTransitionTime: now})
	}
	return w.Status().Update(t.Context(), job)
}
