package controller

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
	"k8s.io/apimachinery/pkg/types"

	"github.com/sonde-dev/sonde/api/v1alpha1"
)

// Schedule is when a check runs, in the words of a CronJob.
type Schedule struct {
	Expression string // cron, or "@every D"
	TimeZone   string // IANA name, never empty

	// Gap is the shortest time from one slot to the next.
	Gap time.Duration

	// StartingDeadline is how late a run may start; zero means that none is set.
	// With @every none may be: near or below the interval a CronJob with one never
	// fires, and a longer one moves the phase.
	StartingDeadline time.Duration
}

// minStartingDeadline is the least that the CronJob controller can keep: it looks
// at each CronJob about every 10 s and late by as much again when busy.
const minStartingDeadline = time.Minute

// minInterval is the least that a CronJob can keep: Jobs are named by the minute.
const minInterval = time.Minute

// schedule translates the schedule of spec. uid spreads checks with the same
// interval over it. An error means that the user must mend the spec.
func schedule(spec v1alpha1.CheckSpec, uid types.UID) (Schedule, error) {
	switch {
	case spec.Interval != nil && spec.Interval.Duration < minInterval:
		return Schedule{}, specErrorf("spec.interval: must be at least %s, not %s", minInterval, spec.Interval.Duration)
	case spec.Interval != nil:
		return intervalSchedule(spec.Interval.Duration, uid), nil
	case spec.Schedule == nil:
		return Schedule{}, specErrorf("spec: set exactly one of interval and schedule")
	case strings.Contains(*spec.Schedule, "TZ"): // the parser panics at some of them
		return Schedule{}, specErrorf("spec.schedule: the time zone goes into spec.timeZone")
	case strings.HasPrefix(*spec.Schedule, "@every"):
		return Schedule{}, specErrorf("spec.schedule: %q is spec.interval", *spec.Schedule)
	}
	s := Schedule{Expression: *spec.Schedule, TimeZone: "Etc/UTC"}
	if spec.TimeZone != nil {
		s.TimeZone = *spec.TimeZone
	}
	parsed, err := cron.ParseStandard(s.Expression)
	if err != nil {
		return Schedule{}, specErrorf("spec.schedule: %v", err)
	}
	s.Gap = shortestGap(parsed)
	if s.Gap == 0 {
		return Schedule{}, specErrorf("spec.schedule: %q never fires", s.Expression)
	}
	s.StartingDeadline = max(minStartingDeadline, s.Gap/2)
	return s, nil
}

// intervalSchedule returns cron where cron can say it, with an offset from uid,
// and "@every" otherwise. Cron restarts its steps each hour and each day, so only
// minutes that divide an hour and hours that divide a day come out evenly.
func intervalSchedule(d time.Duration, uid types.UID) Schedule {
	s := Schedule{TimeZone: "Etc/UTC", Gap: d, StartingDeadline: max(minStartingDeadline, d/2)}
	minutes, hours := int(d/time.Minute), int(d/time.Hour)
	switch {
	case d%time.Minute == 0 && minutes < 60 && 60%minutes == 0:
		s.Expression = fmt.Sprintf("%s * * * *", steps(offset(uid, minutes), minutes, 60))
	case d%time.Hour == 0 && hours <= 24 && 24%hours == 0:
		o := offset(uid, 60*hours)
		s.Expression = fmt.Sprintf("%d %s * * *", o%60, steps(o/60, hours, 24))
	default:
		s.Expression = "@every " + d.String()
		s.StartingDeadline = 0
	}
	return s
}

// steps returns the cron field that fires every step from first on, below end.
func steps(first, step, end int) string {
	switch step {
	case 1:
		return "*"
	case end:
		return fmt.Sprint(first)
	default:
		return fmt.Sprintf("%d-%d/%d", first, end-1, step)
	}
}

// offset returns a number from 0 below n that stays with uid.
func offset(uid types.UID, n int) int {
	sum := sha256.Sum256([]byte(uid))
	return int(binary.BigEndian.Uint64(sum[:]) % uint64(n)) //nolint:gosec // n is positive and small
}

// shortestGap returns the shortest time between two firings of s, among the first
// 500 from a fixed date on: enough for every five-field expression that is used,
// and the same on each call. It is zero if s never fires twice.
func shortestGap(s cron.Schedule) time.Duration {
	const firings = 500
	var shortest time.Duration
	last := s.Next(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	for range firings {
		next := s.Next(last)
		if last.IsZero() || next.IsZero() {
			return shortest
		}
		if gap := next.Sub(last); shortest == 0 || gap < shortest {
			shortest = gap
		}
		last = next
	}
	return shortest
}
