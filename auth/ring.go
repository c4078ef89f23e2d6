package auth

import "time"

// The limiter is a strict sliding window. A window of length W is cut into
// cells of W/64, aligned to the Unix epoch. At any time the current cell and
// the 64 before it count in full, so they span more than W: no interval of
// length W ever holds more than the limit, and a request stops counting at most
// one cell after it left the window. (Weighting the oldest cell by its share
// assumes that its requests were spread evenly, and lets almost twice the limit
// through after a burst.)
const (
	cellsPerWindow = 64
	ringSize       = cellsPerWindow + 1
)

// ring is one window of one key. Instants are Unix nanoseconds.
type ring struct {
	window Window
	width  int64 // of a cell; exact, because 64 divides a second
	counts [ringSize]int32
	head   int64 // number of the newest cell
	tail   int64 // number of the oldest cell that counts anything, if used > 0
	used   int64 // sum of counts

	// What the store counts as used ahead of time; see lease.go.
	left     int64 // admissions that it has already counted
	leaseEnd int64 // from here on they are worth nothing
	pending  int64 // more of them, being written
}

func newRing(w Window) ring {
	return ring{window: w, width: int64(w.Every) / cellsPerWindow}
}

func (r *ring) at(cell int64) *int32 { return &r.counts[cell%ringSize] }

// advance moves the ring to the cell of now. It never moves back.
func (r *ring) advance(now int64) {
	cell := now / r.width
	if cell <= r.head {
		return
	}
	if cell-r.head >= ringSize {
		r.counts, r.used = [ringSize]int32{}, 0
	} else {
		for c := r.head + 1; c <= cell; c++ {
			r.used -= int64(*r.at(c))
			*r.at(c) = 0
		}
	}
	r.head = cell
	for r.used > 0 && *r.at(r.tail) == 0 {
		r.tail++
	}
}

// add counts n > 0 requests at a cell that is still in the ring.
func (r *ring) add(cell, n int64) {
	if r.used == 0 || cell < r.tail {
		r.tail = cell
	}
	*r.at(cell) += int32(n)
	r.used += n
}

// freeIn is how long after now one more request fits.
func (r *ring) freeIn(now int64) time.Duration {
	if r.used < r.window.Limit {
		return 0
	}
	return r.leaves(now, r.used-r.window.Limit+1)
}

// leaves is how long after now n of the counted requests have left, or all if
// there are fewer: the end, counted from the oldest cell, of the one whose
// leaving makes n.
func (r *ring) leaves(now, n int64) time.Duration {
	if r.used == 0 {
		return 0
	}
	last := r.tail
	for c := r.tail; n > 0 && c <= r.head; c++ {
		if count := int64(*r.at(c)); count > 0 {
			n, last = n-count, c
		}
	}
	return time.Duration((last+ringSize)*r.width - now)
}
