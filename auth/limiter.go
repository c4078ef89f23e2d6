package auth

import (
	"time"
)

// Decision is the limiter's word on one request, told for the tightest window.
// It is zero where no key was proved or the key has ended.
type Decision struct {
	Limits     Limits        // the windows that apply
	Tightest   Window        // the window with the fewest requests left; refused: the one that makes it wait longest
	Remaining  int64         // requests left in it, this one counted
	Reset      time.Duration // until more are left; 0: all are
	RetryAfter time.Duration // refused: the exact wait; 0: not refused by a limit
}

// Seconds rounds a wait up to whole seconds, at least 1: what Retry-After says.
// A retry after it succeeds, and one a second earlier does not.
func Seconds(wait time.Duration) int64 {
	return max(1, int64((wait+time.Second-1)/time.Second))
}

// meter is the windows of one key. Its owner's lock guards it.
type meter struct {
	limits Limits // what rings was built for
	rings  []ring

	asked   bool          // a lease has been asked for and not come yet
	ready   chan struct{} // closed when it comes; nil unless someone waits
	waiting int64         // how many wait
	crowd   int64         // how many waited last time
	dirty   bool          // the store does not hold the exact rings
}

// fit makes the rings those of limits. A window of a length that was there
// before keeps its counts, whatever its limit is now; a window of a new length
// starts empty, because no other one knows when its requests came.
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

// take checks every window and, if all have room, charges all. With leases set
// it charges only what the store already counts as used, and answers uncovered
// where that has run out. A refusal costs nothing.
func (m *meter) take(now int64, leases bool) (Decision, outcome) {
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
		return d, rateLimited
	case lacking:
		return d, uncovered
	}
	m.dirty = true
	for i := range m.rings {
		r := &m.rings[i]
		r.add(r.head, 1)
		r.left = max(0, r.left-1)
	}
	m.tell(&d, now)
	return d, accepted
}

// peek is where the caller stands, with nothing charged.
func (m *meter) peek(now int64) Decision {
	d := Decision{Limits: m.limits}
	for i := range m.rings {
		m.rings[i].advance(now)
	}
	m.tell(&d, now)
	return d
}

// tell fills in the tightest window. Its rings must stand at now.
func (m *meter) tell(d *Decision, now int64) {
	for i := range m.rings {
		r := &m.rings[i]
		if left := max(0, r.window.Limit-r.used); i == 0 || left < d.Remaining {
			d.Tightest, d.Remaining, d.Reset = r.window, left, r.leaves(now, max(1, r.used-r.window.Limit+1))
		}
	}
}
