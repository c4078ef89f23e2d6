package auth

import (
	"time"
)

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

// leasedFrom is the shortest window whose use is written ahead. Shorter ones are
// over before a restart is.
const leasedFrom = 5 * time.Second

// Decision is the limiter's word on one request, told for the tightest window.
type Decision struct {
	Limits     Limits        // the windows that apply
	Tightest   Window        // the window with the fewest requests left
	Remaining  int64         // requests left in it, this one counted
	Reset      time.Duration // until more are left
	RetryAfter time.Duration // refused: the exact wait; 0: admitted
}

// Seconds rounds a wait up to whole seconds, at least 1: what Retry-After says.
// A retry after it succeeds, and one a second earlier does not.
func Seconds(wait time.Duration) int64 {
	return max(1, int64((wait+time.Second-1)/time.Second))
}

// Cell counts the requests admitted in one cell. Index is the cell's number
// since the Unix epoch, in cells of 1/64 of the window.
type Cell struct{ Index, Count int64 }

// MeterState is what a restart needs to know of one window: what was used, and
// how much more may have been used by LeaseEnd without having been written.
type MeterState struct {
	Window   Window
	Cells    []Cell // non-empty cells only
	Leased   int64
	LeaseEnd time.Time
}

// ring is one window of one key.
type ring struct {
	window Window
	width  int64 // nanoseconds of a cell
	counts [ringSize]int32
	head   int64 // number of the newest cell
	tail   int64 // number of the oldest cell that counts anything, if used > 0
	used   int64 // sum of counts

	left     int64 // admissions that the store already counts as used
	leaseEnd int64 // after it they are worth nothing, Unix nanoseconds
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

// add counts n requests at a cell that is still in the ring.
func (r *ring) add(cell, n int64) {
	if r.used == 0 || cell < r.tail {
		r.tail = cell
	}
	*r.at(cell) += int32(n)
	r.used += n
}

// freeIn is how long after now one more request fits: the end of the cell,
// counted from the oldest, whose leaving makes room.
func (r *ring) freeIn(now int64) time.Duration {
	need := r.used - r.window.Limit + 1
	if need <= 0 {
		return 0
	}
	return r.leaves(now, need)
}

// leaves is how long after now at least n of the counted requests have left.
func (r *ring) leaves(now, n int64) time.Duration {
	for c := r.tail; c <= r.head; c++ {
		if n -= int64(*r.at(c)); n <= 0 {
			return time.Duration((c+ringSize)*r.width - now)
		}
	}
	return r.window.Every
}

func (r *ring) leased() bool { return r.window.Every >= leasedFrom }

// covered reports whether one more admission is already written as used.
func (r *ring) covered(now int64) bool { return r.left > 0 && now < r.leaseEnd }

// lease is how many admissions are written ahead at a time.
func (r *ring) lease() int64 { return max(1, r.window.Limit/20) }

// meter is the windows of one key. Its owner's lock guards it.
type meter struct {
	limits Limits // what rings was built for
	rings  []ring
	asked  bool          // a lease has been asked for and not come yet
	ready  chan struct{} // closed when it comes; nil unless someone waits

	charged bool // something was admitted by this process
}

// fit makes the rings those of limits. A window of a length that was there
// before keeps its counts, whatever its limit is now.
func (m *meter) fit(limits Limits) {
	if len(limits) == len(m.limits) && (len(limits) == 0 || &limits[0] == &m.limits[0]) {
		return
	}
	rings := make([]ring, len(limits))
	for i, w := range limits {
		rings[i] = newRing(w)
		for _, old := range m.rings {
			if old.window.Every == w.Every {
				rings[i] = old
				rings[i].window = w
			}
		}
	}
	m.limits, m.rings = limits, rings
}

// verdict is what take found.
type verdict uint8

const (
	admitted verdict = iota
	refused
	uncovered // no lease: the store must hear of it first
)

// take checks every window and, if all have room, charges all. With leases set
// it charges only what the store already counts as used.
func (m *meter) take(now int64, leases bool) (Decision, verdict) {
	d := Decision{Limits: m.limits}
	lacking := false
	for i := range m.rings {
		r := &m.rings[i]
		r.advance(now)
		if wait := r.freeIn(now); wait > d.RetryAfter {
			d.RetryAfter, d.Tightest, d.Reset = wait, r.window, wait
		}
		lacking = lacking || leases && r.leased() && !r.covered(now)
	}
	switch {
	case d.RetryAfter > 0:
		return d, refused
	case lacking:
		return d, uncovered
	}
	m.charged = true
	for i := range m.rings {
		r := &m.rings[i]
		r.add(r.head, 1)
		r.left--
		if left := r.window.Limit - r.used; i == 0 || left < d.Remaining {
			d.Tightest, d.Remaining, d.Reset = r.window, left, r.leaves(now, 1)
		}
	}
	return d, admitted
}

// low reports whether a lease is half spent, so that the next can be fetched
// before anyone waits for it.
func (m *meter) low(now int64) bool {
	for i := range m.rings {
		r := &m.rings[i]
		if r.leased() && (r.left < (r.lease()+1)/2 || now >= r.leaseEnd) {
			return true
		}
	}
	return false
}

// state is what to write. With grant it writes ahead a full new lease, which
// granted makes good once it is durable; without, the exact rings.
func (m *meter) state(now int64, grant bool) []MeterState {
	states := make([]MeterState, 0, len(m.rings))
	for i := range m.rings {
		r := &m.rings[i]
		if grant && !r.leased() {
			continue
		}
		r.advance(now)
		s := MeterState{Window: r.window}
		for c := max(0, r.head-cellsPerWindow); c <= r.head; c++ {
			if n := *r.at(c); n > 0 {
				s.Cells = append(s.Cells, Cell{c, int64(n)})
			}
		}
		if grant {
			if now >= r.leaseEnd {
				r.left = 0
			}
			// Both the rest of the old lease and the new one may be spent after this.
			s.Leased, s.LeaseEnd = max(r.left, 0)+r.lease(), time.Unix(0, now+int64(r.window.Every)).UTC()
		}
		states = append(states, s)
	}
	return states
}

// granted makes good the leases of states, which are durable now.
func (m *meter) granted(states []MeterState) {
	for _, s := range states {
		for i := range m.rings {
			if r := &m.rings[i]; r.window.Every == s.Window.Every {
				r.left, r.leaseEnd = max(r.left, 0)+r.lease(), s.LeaseEnd.UnixNano()
			}
		}
	}
}

// restore takes up what an earlier process wrote. The windows that apply now
// are not known yet; fit sorts that out at the first request.
func (m *meter) restore(states []MeterState, now time.Time) {
	for _, s := range states {
		r := newRing(s.Window)
		r.advance(now.UnixNano())
		for _, c := range s.Cells {
			if c.Index >= r.head-cellsPerWindow {
				r.add(min(c.Index, r.head), c.Count) // from the future if the clock was set back
			}
		}
		if at := min(now.UnixNano(), s.LeaseEnd.UnixNano()) / r.width; s.Leased > 0 && at >= r.head-cellsPerWindow {
			r.add(at, s.Leased)
		}
		m.limits = append(m.limits, s.Window)
		m.rings = append(m.rings, r)
	}
}
