package auth

import "time"

// A restart hands out no fresh window, because the store counts requests as
// used before they are admitted: it holds the cells of each window as they were
// at the last write, and a lease, the number of requests that may have been
// admitted since. Only what is leased is admitted. After a crash the whole
// lease counts as used, at the latest instant at which it can have been; a clean
// stop writes the exact cells and no lease.

// leasedFrom is the shortest window whose use is written ahead. Shorter ones
// are over before a crashed process is back; a clean stop keeps them as well.
const leasedFrom = 5 * time.Second

// Cell counts the requests admitted in one cell. Index is the cell's number
// since the Unix epoch, in cells of 1/64 of the window.
type Cell struct{ Index, Count int64 }

// MeterState is what a restart needs to know of one window: what was used, and
// how much more may have been used by LeaseEnd without having been written.
type MeterState struct {
	Window   Window
	Cells    []Cell // non-empty cells only, ascending
	Leased   int64
	LeaseEnd time.Time // zero if Leased is 0
}

func (r *ring) leased() bool { return r.window.Every >= leasedFrom }

// covered reports whether one more admission is already written as used.
func (r *ring) covered(now int64) bool { return r.left > 0 && now < r.leaseEnd }

// lease is how many admissions are written ahead at a time. It bounds what a
// crash can cost a caller.
func (r *ring) lease() int64 { return max(1, r.window.Limit/20) }

// room is how many more admissions can come before anything leaves the window.
func (r *ring) room() int64 { return max(0, r.window.Limit-r.used) }

// drop forgets a lease that has ended.
func (r *ring) drop(now int64) {
	if now >= r.leaseEnd {
		r.left = 0
	}
}

// low reports whether the next lease should be fetched now, so that a caller who
// goes on like this never waits for one: half of it is spent, or half of its
// time is over. A lease beyond the room is never asked for: nobody could spend it,
// and a crash would count it.
func (m *meter) low(now int64) bool {
	for i := range m.rings {
		r := &m.rings[i]
		if !r.leased() {
			continue
		}
		r.drop(now)
		few := r.left < (r.lease()+1)/2 && r.left < r.room()
		old := r.left > 0 && r.leaseEnd-now < int64(r.window.Every)/2
		if few || old {
			return true
		}
	}
	return false
}

// report is what a write to the Ledger says of a key.
type report uint8

const (
	ahead report = iota // a further lease, for requests to come
	asIs                // what was used, and what is left of the leases
	final               // what was used: no request comes after it
)

// instant is one moment on the program's clock and on the wall's, which an
// administrator may have set since the start. What is written is told by the
// wall's, because that is all the next process has.
type instant struct {
	nanos int64
	drift int64 // wall minus program
}

// drifted is the least by which a clock is taken to have been set: the two are
// not read at the same nanosecond.
const drifted = 10 * time.Millisecond

func instantOf(now time.Time, nanos int64) instant {
	drift := time.Duration(now.UnixNano() - nanos)
	return instant{nanos, int64(drift.Round(drifted))}
}

// shift is how many cells later a cell lies on the wall's clock. Rounded up:
// rather a request counts too long than not long enough.
func (t instant) shift(width int64) int64 {
	n := t.drift / width
	if t.drift%width > 0 {
		n++
	}
	return n
}

func (t instant) wall(nanos int64) time.Time { return time.Unix(0, nanos+t.drift).UTC() }

// states is what to write of the meter. An ahead report includes further leases,
// which granted makes good once they are durable.
func (m *meter) states(t instant, what report) []MeterState {
	states := make([]MeterState, 0, len(m.rings))
	for i := range m.rings {
		r := &m.rings[i]
		if what != final && !r.leased() {
			continue
		}
		r.advance(t.nanos)
		r.drop(t.nanos)
		r.left = min(r.left, r.room()) // less than it was where the limit was lowered
		s := MeterState{Window: r.window, Cells: r.cells(t.shift(r.width))}
		end := r.leaseEnd
		switch what {
		case ahead:
			// Enough for all who wait, or came while the last one was written.
			r.pending = min(max(r.lease(), m.waiting, m.crowd), max(0, r.room()-r.left))
			end = t.nanos + int64(r.window.Every)
		case final:
			r.left = 0
		case asIs:
		}
		if s.Leased = r.left + r.pending; s.Leased > 0 {
			s.LeaseEnd = t.wall(end)
		}
		states = append(states, s)
	}
	return states
}

func (r *ring) cells(shift int64) []Cell {
	var cells []Cell
	for c := max(0, r.head-cellsPerWindow); c <= r.head; c++ {
		if n := *r.at(c); n > 0 {
			cells = append(cells, Cell{c + shift, int64(n)})
		}
	}
	return cells
}

// granted makes good the leases that an ahead report of t wrote, and lets those
// who wait for them go on.
func (m *meter) granted(t instant) {
	for i := range m.rings {
		r := &m.rings[i]
		r.left += r.pending
		r.leaseEnd = t.nanos + int64(r.window.Every)
		r.pending = 0
	}
	m.asked, m.waiting, m.crowd = false, 0, m.waiting
	if m.ready != nil {
		close(m.ready)
		m.ready = nil
	}
}

// restore takes up what an earlier process wrote. The windows that apply now
// are not known yet; fit sorts that out at the first request. Cells and leases of
// the future mean that the clock was set back: they count as used now, which
// keeps the limit and ends one window from now.
func (m *meter) restore(states []MeterState, now time.Time) {
	*m = meter{}
	for _, s := range states {
		if s.Window.Every < time.Second {
			continue
		}
		r := newRing(s.Window)
		r.advance(now.UnixNano())
		for _, c := range s.Cells {
			r.revive(min(c.Index, r.head), c.Count)
		}
		if s.Leased > 0 {
			r.revive(min(now.UnixNano(), s.LeaseEnd.UnixNano())/r.width, s.Leased)
			m.dirty = true
		}
		m.limits = append(m.limits, s.Window)
		m.rings = append(m.rings, r)
	}
}

// revive counts n requests of an earlier process, unless their cell has left.
func (r *ring) revive(cell, n int64) {
	if n > 0 && cell >= max(0, r.head-cellsPerWindow) {
		r.add(cell, min(n, maxLimit))
	}
}
