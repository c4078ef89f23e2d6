// Package measure counts how long things take, cheaply enough for every request.
package measure

import (
	"sync/atomic"
	"time"
)

// Bounds are the upper ends of a Histogram's buckets; what is longer is in none
// of them. They suit both a read from memory and a commit on a slow disk.
var Bounds = [...]time.Duration{
	500 * time.Microsecond, time.Millisecond, 2500 * time.Microsecond, 5 * time.Millisecond, 10 * time.Millisecond,
	25 * time.Millisecond, 50 * time.Millisecond, 100 * time.Millisecond, 250 * time.Millisecond, time.Second, 5 * time.Second,
}

// Histogram counts durations by size. Its zero value is empty. Observe takes no
// lock and allocates nothing.
type Histogram struct {
	buckets [len(Bounds) + 1]atomic.Uint64 // the last: longer than every bound
	sum     atomic.Int64
}

// Observe counts one duration.
func (h *Histogram) Observe(d time.Duration) {
	i := 0
	for i < len(Bounds) && d > Bounds[i] {
		i++
	}
	h.buckets[i].Add(1)
	h.sum.Add(int64(d))
}

// Durations is what a Histogram held at one moment.
type Durations struct {
	Count uint64
	Sum   time.Duration
	Upto  [len(Bounds)]uint64 // as long as the bound or shorter
}

// Read returns what was counted. Durations that are observed meanwhile may be
// left out in part.
func (h *Histogram) Read() Durations {
	d := Durations{Sum: time.Duration(h.sum.Load())}
	for i := range h.buckets {
		d.Count += h.buckets[i].Load()
		if i < len(Bounds) {
			d.Upto[i] = d.Count
		}
	}
	return d
}
