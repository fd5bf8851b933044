package main

import (
	"context"
	"fmt"

	"github.com/sonde-dev/sonde/test/samples"
)

// crash lets runs of an SDK check overlap and kills the receiver between them. Every run
// visits five pages, so that the counter is five times the runs, before and after.
func (d demo) crash(ctx context.Context) error {
	before, err := d.addsUp(ctx, 1)
	if err != nil {
		return err
	}
	pod := []string{"-n", "sonde-system", "pod/sonde-receiver-0"}
	return firstError(
		func() error { return d.startRuns(ctx, "before") },
		func() error { before, err = d.addsUp(ctx, before+3); return err },
		func() error {
			return d.show(ctx, "kubectl", append([]string{"delete", "--grace-period=0", "--force"}, pod...)...)
		},
		func() error { return d.rolledOut(ctx, "sonde-system", "statefulset/sonde-receiver") },
		func() error { before, err = d.addsUp(ctx, before); return err },
		func() error { return d.startRuns(ctx, "after") },
		func() error { _, err = d.addsUp(ctx, before+3); return err },
	)
}

// startRuns starts three runs at once, besides those that are due.
func (d demo) startRuns(ctx context.Context, when string) error {
	names := make([]string, 3)
	for i := range names {
		names[i] = fmt.Sprintf("otel-go-%s-%d", when, i+1)
	}
	if err := d.show(ctx, "kubectl", append([]string{"-n", namespace, "delete", "job", "--ignore-not-found"}, names...)...); err != nil {
		return err
	}
	for _, name := range names {
		if err := d.show(ctx, "kubectl", "-n", namespace, "create", "job", "--from=cronjob/otel-go", name); err != nil {
			return err
		}
	}
	return nil
}

// addsUp waits until there are so many runs at least, and the counter is five times as
// many. It returns how many there are.
func (d demo) addsUp(ctx context.Context, runs float64) (float64, error) {
	var there float64
	err := d.until(ctx, fmt.Sprintf("%v runs of otel-go have counted five pages each", runs), func() (bool, error) {
		exposition, err := d.read(ctx, "kubectl", "get", "--raw", receiverProxy+"/metrics")
		if err != nil {
			return false, nil //nolint:nilerr // the receiver is about to start
		}
		found, err := samples.FromText(exposition)
		if err != nil {
			return false, err
		}
		mine := found.With("k8s_namespace_name", namespace, "sonde_check_name", "otel-go")
		there = sum(mine.With("result", "success").Of("sonde_check_runs_total"))
		pages := sum(mine.Of("pages_visited_total"))
		if there < runs || pages != 5*there {
			return false, nil
		}
		d.say("otel-go: %v runs, pages_visited_total %v\n", there, pages)
		return true, nil
	})
	return there, err
}

func sum(of samples.Samples) float64 {
	total := 0.0
	for _, v := range of {
		total += v
	}
	return total
}
