package run

import (
	"context"
	"sync"

	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
)

// departure is a Job that was deleted, as it was last seen.
type departure struct {
	job *batchv1.Job

	// unseen says that the deletion itself was not seen: the Job may have ended since.
	unseen bool
}

// departed are the deleted Jobs that the ledger is not told of yet. The zero value is
// empty.
type departed struct {
	mu   sync.Mutex // guards jobs
	jobs map[types.NamespacedName][]departure
}

func (d *departed) add(e event.DeleteEvent) {
	job, ok := e.Object.(*batchv1.Job)
	if !ok {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.jobs == nil {
		d.jobs = map[types.NamespacedName][]departure{}
	}
	key := client.ObjectKeyFromObject(job)
	d.jobs[key] = append(d.jobs[key], departure{job, e.DeleteStateUnknown})
}

// take removes and returns those of one name.
func (d *departed) take(key types.NamespacedName) []departure {
	d.mu.Lock()
	defer d.mu.Unlock()
	jobs := d.jobs[key]
	delete(d.jobs, key)
	return jobs
}

// putBack returns to d what could not be told.
func (d *departed) putBack(key types.NamespacedName, jobs []departure) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.jobs[key] = append(jobs, d.jobs[key]...)
}

// departures tells the ledger of the deleted Jobs of one name.
func (w *Watcher) departures(ctx context.Context, key types.NamespacedName) error {
	gone := w.departed.take(key)
	for i, d := range gone {
		if err := w.departure(ctx, d); err != nil {
			w.departed.putBack(key, gone[i:])
			return err
		}
	}
	return nil
}

// departure tells the ledger of one deleted Job, and first of its end if it had one: its
// deletion may overtake that news. One that had not is told of as deleted and no more,
// since its pods, which go with it, would look as if somebody had deleted them.
func (w *Watcher) departure(ctx context.Context, d departure) error {
	id := string(d.job.UID)
	if d.unseen {
		return w.Ledger.JobMissing(ctx, id)
	}
	if !Job(d.job, nil).Ended.IsZero() {
		if err := w.observeOwned(ctx, d.job); err != nil {
			return err
		}
	}
	return w.Ledger.JobGone(ctx, id)
}
