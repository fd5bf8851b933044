package controller_test

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"

	"github.com/sonde-dev/sonde/api/v1alpha1"
	"github.com/sonde-dev/sonde/controller"
	"github.com/sonde-dev/sonde/receiver/credential"
)

var update = flag.Bool("update", false, "write the goldens anew")

// settings are those of an installation with a key that is no secret.
func settings(tb testing.TB) controller.Settings {
	tb.Helper()
	key, err := credential.ParseKey([]byte(strings.Repeat("k", credential.KeyBytes)))
	if err != nil {
		tb.Fatal(err)
	}
	return controller.Settings{Key: key, ReceiverService: "sonde-receiver", Namespace: "sonde-system", Shards: 1}
}

// TestCronJob compares the CronJob of each testdata/NAME.check.yaml with
// testdata/NAME.cronjob.yaml. A reviewer reads the diff of the YAML, not of Go.
func TestCronJob(t *testing.T) {
	inputs, err := filepath.Glob("testdata/*.check.yaml")
	if err != nil || len(inputs) == 0 {
		t.Fatalf("no inputs: %v", err)
	}
	for _, in := range inputs {
		t.Run(filepath.Base(in), func(t *testing.T) {
			var check v1alpha1.Check
			if err := yaml.UnmarshalStrict(read(t, in), &check); err != nil {
				t.Fatal(err)
			}
			check.UID = "11111111-2222-3333-4444-555555555555"
			cron, err := controller.CronJob(&check, settings(t))
			if err != nil {
				t.Fatal(err)
			}
			got, err := yaml.Marshal(cron.Object)
			if err != nil {
				t.Fatal(err)
			}
			golden := strings.TrimSuffix(in, ".check.yaml") + ".cronjob.yaml"
			if *update {
				if err := os.WriteFile(golden, got, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(string(read(t, golden)), string(got)); diff != "" {
				t.Errorf("%s (-golden +got), go test ./controller -update to accept:\n%s", golden, diff)
			}
		})
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// withTemplate is a Check that runs every five minutes.
func withTemplate(raw string) *v1alpha1.Check {
	return &v1alpha1.Check{
		ObjectMeta: metav1.ObjectMeta{Name: "login", Namespace: "shop", UID: "11111111-2222-3333-4444-555555555555"},
		Spec: v1alpha1.CheckSpec{
			Interval:       &metav1.Duration{Duration: 5 * time.Minute},
			Timeout:        metav1.Duration{Duration: 30 * time.Second},
			StartAllowance: metav1.Duration{Duration: 2 * time.Minute},
			PodTemplate:    runtime.RawExtension{Raw: []byte(raw)},
		},
	}
}

func TestFaultsOfASpecAreSentences(t *testing.T) {
	good := `{"spec": {"containers": [{"name": "c"}]}}`
	for name, tc := range map[string]struct {
		edit func(*v1alpha1.Check)
		says string
	}{
		"no template":                      {template(``), "spec.podTemplate: must be an object with metadata and spec"},
		"a template that is null":          {template(`null`), "spec.podTemplate: must be an object"},
		"a template without a spec":        {template(`{"metadata": {}}`), "spec.podTemplate.spec: is required"},
		"a spec that is a number":          {template(`{"spec": 5}`), "spec.podTemplate.spec: is required"},
		"containers that are a number":     {template(`{"spec": {"containers": 5}}`), "spec.podTemplate.spec.containers: must be a list"},
		"a container that is a number":     {template(`{"spec": {"containers": [5]}}`), "spec.podTemplate.spec.containers[0]: must be an object"},
		"an environment that is an object": {template(`{"spec": {"containers": [{"env": {}}]}}`), "spec.podTemplate.spec.containers[0].env: must be a list"},
		"metadata that is a list":          {template(`{"metadata": [], "spec": {"containers": []}}`), "spec.podTemplate: "},
		"labels that are numbers":          {template(`{"metadata": {"labels": {"a": 1}}, "spec": {"containers": []}}`), "spec.podTemplate: "},
		"restartPolicy OnFailure":          {template(`{"spec": {"restartPolicy": "OnFailure"}}`), "must be Never (or absent), not OnFailure"},
		"restartPolicy 5":                  {template(`{"spec": {"restartPolicy": 5}}`), "spec.podTemplate: "},
		"a schedule that is none":          {cronOf("every now and then"), "spec.schedule: "},
		"a schedule that never fires":      {cronOf("0 0 30 2 *"), "never fires"},
		"a timeout longer than the gap": {func(c *v1alpha1.Check) {
			cronOf("*/5 * * * *")(c)
			c.Spec.Timeout.Duration = 5 * time.Minute
		}, "spec.timeout: must be shorter than the time between two runs, 5m0s"},
		"an interval below a minute":      {func(c *v1alpha1.Check) { c.Spec.Interval.Duration = 0 }, "spec.interval: must be at least 1m0s, not 0s"},
		"a time zone within the schedule": {cronOf("TZ=0"), "spec.schedule: the time zone goes into spec.timeZone"},
		"an interval as a schedule":       {cronOf("@every 90s"), `spec.schedule: "@every 90s" is spec.interval`},
		"a timeout as long as the interval": {func(c *v1alpha1.Check) {
			c.Spec.Timeout.Duration = 5 * time.Minute
		}, "spec.timeout: must be shorter than the time between two runs, 5m0s"},
		"neither interval nor schedule": {func(c *v1alpha1.Check) { c.Spec.Interval = nil }, "set exactly one of interval and schedule"},
	} {
		t.Run(name, func(t *testing.T) {
			check := withTemplate(good)
			tc.edit(check)
			_, err := controller.CronJob(check, settings(t))
			if _, ok := errors.AsType[*controller.SpecError](err); !ok {
				t.Fatalf("error = %v, want a SpecError", err)
			}
			if !strings.Contains(err.Error(), tc.says) {
				t.Errorf("%q does not say %q", err, tc.says)
			}
		})
	}
}

func template(raw string) func(*v1alpha1.Check) {
	return func(c *v1alpha1.Check) { c.Spec.PodTemplate.Raw = []byte(raw) }
}

func cronOf(expression string) func(*v1alpha1.Check) {
	return func(c *v1alpha1.Check) { c.Spec.Interval, c.Spec.Schedule = nil, &expression }
}

// FuzzPodTemplate proves that no template makes the controller panic: what is wrong
// with it is the author's to hear.
func FuzzPodTemplate(f *testing.F) {
	for _, seed := range []string{
		`{"spec": {"containers": [{"name": "c", "env": [{"name": "A"}, 5, null, {"name": 5}]}]}}`,
		`{"metadata": {"annotations": null, "labels": {}}, "spec": {"initContainers": null, "containers": [null]}}`,
		`{"spec": {"": {}}}`, `[]`, `{"spec": {"containers": [[]]}}`, `{"spec":{"activeDeadlineSeconds":"x","terminationGracePeriodSeconds":null}}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		cron, err := controller.CronJob(withTemplate(raw), settings(t))
		if _, bad := errors.AsType[*controller.SpecError](err); err != nil && !bad {
			t.Errorf("error = %v, want a SpecError", err)
		}
		if err == nil && cron.GetAnnotations()[v1alpha1.AnnotationHash] == "" {
			t.Error("a CronJob without its hash")
		}
	})
}

// TestTheHashFollowsTheCronJob proves that what is equal is settled, and what is not
// is applied.
func TestTheHashFollowsTheCronJob(t *testing.T) {
	hash := func(edit func(*v1alpha1.Check)) string {
		check := withTemplate(`{"spec": {"containers": [{"name": "c"}]}}`)
		edit(check)
		cron, err := controller.CronJob(check, settings(t))
		if err != nil {
			t.Fatal(err)
		}
		return cron.GetAnnotations()[v1alpha1.AnnotationHash]
	}
	same := hash(func(*v1alpha1.Check) {})
	if again := hash(func(c *v1alpha1.Check) { c.Spec.FailureThreshold = 7 }); again != same {
		t.Error("a field that the CronJob does not depend on has changed the hash")
	}
	if other := hash(func(c *v1alpha1.Check) { c.Spec.Suspend = true }); other == same {
		t.Error("suspending has not changed the hash")
	}
}
