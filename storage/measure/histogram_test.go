package measure_test

import (
	"sync"
	"testing"
	"time"

	"exante/storage/measure"
)

func TestBucketsHoldWhatIsNotLonger(t *testing.T) {
	var h measure.Histogram
	for _, d := range []time.Duration{0, measure.Bounds[0], measure.Bounds[0] + 1, measure.Bounds[3], time.Hour} {
		h.Observe(d)
	}
	got := h.Read()
	if got.Count != 5 || got.Sum != 2*measure.Bounds[0]+1+measure.Bounds[3]+time.Hour {
		t.Errorf("count %d, sum %v", got.Count, got.Sum)
	}
	if got.Upto[0] != 2 || got.Upto[1] != 3 || got.Upto[3] != 4 || got.Upto[len(got.Upto)-1] != 4 {
		t.Errorf("buckets = %v", got.Upto)
	}
}

func TestNoDurationIsLostAmongMany(t *testing.T) {
	var h measure.Histogram
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 1000 {
				h.Observe(time.Millisecond)
			}
		})
	}
	all.Wait()
	if got := h.Read(); got.Count != 8000 || got.Sum != 8000*time.Millisecond {
		t.Errorf("count %d, sum %v", got.Count, got.Sum)
	}
	if n := testing.AllocsPerRun(100, func() { h.Observe(time.Second) }); n != 0 {
		t.Errorf("Observe allocates %v times", n)
	}
}
