package controller

import (
	"sync"

	"k8s.io/apimachinery/pkg/types"

	"github.com/sonde-dev/sonde/api/v1alpha1"
)

// memory holds the generations of the CronJobs that this process has applied. The
// cache may show a CronJob before it shows the status that records it; without
// memory that would look like a hand edit, and be answered by a needless write. Each
// is held until the status is seen to say the same.
type memory struct {
	mu          sync.Mutex // guards generations
	generations map[types.UID]int64
}

func (m *memory) remember(check types.UID, generation int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.generations == nil {
		m.generations = map[types.UID]int64{}
	}
	m.generations[check] = generation
}

func (m *memory) forget(check types.UID) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.generations, check)
}

// recorded returns the generation at which check's CronJob was last applied, as
// far as it is known; zero if it never was.
func (m *memory) recorded(check *v1alpha1.Check) int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	g, remembered := m.generations[check.UID]
	status := check.Status.CronJob
	switch {
	case remembered && status != nil && status.Generation == g: // the cache has caught up
		delete(m.generations, check.UID)
		return g
	case remembered:
		return g
	case status == nil:
		return 0
	default:
		return status.Generation
	}
}
