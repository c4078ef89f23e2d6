package server

import (
	"testing"
	"time"
)

// What counting costs a request, of some 20 µs that one takes over loopback.
func BenchmarkTraffic(b *testing.B) {
	t := newTraffic(routes())
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			began := time.Now()
			t.inFlight.Add(1)
			t.routes[1].answered(200, time.Since(began))
			t.inFlight.Add(-1)
		}
	})
}

func TestCountingAllocatesNothing(t *testing.T) {
	counters := newTraffic(routes())
	if n := testing.AllocsPerRun(100, func() { counters.unrouted.answered(200, time.Second) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	for status, class := range map[int]int{200: 2, 599: 5, 0: 0, 1000: 5, -1: 0} {
		r := &routeTraffic{}
		if r.answered(status, 0); r.classes[class].Load() != 1 {
			t.Errorf("status %d is not counted in class %d", status, class)
		}
	}
}
