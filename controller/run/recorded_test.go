package run

import "sigs.k8s.io/controller-runtime/pkg/reconcile"

// recorded is a work queue that only remembers what was added.
type recorded struct {
	requests
	names []string
}

// Add implements workqueue.TypedInterface.
func (r *recorded) Add(request reconcile.Request) { r.names = append(r.names, request.Name) }
