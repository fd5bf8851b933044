package run

import (
	"context"
	"slices"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/sonde-dev/sonde/api/v1alpha1"
	"github.com/sonde-dev/sonde/controller/shard"
	"github.com/sonde-dev/sonde/telemetry/result"
)

const (
	// sweepEvery is how often the ledger is compared with the cache. A deletion is told
	// as it happens, by its event; a sweep finds those that happened while this process
	// was down.
	sweepEvery = 30 * time.Second

	// refreshEvery is how often it is asked for runs whose Jobs have to be seen again.
	refreshEvery = 2 * time.Second
)

// absent are the checks and runs that the ledger knows and the cache does not.
type absent struct {
	checks map[result.Key]bool
	runs   map[string]bool // by UID of the Job
}

// sweep compares and refreshes until ctx ends. What is absent twice in a row is gone:
// once may be an event that is on its way.
func (w *Watcher) sweep(ctx context.Context) error {
	ticker := time.NewTicker(refreshEvery)
	defer ticker.Stop()
	var before absent
	var compared time.Time
	for {
		err := w.refresh(ctx)
		if now := w.Now(); err == nil && now.Sub(compared) >= sweepEvery {
			compared = now
			before, err = w.compare(ctx, before)
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

// refresh tells the ledger again of the Jobs that it has to see before it decides: no
// event may come of them any more.
func (w *Watcher) refresh(ctx context.Context) error {
	stale := map[string]bool{}
	for _, id := range w.Ledger.Stale() {
		stale[id] = true
	}
	if len(stale) == 0 {
		return nil
	}
	var jobs batchv1.JobList
	if err := w.Client.List(ctx, &jobs, client.UnsafeDisableDeepCopy); err != nil { // they are only looked at
		return err
	}
	for i := range jobs.Items {
		job := &jobs.Items[i]
		if !stale[string(job.UID)] {
			continue
		}
		if err := w.observeOwned(ctx, job); err != nil {
			return err
		}
	}
	return nil
}

// compare returns what is absent now, after it has told the ledger of what was absent
// before too.
func (w *Watcher) compare(ctx context.Context, before absent) (absent, error) {
	now, err := w.absent(ctx)
	if err != nil {
		return before, err
	}
	return now, w.bury(ctx, before, now)
}

// absent returns what is absent now.
func (w *Watcher) absent(ctx context.Context) (absent, error) {
	checks, runs := w.Ledger.Known()
	out := absent{map[result.Key]bool{}, map[string]bool{}}
	for _, key := range checks {
		there, err := w.there(ctx, key)
		if err != nil {
			return absent{}, err
		}
		if !there {
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

// there reports whether a Check is in the cache and this receiver's.
func (w *Watcher) there(ctx context.Context, key result.Key) (bool, error) {
	if len(w.Namespaces) > 0 && !slices.Contains(w.Namespaces, key.Namespace) {
		return false, nil // it is looked after no more, and the cache would not say so
	}
	var check v1alpha1.Check
	err := w.Client.Get(ctx, types.NamespacedName{Namespace: key.Namespace, Name: key.Name}, &check)
	return err == nil && shard.Of(check.UID, w.Shards) == w.Shard, client.IgnoreNotFound(err)
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
