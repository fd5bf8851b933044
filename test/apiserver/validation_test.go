//go:build e2e

package apiserver

import (
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/sonde-dev/sonde/api/v1alpha1"
)

// TestTheAPIServerRefuses proves the rules of the CRD, each with its sentence.
func TestTheAPIServerRefuses(t *testing.T) {
	w := setUp(t)
	const pod = `podTemplate: {spec: {containers: [{name: c, image: "busybox:1.36"}]}}`
	for name, tc := range map[string]struct{ spec, says string }{
		"neither interval nor schedule":     {pod, "set exactly one of interval"},
		"both interval and schedule":        {`{interval: 5m, schedule: "* * * * *", ` + pod + `}`, "set exactly one of interval"},
		"an interval under a minute":        {`{interval: 30s, timeout: 10s, ` + pod + `}`, "at least 1m"},
		"an interval with a fraction":       {`{interval: 90.5s, ` + pod + `}`, "whole seconds"},
		"an interval in milliseconds":       {`{interval: 90000ms, ` + pod + `}`, "whole seconds"},
		"an interval in days":               {`{interval: 1d, ` + pod + `}`, "whole seconds"},
		"a negative interval":               {`{interval: "-5m", ` + pod + `}`, "whole seconds"},
		"an empty interval":                 {`{interval: "", ` + pod + `}`, "whole seconds"},
		"a timeout as long as the interval": {`{interval: 1m, timeout: 60s, ` + pod + `}`, "timeout must be shorter than the interval"},
		"no timeout at all":                 {`{interval: 1m, timeout: 0s, ` + pod + `}`, "timeout must be from 1s"},
		"a time zone with an interval":      {`{interval: 5m, timeZone: Europe/Lisbon, ` + pod + `}`, "timeZone goes with schedule"},
		"the local time zone":               {`{schedule: "* * * * *", timeZone: Local, ` + pod + `}`, "IANA"},
		"a time zone inside the schedule":   {`{schedule: "TZ=UTC * * * * *", ` + pod + `}`, "into timeZone"},
		"@every":                            {`{schedule: "@every 90s", ` + pod + `}`, "write interval: 90s"},
		"a reserved label":                  {`{interval: 5m, labels: {k8s.namespace.name: x}, ` + pod + `}`, "reserved"},
		"labels that become one":            {`{interval: 5m, labels: {a.b: one, a_b: two}, ` + pod + `}`, "differ only in"},
		"a label key with a dash":           {`{interval: 5m, labels: {a-b: x}, ` + pod + `}`, "a label key is"},
		"a report mode of its own":          {`{interval: 5m, report: Maybe, ` + pod + `}`, "Unsupported value"},
		"too many retries":                  {`{interval: 5m, retries: 11, ` + pod + `}`, "less than or equal to 10"},
		"no pod template":                   {`{interval: 5m}`, "podTemplate"},
		"a pod template that is a list":     {`{interval: 5m, podTemplate: []}`, "podTemplate"},
	} {
		t.Run(name, func(t *testing.T) {
			spec := tc.spec
			if !strings.HasPrefix(spec, "{") {
				spec = "{" + spec + "}"
			}
			err := w.createYAML(t, "x", spec)
			if !apierrors.IsInvalid(err) {
				t.Fatalf("error = %v, want Invalid", err)
			}
			sentence(t, err.Error(), tc.says)
		})
	}
	t.Run("a name that does not fit into a label", func(t *testing.T) {
		err := w.createYAML(t, strings.Repeat("x", 64), "{interval: 5m, "+pod+"}")
		if !apierrors.IsInvalid(err) {
			t.Fatalf("error = %v, want Invalid", err)
		}
		sentence(t, err.Error(), "63 characters at most")
	})
}

// createYAML creates a Check as a user writes it, past Go's own types.
func (w *world) createYAML(t *testing.T, name, spec string) error {
	t.Helper()
	var body map[string]any
	if err := yaml.Unmarshal([]byte("{apiVersion: sonde.dev/v1alpha1, kind: Check, spec: "+spec+"}"), &body); err != nil {
		t.Fatal(err)
	}
	u := unstructuredOf(body)
	u.SetNamespace(w.namespace)
	u.SetName(name)
	return w.Create(t.Context(), u)
}

// TestDefaults proves that a Check of three lines is a whole one.
func TestDefaults(t *testing.T) {
	w := setUp(t)
	if err := w.createYAML(t, "short", `{interval: 5m, suspend: true, podTemplate: {spec: {containers: [{name: c, image: "busybox:1.36"}]}}}`); err != nil {
		t.Fatal(err)
	}
	got := w.GetCheck(t, &v1alpha1.Check{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "short"}}).Spec
	if got.Timeout.Duration != 30*time.Second || got.StartAllowance.Duration != 2*time.Minute || got.Retries != 0 ||
		got.Report != v1alpha1.ReportAuto || got.FailureThreshold != 1 || got.MaxSeries != 200 {
		t.Errorf("defaults are %+v", got)
	}
}
