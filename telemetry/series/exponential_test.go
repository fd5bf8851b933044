package series

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/attribute"
)

func TestBucketIndex(t *testing.T) {
	for name, tc := range map[string]struct {
		v    float64
		want int
	}{
		"one is the upper bound of its bucket": {1, -1},
		"just above one":                       {math.Nextafter(1, 2), 0},
		"just below one":                       {math.Nextafter(1, 0), -1},
		"two":                                  {2, 7},
		"just above two":                       {math.Nextafter(2, 3), 8},
		"a nanosecond":                         {1e-9, -240},
		"the longest duration":                 {math.MaxInt64 / 1e9, 264},
	} {
		t.Run(name, func(t *testing.T) {
			if got := bucketIndex(tc.v); got != tc.want {
				t.Errorf("bucketIndex(%v) = %d, want %d", tc.v, got, tc.want)
			}
		})
	}
}

func TestEveryValueIsWithinItsBucket(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 100_000 {
		v := math.Exp2(random.Float64()*60 - 30)
		i := float64(bucketIndex(v))
		if low, high := math.Exp2(i/8), math.Exp2((i+1)/8); v < low*(1-1e-12) || v > high*(1+1e-12) {
			t.Fatalf("%v is put between %v and %v", v, low, high)
		}
	}
}

func TestExponentialGrowsBothWays(t *testing.T) {
	var h exponential
	for _, v := range []float64{1, 4, 0.5, 0, 1} {
		h.observe(v)
	}
	p := h.point(attribute.Set{}, time.Time{}, time.Time{})
	want := make([]uint64, 25)
	want[0], want[8], want[24] = 1, 2, 1
	if p.Count != 5 || p.Sum != 6.5 || p.ZeroCount != 1 || p.PositiveBucket.Offset != -9 {
		t.Errorf("point is %+v", p)
	}
	if diff := cmp.Diff(want, p.PositiveBucket.Counts); diff != "" {
		t.Error(diff)
	}
}

func TestClassicBoundsAreInclusive(t *testing.T) {
	h := newClassic([]float64{1, 5})
	for _, v := range []float64{0, 1, 1.5, 5, 6} {
		h.observe(v)
	}
	if diff := cmp.Diff([]uint64{2, 2, 1}, h.counts); diff != "" {
		t.Error(diff)
	}
}

func TestBoundsAreMadeFitForAnExporter(t *testing.T) {
	if diff := cmp.Diff([]float64{1, 5}, bounds([]float64{math.Inf(1), 5, 1, math.NaN(), 5})); diff != "" {
		t.Error(diff)
	}
}
