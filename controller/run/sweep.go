package run

import (
	"context"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/sonde-dev/sonde/api/v1alpha1"
	"github.com/sonde-dev/sonde/controller/shard"
	"github.com/sonde-dev/sonde/telemetry/result"
)

// sweepEvery is how often the ledger is compared with the cache. A deletion is told as
// it happens, by its event; a sweep finds those that happened while this process was
// down, or could not be written.
const sweepEvery = 30 * time.Second

// absent are the checks and runs that the ledger knows and the cache does not.
type absent struct {
	checks map[result.Key]bool
	runs   map[string]bool // by UID of the Job
}

// sweep compares until ctx ends. What is absent twice in a row is gone: once may be an
// event that is on its way.
func (w *Watcher) sweep(ctx context.Context) error {
	ticker := time.NewTicker(sweepEvery)
	defer ticker.Stop()
	var before absent
	for {
		now, err := w.absent(ctx)
		if err == nil {
			err = w.bury(ctx, before, now)
			before = now
		}
		if err != nil && ctx.Err() == nil {
			log.FromContext(ctx).Error(err, "sweep failed, and is tried again")
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// absent returns what is absent now.
func (w *Watcher) absent(ctx context.Context) (absent, error) {
	checks, runs := w.Ledger.Known()
	out := absent{map[result.Key]bool{}, map[string]bool{}}
	for _, key := range checks {
		var check v1alpha1.Check
		err := w.Client.Get(ctx, types.NamespacedName{Namespace: key.Namespace, Name: key.Name}, &check)
		if client.IgnoreNotFound(err) != nil {
			return absent{}, err
		}
		if err != nil || shard.Of(check.UID, w.Shards) != w.Shard {
			out.checks[key] = true
		}
	}
	var jobs batchv1.JobList
	if err := w.Client.List(ctx, &jobs, client.UnsafeDisableDeepCopy); err != nil { // they are only looked at
		return absent{}, err
	}
	for _, id := range runs {
		out.runs[id] = true
	}
	for i := range jobs.Items {
		delete(out.runs, string(jobs.Items[i].UID))
	}
	return out, nil
}

// bury tells the ledger of what was absent before and is now.
func (w *Watcher) bury(ctx context.Context, before, now absent) error {
	for id := range now.runs {
		if before.runs[id] {
			if err := w.Ledger.JobMissing(ctx, id); err != nil {
				return err
			}
		}
	}
	for key := range now.checks {
		if before.checks[key] {
			if err := w.Ledger.DeleteCheck(ctx, key); err != nil {
				return err
			}
		}
	}
	return nil
}
