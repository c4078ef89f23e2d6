package index

import (
	"bytes"
	"cmp"
	"strings"
	"sync"

	"exante/auth/uid"
)

// candidate is a row that matches, with the value it is sorted by.
type candidate struct {
	key int64
	row uint32
}

var candidates sync.Pool // of *[]candidate

// gather is the ids of a page, found by sorting the rows that match as far as is
// needed. It is for few rows, which a walk in their order would be long in
// meeting.
func (m *match) gather(q *Query, skip, want int) []uid.ID {
	list, ok := candidates.Get().(*[]candidate)
	if !ok {
		list = &[]candidate{}
	}
	defer candidates.Put(list)
	*list = (*list)[:0]
	key := m.key(q.Sort)
	m.each(func(n uint32) {
		if q.After == nil || m.isAfter(n, q) {
			*list = append(*list, candidate{key(n), n})
		}
	})
	from := min(skip, len(*list))
	to := from + min(want, len(*list)-from)
	sortBetween(*list, from, to, m.ordering(q))
	ids := make([]uid.ID, to-from)
	for i := range ids {
		ids[i] = m.ids.at((*list)[from+i].row)
	}
	return ids
}

// each calls fn on all rows that match.
func (m *match) each(fn func(n uint32)) {
	if m.bits != nil {
		m.bits.each(fn)
		return
	}
	for _, r := range m.source.runs {
		m.source.order.pieces(r, func(rows []uint32) {
			for _, n := range rows {
				if m.set.has[m.class.at(n)] {
					fn(n)
				}
			}
		})
	}
}

// key is what rows are sorted by: a status by the rank of its name, a number by its begin.
func (m *match) key(c Column) func(n uint32) int64 {
	switch c {
	case Status:
		return func(n uint32) int64 { return int64(m.rank[m.classes.list[m.class.at(n)].reads]) }
	case OverdueDays:
		return m.overdueDays
	}
	return m.orders[c].key
}

// ordering compares candidates.
func (m *match) ordering(q *Query) func(a, b candidate) int {
	sign, byText := 1, q.Sort == Number
	if q.Desc {
		sign = -1
	}
	return func(a, b candidate) int {
		if c := cmp.Compare(a.key, b.key); c != 0 {
			return sign * c
		}
		if byText {
			if c := bytes.Compare(m.numbers.at(a.row), m.numbers.at(b.row)); c != 0 {
				return sign * c
			}
		}
		x, y := m.ids.at(a.row), m.ids.at(b.row)
		return sign * bytes.Compare(x[:], y[:])
	}
}

// overdueDays are the UTC dates from the due date to the table's day; 0 unless the row reads overdue.
func (t *table) overdueDays(n uint32) int64 {
	if t.classes.list[t.class.at(n)].reads != t.overdue {
		return 0
	}
	return t.day/daySeconds - dayOf(t.due.at(n))
}

// mark is the place of a row in an order.
func (m *match) markOf(n uint32, c Column) Mark {
	at := Mark{ID: m.ids.at(n)}
	switch c {
	case Number:
		at.Text = string(m.numbers.at(n))
	case Status:
		at.Text = m.name[m.classes.list[m.class.at(n)].reads]
	default:
		at.Value = m.key(c)(n)
	}
	return at
}

// isAfter reports whether a row comes after q.After.
func (m *match) isAfter(n uint32, q *Query) bool {
	at := m.markOf(n, q.Sort)
	c := cmp.Compare(at.Value, q.After.Value)
	if q.Sort == Number || q.Sort == Status {
		c = strings.Compare(at.Text, q.After.Text)
	}
	c = cmp.Or(c, bytes.Compare(at.ID[:], q.After.ID[:]))
	return c != 0 && (c > 0) != q.Desc
}
