package controller

import (
	"errors"
	"testing"
	"time"

	"github.com/robfig/cron/v3"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/sonde-dev/sonde/api/v1alpha1"
)

const anyUID = types.UID("11111111-2222-3333-4444-555555555555")

func TestIntervals(t *testing.T) {
	for interval, want := range map[time.Duration]struct {
		expression string
		deadline   time.Duration
	}{
		time.Minute:        {"* * * * *", time.Minute},
		90 * time.Second:   {"@every 1m30s", 0},
		2 * time.Minute:    {"1-59/2 * * * *", time.Minute},
		5 * time.Minute:    {"1-59/5 * * * *", 150 * time.Second},
		7 * time.Minute:    {"@every 7m0s", 0},
		45 * time.Minute:   {"@every 45m0s", 0},
		time.Hour:          {"31 * * * *", 30 * time.Minute},
		90 * time.Minute:   {"@every 1h30m0s", 0},
		2 * time.Hour:      {"31 0-23/2 * * *", time.Hour},
		5 * time.Hour:      {"@every 5h0m0s", 0},
		24 * time.Hour:     {"31 14 * * *", 12 * time.Hour},
		36 * time.Hour:     {"@every 36h0m0s", 0},
		3601 * time.Second: {"@every 1h0m1s", 0},
	} {
		t.Run(interval.String(), func(t *testing.T) {
			got := intervalSchedule(interval, anyUID)
			if got.Expression != want.expression || got.StartingDeadline != want.deadline || got.TimeZone != "Etc/UTC" || got.Gap != interval {
				t.Errorf("schedule %+v, want %+v", got, want)
			}
		})
	}
}

// TestIntervalsComeOutEvenly walks through two days of every interval, for many
// checks: each slot is one interval after the last, as the CronJob controller's own
// parser has it.
func TestIntervalsComeOutEvenly(t *testing.T) {
	offsets := map[string]bool{}
	for _, interval := range []time.Duration{
		time.Minute, 90 * time.Second, 3 * time.Minute, 7 * time.Minute, 10 * time.Minute, 30 * time.Minute, 45 * time.Minute,
		time.Hour, 90 * time.Minute, 2 * time.Hour, 3 * time.Hour, 5 * time.Hour, 8 * time.Hour, 12 * time.Hour, 24 * time.Hour,
	} {
		for _, uid := range []types.UID{anyUID, "a", "b", "c", "d", "e", "f"} {
			s := intervalSchedule(interval, uid)
			if interval == 10*time.Minute {
				offsets[s.Expression] = true
			}
			parsed, err := cron.ParseStandard(s.Expression)
			if err != nil {
				t.Fatalf("%s: %v", s.Expression, err)
			}
			at := parsed.Next(time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC))
			for end := at.Add(48 * time.Hour); at.Before(end); {
				next := parsed.Next(at)
				if next.Sub(at) != interval {
					t.Fatalf("%s of %s: %s after %s", s.Expression, interval, next, at)
				}
				at = next
			}
		}
	}
	if len(offsets) < 4 {
		t.Errorf("seven checks share %d offsets", len(offsets))
	}
}

func TestCronSchedules(t *testing.T) {
	for expression, gap := range map[string]time.Duration{
		"* * * * *":      time.Minute,
		"*/5 * * * *":    5 * time.Minute,
		"*/7 * * * *":    4 * time.Minute, // 56, then 0
		"0 8-18 * * 1-5": time.Hour,
		"0 0 1 1 *":      365 * 24 * time.Hour,
		"@daily":         24 * time.Hour,
		"0,1 0 * * *":    time.Minute,
	} {
		t.Run(expression, func(t *testing.T) {
			s, err := schedule(v1alpha1.CheckSpec{Schedule: &expression, TimeZone: new("Europe/Lisbon")}, anyUID)
			if err != nil {
				t.Fatal(err)
			}
			if s.Expression != expression || s.TimeZone != "Europe/Lisbon" || s.Gap != gap || s.StartingDeadline != max(time.Minute, gap/2) {
				t.Errorf("schedule %+v, want the gap %s", s, gap)
			}
		})
	}
}

func TestDeadlines(t *testing.T) {
	spec := func(timeout, allowance time.Duration, retries int32) v1alpha1.CheckSpec {
		return v1alpha1.CheckSpec{Timeout: metav1.Duration{Duration: timeout}, StartAllowance: metav1.Duration{Duration: allowance}, Retries: retries}
	}
	for name, tc := range map[string]struct {
		spec     v1alpha1.CheckSpec
		gap      time.Duration
		pod, job time.Duration
	}{
		"room for the start":                    {spec(30*time.Second, 2*time.Minute, 0), 5 * time.Minute, 150 * time.Second, 165 * time.Second},
		"gone before the next slot":             {spec(30*time.Second, 2*time.Minute, 0), time.Minute, 50 * time.Second, 165 * time.Second},
		"never less than the timeout":           {spec(55*time.Second, 2*time.Minute, 0), time.Minute, 55 * time.Second, 190 * time.Second},
		"each attempt has its time and wait":    {spec(30*time.Second, 2*time.Minute, 2), time.Hour, 150 * time.Second, 255 * time.Second},
		"the wait grows to ten minutes at most": {spec(time.Second, 5*time.Second, 8), time.Hour, 6 * time.Second, 1859 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			if got := podDeadline(tc.spec, tc.gap); got != tc.pod {
				t.Errorf("podDeadline() = %s, want %s", got, tc.pod)
			}
			if got := jobDeadline(tc.spec); got != tc.job {
				t.Errorf("jobDeadline() = %s, want %s", got, tc.job)
			}
		})
	}
}

func TestNamesOfJobsFit(t *testing.T) {
	long := "a-name-of-63-characters-which-is-all-that-a-check-may-have-0123"
	if len(long) != 63 || len(CronJobName(long)) != maxCronJobName {
		t.Fatalf("CronJobName(%q) = %q", long, CronJobName(long))
	}
	if CronJobName(long) == CronJobName(long[:62]+"4") {
		t.Error("two long names share a CronJob")
	}
	if CronJobName("short") != "short" {
		t.Error("a short name was changed")
	}
}

// FuzzSchedule proves that whatever is written as a schedule becomes one that the
// CronJob controller's parser takes, or a fault that its author can mend.
func FuzzSchedule(f *testing.F) {
	for _, seed := range []string{"*/5 * * * *", "@daily", "@every 1s", "TZ=0", "CRON_TZ=a 0 0 * * *", "0 0 29 2 *", "60 * * * *", "1-0 * * * *", "*/0 * * * *", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, expression string) {
		s, err := schedule(v1alpha1.CheckSpec{Schedule: &expression}, anyUID)
		if err != nil {
			if _, ok := errors.AsType[*SpecError](err); !ok {
				t.Errorf("error = %v, want a SpecError", err)
			}
			return
		}
		if s.Gap < time.Minute || s.StartingDeadline < minStartingDeadline || s.StartingDeadline > max(s.Gap, minStartingDeadline) {
			t.Errorf("schedule %+v of %q", s, expression)
		}
	})
}
