package run

import (
	"context"
	"sync"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/sonde-dev/sonde/telemetry/result"
)

// Queue carries the keys of checks from the ledger to the reconciler. Adding never
// blocks, and the same key twice is once.
type Queue struct {
	mu      sync.Mutex // guards both
	to      requests
	pending []reconcile.Request // added before the reconciler has started
}

// Add has the check looked at soon.
func (q *Queue) Add(key result.Key) {
	request := reconcile.Request{NamespacedName: types.NamespacedName{Namespace: key.Namespace, Name: key.Name}}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.to == nil {
		q.pending = append(q.pending, request)
		return
	}
	q.to.Add(request)
}

// connect is a source of requests for controller-runtime.
func (q *Queue) connect(_ context.Context, to requests) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.to = to
	for _, request := range q.pending {
		to.Add(request)
	}
	q.pending = nil
	return nil
}
