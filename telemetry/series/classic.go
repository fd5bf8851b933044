package series

import (
	"slices"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

// classic is a histogram with given upper bounds.
type classic struct {
	bounds []float64 // ascending; shared, not changed
	counts []uint64  // one more than bounds: the last is for what is above them
	count  uint64
	sum    float64
}

func newClassic(bounds []float64) *classic {
	return &classic{bounds: bounds, counts: make([]uint64, len(bounds)+1)}
}

func (h *classic) observe(v float64) {
	i, _ := slices.BinarySearch(h.bounds, v) // the first bound ≥ v
	h.counts[i]++
	h.count++
	h.sum += v
}

func (h *classic) point(set attribute.Set, start, now time.Time) metricdata.HistogramDataPoint[float64] {
	return metricdata.HistogramDataPoint[float64]{
		Attributes: set, StartTime: start, Time: now,
		Count: h.count, Sum: h.sum, Bounds: slices.Clone(h.bounds), BucketCounts: slices.Clone(h.counts),
	}
}
