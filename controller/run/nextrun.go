package run

import (
	"fmt"
	"time"

	"github.com/robfig/cron/v3"
	batchv1 "k8s.io/api/batch/v1"
)

// NextRun returns the slot after the last one that the CronJob controller has
// dealt with; zero if the CronJob is suspended or never fires. Where nobody deals
// with it, the slot stays, and passes: that is what an alert looks for.
func NextRun(c *batchv1.CronJob) (time.Time, error) {
	if c.Spec.Suspend != nil && *c.Spec.Suspend {
		return time.Time{}, nil
	}
	expression := c.Spec.Schedule
	if c.Spec.TimeZone != nil {
		expression = fmt.Sprintf("TZ=%s %s", *c.Spec.TimeZone, expression)
	}
	parsed, err := cron.ParseStandard(expression)
	if err != nil {
		return time.Time{}, fmt.Errorf("schedule of CronJob %s/%s: %w", c.Namespace, c.Name, err)
	}
	last := c.CreationTimestamp.Time
	if t := c.Status.LastScheduleTime; t != nil && t.After(last) {
		last = t.Time
	}
	return parsed.Next(last), nil
}
