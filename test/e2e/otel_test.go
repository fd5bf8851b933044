//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sonde-dev/sonde/api/v1alpha1"
	"github.com/sonde-dev/sonde/test/harness"
	"github.com/sonde-dev/sonde/test/samples"
)

// of returns the samples of one check.
func of(s samples.Samples, check *v1alpha1.Check) samples.Samples {
	return s.With("k8s_namespace_name", check.Namespace, "sonde_check_name", check.Name)
}

// TestChecksThatKnowOnlyOpenTelemetry runs the examples whose programs have no code of
// Sonde's in them.
func TestChecksThatKnowOnlyOpenTelemetry(t *testing.T) {
	for name, want := range map[string]struct {
		counter string
		label   string
		value   float64
	}{
		"otel-go":   {"pages_visited_total", `http_response_status_code="200"`, 5}, // says it with sonde.check.ok
		"otel-node": {"names_looked_up_total", `outcome="found"`, 3},               // says it with its root span
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := harness.Connect(t)
			check := c.Example(t, name)
			if err := c.Create(t.Context(), check); err != nil {
				t.Fatal(err)
			}
			got := awaitResult(t, c, check, func(s v1alpha1.CheckStatus) bool { return s.Result != "" })
			if got.Result != "success" || got.Reason != "Reported" {
				t.Fatalf("verdict %s/%s %q, want success/Reported", got.Result, got.Reason, got.Message)
			}
			exposes(t, c, check, "success")
			counter := of(awaitAgreement(t, c, check), check).Of(want.counter)
			for key, value := range counter {
				if !strings.Contains(key, want.label) || value != want.value {
					t.Errorf("%s = %v, want %s and %v", key, value, want.label, want.value)
				}
			}
			if len(counter) != 1 {
				t.Errorf("%d series of %s, want 1: %v", len(counter), want.counter, counter)
			}
		})
	}
}

// TestAPushSaysWhatAScrapeSays compares both ways out of Sonde, for checks with every
// result that a report can have and with metrics of their own of both kinds.
func TestAPushSaysWhatAScrapeSays(t *testing.T) {
	t.Parallel()
	c := harness.Connect(t)
	for name, body := range map[string]string{
		"well":  `{"ok": true, "duration": 1.25, "metrics": [{"name": "pages.visited", "kind": "counter", "unit": "{page}", "value": 5, "labels": {"shop": "a \"b\" \\ c", "ok": "yes"}}]}`,
		"badly": `{"ok": false, "errors": ["no"], "metrics": [{"name": "queue.age", "unit": "s", "value": 0.1}, {"name": "cache.fill", "unit": "1", "value": 1e-9}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			check, _ := runOf(t, c, name, report(body))
			awaitResult(t, c, check, func(s v1alpha1.CheckStatus) bool { return s.Result != "" })
			agreed := of(awaitAgreement(t, c, check), check)
			for _, metric := range []string{"sonde_check_ok", "sonde_check_runs_total", "sonde_check_status", "sonde_check_duration_seconds", "sonde_check_run_duration_seconds_count"} {
				if len(agreed.Of(metric)) == 0 {
					t.Errorf("both agree on having no %s", metric)
				}
			}
		})
	}
}

// awaitAgreement waits until the Collector has received of check what a scrape says of
// it, every sample and label, and returns the scrape. What differs comes as an error of
// the test.
func awaitAgreement(t *testing.T, c *harness.Cluster, check *v1alpha1.Check) samples.Samples {
	t.Helper()
	differ := "nothing was compared"
	t.Cleanup(func() {
		if t.Failed() && differ != "" {
			t.Logf("a scrape and a push of %s differ (-scraped +pushed):\n%s", check.Name, differ)
		}
	})
	var scraped samples.Samples
	harness.Eventually(t, "the Collector has received what a scrape says", func(ctx context.Context) bool {
		pushed, err := c.Pushed(ctx)
		if err == nil {
			scraped, err = c.Scraped(ctx)
		}
		if err != nil {
			differ = fmt.Sprint(err)
			return false
		}
		differ = cmp.Diff(of(scraped, check), of(pushed, check))
		if differ == "" && len(of(scraped, check)) == 0 {
			differ = "both say nothing"
		}
		return differ == ""
	})
	return scraped
}
