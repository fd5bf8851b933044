package run

import (
	"slices"
	"strconv"
	"strings"
	"time"

	batchv1 "k8s.io/api/batch/v1"

	"github.com/sonde-dev/sonde/api/v1alpha1"
	"github.com/sonde-dev/sonde/telemetry/ledger"
	"github.com/sonde-dev/sonde/telemetry/result"
	"github.com/sonde-dev/sonde/telemetry/verdict"
)

// Check returns what the ledger needs to know of check. cron is its CronJob, or nil;
// allowed are the keys of spec.labels that may become attributes. It is pure.
func Check(check *v1alpha1.Check, cron *batchv1.CronJob, allowed []string) (ledger.Check, error) {
	out := ledger.Check{
		UID: string(check.UID),
		Key: result.Key{Namespace: check.Namespace, Name: check.Name},
		Terms: verdict.Terms{
			Mode:           mode(check.Spec.Report),
			Timeout:        check.Spec.Timeout.Duration,
			StartAllowance: check.Spec.StartAllowance.Duration,
		},
		MaxSeries: int(check.Spec.MaxSeries),
		Labels:    labels(check.Spec.Labels, allowed),
		Info: []result.Label{
			{Name: "sonde.check.schedule", Value: check.Status.Schedule},
			{Name: "sonde.check.suspended", Value: strconv.FormatBool(check.Spec.Suspend)},
		},
	}
	if cron == nil {
		return out, nil
	}
	next, err := NextRun(cron)
	out.NextRun = next
	return out, err
}

func mode(m v1alpha1.ReportMode) verdict.Mode {
	switch m {
	case v1alpha1.ReportRequired:
		return verdict.Required
	case v1alpha1.ReportExitCode:
		return verdict.ExitCode
	case v1alpha1.ReportAuto:
	}
	return verdict.Auto
}

func labels(spec map[string]v1alpha1.LabelValue, allowed []string) []result.Label {
	var out []result.Label
	for k, v := range spec {
		if slices.Contains(allowed, k) {
			out = append(out, result.Label{Name: k, Value: string(v)})
		}
	}
	slices.SortFunc(out, func(a, b result.Label) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// runDuration returns d as a person writes it, to the millisecond.
func runDuration(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return d.Round(time.Millisecond).String()
}
