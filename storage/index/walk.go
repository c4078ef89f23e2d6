package index

import (
	"math"

	"exante/auth/uid"
)

// walk goes along segments and collects rows that match. It passes by whole
// blocks of which it knows how many match.
type walk struct {
	*match
	desc       bool
	skip, want int      // of the rows that match
	allowance  int      // how many rows it may look at
	tally      []uint16 // how many rows match, by block; nil if unknown
	ids        []uid.ID // collected
}

const anyNumber = math.MaxInt

// over reports whether the allowance sufficed.
func (w *walk) over(segments []segment) bool {
	for i := range segments {
		s := &segments[i]
		if w.desc {
			s = &segments[len(segments)-1-i]
		}
		first, last := s.from.b, min(s.to.b, len(s.order.blocks)-1)
		for b := first; b <= last && w.want > 0; b++ {
			if w.allowance <= 0 {
				return false
			}
			at := b
			if w.desc {
				at = last - (b - first)
			}
			w.block(s, at)
		}
	}
	return true
}

// block goes along the part of a block that is in the segment.
func (w *walk) block(s *segment, at int) {
	b := s.order.blocks[at]
	from, to := 0, len(b.rows)
	if at == s.from.b {
		from = s.from.i
	}
	if at == s.to.b {
		to = s.to.i
	}
	most, exact, byClass := w.inBlock(s, at)
	if most == 0 || from >= to {
		return
	}
	if exact && most <= w.skip && to-from == len(b.rows) {
		w.skip -= most
		return
	}
	w.allowance -= to - from
	switch {
	case byClass:
		w.classRows(s, b.rows[from:to])
	case w.bits != nil:
		w.markedRows(s, b.rows[from:to])
	default:
		w.anyRows(s, b.rows[from:to])
	}
}

// inBlock is how many rows of a block match, or at most so many, and whether
// the class alone tells which.
func (w *walk) inBlock(s *segment, at int) (most int, exact, byClass bool) {
	if w.tally != nil {
		return int(w.tally[at]), true, false
	}
	b := s.order.blocks[at]
	byClass = w.parties == nil && w.number == "" && w.late == None && w.search == nil
	for i := range w.bounds {
		c := &w.bounds[i]
		z := &b.zones[c.zone]
		if z.hi < c.lo || z.lo > c.hi {
			return 0, true, true
		}
		byClass = byClass && (c.order == s.order || z.lo >= c.lo && z.hi <= c.hi)
	}
	most, exact = s.set.count(b)
	return most, exact && byClass, byClass
}

// classRows takes the rows whose class is in the set.
func (w *walk) classRows(s *segment, rows []uint32) {
	for i := range rows {
		n := rows[i]
		if w.desc {
			n = rows[len(rows)-1-i]
		}
		if s.set.has[w.class.at(n)] && w.take(n) {
			return
		}
	}
}

// anyRows takes the rows that match.
func (w *walk) anyRows(s *segment, rows []uint32) {
	for i := range rows {
		n := rows[i]
		if w.desc {
			n = rows[len(rows)-1-i]
		}
		if s.set.has[w.class.at(n)] && w.passes(n) && w.take(n) {
			return
		}
	}
}

// markedRows takes the rows that are marked. Which class they are of matters
// only where the segment has a part of the set.
func (w *walk) markedRows(s *segment, rows []uint32) {
	b, whole := *w.bits, s.set == &w.set
	for i := range rows {
		n := rows[i]
		if w.desc {
			n = rows[len(rows)-1-i]
		}
		if b.has(n) && (whole || s.set.has[w.class.at(n)]) && w.take(n) {
			return
		}
	}
}

// take skips or collects a row, and reports whether it was the last wanted.
func (w *walk) take(n uint32) bool {
	if w.skip > 0 {
		w.skip--
		return false
	}
	w.ids = append(w.ids, w.table.ids.at(n))
	w.want--
	return w.want == 0
}
