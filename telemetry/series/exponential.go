package series

import (
	"math"
	"slices"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

// exponentialScale makes buckets 2^(1/8), or 9 %, wide. A time.Duration in
// seconds is from 2^-30 to 2^33, so a histogram has at most 8 × 64 buckets of
// 8 bytes, 4 KB, and needs no downscaling; 50 ms to 5 min are 100 of them.
const exponentialScale = 3

// exponential is a histogram with exponential buckets, for values ≥ 0.
type exponential struct {
	count  uint64
	sum    float64
	zero   uint64
	offset int // index of counts[0]
	counts []uint64
}

func (h *exponential) observe(v float64) {
	h.count++
	h.sum += v
	if v <= 0 {
		h.zero++
		return
	}
	i := bucketIndex(v)
	if len(h.counts) == 0 {
		h.offset = i
	}
	if i < h.offset {
		h.counts = slices.Insert(h.counts, 0, make([]uint64, h.offset-i)...)
		h.offset = i
	}
	if missing := i - h.offset + 1 - len(h.counts); missing > 0 {
		h.counts = append(h.counts, make([]uint64, missing)...)
	}
	h.counts[i-h.offset]++
}

// bucketIndex returns the i for which base^i < v ≤ base^(i+1), where base is
// 2^(2^-scale), and v > 0. Powers of two are exact.
func bucketIndex(v float64) int {
	frac, exp := math.Frexp(v) // v = frac × 2^exp, ½ ≤ frac < 1
	whole := (exp - 1) << exponentialScale
	if frac == 0.5 {
		return whole - 1
	}
	part := math.Ceil(math.Log2(2*frac) * (1 << exponentialScale)) // 1 < 2·frac < 2
	return whole + max(int(part), 1) - 1
}

func (h *exponential) point(set attribute.Set, start, now time.Time) metricdata.ExponentialHistogramDataPoint[float64] {
	return metricdata.ExponentialHistogramDataPoint[float64]{
		Attributes: set, StartTime: start, Time: now,
		Count: h.count, Sum: h.sum, Scale: exponentialScale, ZeroCount: h.zero,
		PositiveBucket: metricdata.ExponentialBucket{Offset: int32(h.offset), Counts: slices.Clone(h.counts)},
	}
}
