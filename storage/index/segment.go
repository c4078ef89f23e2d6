package index

import (
	"cmp"
	"math"
	"strings"
)

// segment is a part of an order, of which the rows of a set count. An order that
// depends on the clock is several of them, one after the other: by status, the
// rows of each status by uid; by overdue days, those without any by uid and then
// the others by lateness.
type segment struct {
	order *order
	set   *classSet
	run

	text string // of all rows, if composed by status: its name
}

// segments are those of the order asked for, from the smallest value up; what
// does not come after After is cut off.
func (m *match) segments(q *Query) (all []segment) {
	switch q.Sort {
	case Status:
		all = m.byStatus()
	case OverdueDays:
		all = m.byOverdueDays()
	default:
		all = []segment{m.segment(q.Sort, &m.set)}
	}
	if q.After == nil {
		return all
	}
	kept := all[:0]
	for _, s := range all {
		if m.cut(&s, q) {
			kept = append(kept, s)
		}
	}
	return kept
}

// segment is the rows of a set in an order, but for those outside its bounds.
func (m *match) segment(c Column, set *classSet) segment {
	o := &m.orders[c]
	s := segment{order: o, set: set, run: run{to: o.end()}}
	for i := range m.bounds {
		if b := &m.bounds[i]; b.order == o {
			s.run = b.run()
		}
	}
	return s
}

func (m *match) byStatus() (all []segment) {
	var names [256]string
	var ranks [256]bool
	for code, c := range m.classes.list {
		if m.set.has[code] {
			names[m.rank[c.reads]], ranks[m.rank[c.reads]] = m.name[c.reads], true
		}
	}
	for rank, name := range names {
		if ranks[rank] {
			s := m.segment(byID, m.subset(func(c class) bool { return int(m.rank[c.reads]) == rank }))
			s.text = name
			all = append(all, s)
		}
	}
	return all
}

func (m *match) byOverdueDays() []segment {
	return []segment{
		m.segment(byID, m.subset(func(c class) bool { return c.reads != m.overdue })),
		m.segment(byLateness, m.subset(func(c class) bool { return c.reads == m.overdue })),
	}
}

// subset is the part of the set whose classes pass.
func (m *match) subset(passes func(class) bool) *classSet {
	set := m.classes.set(func(code uint16, c class) bool { return m.set.has[code] && passes(c) })
	return &set
}

// cut takes away what does not come after q.After, and reports whether anything may be left.
func (m *match) cut(s *segment, q *Query) bool {
	p := place{key: q.After.Value, id: q.After.ID}
	c := 0 // where the whole segment is, as seen from the mark
	switch {
	case q.Sort == Number:
		p.text = []byte(q.After.Text)
		p.key = textKey(p.text)
	case q.Sort == Status:
		p.key, c = idKey(p.id), strings.Compare(s.text, q.After.Text)
	case q.Sort == OverdueDays && s.order == &m.orders[byID]:
		p.key, c = idKey(p.id), cmp.Compare(0, p.key)
	case q.Sort == OverdueDays:
		if c = cmp.Compare(1, p.key); c <= 0 {
			p.key, c = min(p.key, math.MaxInt64/2)-m.day/daySeconds, 0
		}
	}
	switch {
	case c != 0:
		return c > 0 != q.Desc
	case q.Desc:
		s.to = earlier(s.to, s.order.from(&p))
	default:
		s.from = later(s.from, s.order.after(&p))
	}
	return true
}

func earlier(a, b position) position {
	if a.b < b.b || a.b == b.b && a.i < b.i {
		return a
	}
	return b
}

func later(a, b position) position {
	if earlier(a, b) == a {
		return b
	}
	return a
}
