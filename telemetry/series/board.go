package series

import (
	"cmp"
	"slices"

	"github.com/sonde-dev/sonde/telemetry/result"
)

// board is the checks.
type board struct {
	bounds []float64 // of classic histograms; empty: exponential ones

	byUID  map[string]*check
	byKey  map[result.Key]*check
	sorted []*check // by key
}

func newBoard(bounds []float64) *board {
	return &board{bounds: bounds, byUID: map[string]*check{}, byKey: map[result.Key]*check{}}
}

func (b *board) add(spec Check) {
	c := &check{uid: spec.UID, made: spec.Since, durations: b.newHistogram()}
	for _, r := range result.Results() {
		c.runs = append(c.runs, tally{result: r})
	}
	c.setSpec(spec)
	c.tenant = newTenant(spec.MaxSeries, c.identity)
	b.insert(c)
}

// update takes over spec; its key may be another, though Kubernetes never does that.
func (b *board) update(c *check, spec Check) {
	b.remove(c)
	c.setSpec(spec)
	b.insert(c)
}

func (b *board) insert(c *check) {
	b.byUID[c.uid], b.byKey[c.key] = c, c
	i, _ := b.position(c.key)
	b.sorted = slices.Insert(b.sorted, i, c)
}

func (b *board) remove(c *check) {
	delete(b.byUID, c.uid)
	delete(b.byKey, c.key)
	if i, found := b.position(c.key); found {
		b.sorted = slices.Delete(b.sorted, i, i+1)
	}
}

func (b *board) position(k result.Key) (int, bool) {
	return slices.BinarySearchFunc(b.sorted, k, func(c *check, k result.Key) int {
		return cmp.Or(cmp.Compare(c.key.Namespace, k.Namespace), cmp.Compare(c.key.Name, k.Name))
	})
}

func (b *board) newHistogram() histogram {
	if len(b.bounds) == 0 {
		return &exponential{}
	}
	return newClassic(b.bounds)
}
