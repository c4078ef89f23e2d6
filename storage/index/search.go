package index

import "exante/auth/uid"

// page is one page of the rows that match q, which is of the table's day.
func (t *table) page(q *Query) (p Page) {
	m := t.filter(q).match()
	defer m.bits.free()
	limit := min(max(q.Limit, 0), m.total)
	p.Total = m.total
	if limit == 0 {
		return p
	}
	ids := m.collect(q, max(q.Offset, 0), limit+1) // one more shows whether it is the last page
	if len(ids) > limit {
		n, _ := t.find(ids[limit-1])
		next := m.markOf(n, q.Sort)
		p.Next, ids = &next, ids[:limit]
	}
	if len(ids) > 0 {
		p.IDs = ids
	}
	return p
}

// all is the ids of all rows that match q.
func (t *table) all(q *Query) []uid.ID {
	m := t.filter(q).match()
	defer m.bits.free()
	if m.total == 0 {
		return nil
	}
	return m.collect(q, 0, m.total)
}

// What looking at one row costs, in nanoseconds. Only their relations matter.
const (
	passesCost = 5
	sourceCost = 3
	sortCost   = 40
)

// collect is the ids of the rows that match, after some are skipped. A walk in
// their order finds the first pages of almost everything at once. Where it would
// be long the rows are marked first, which makes its steps cheap, or gathered.
func (m *match) collect(q *Query, skip, want int) []uid.ID {
	if skip >= m.total {
		return nil
	}
	w := walk{match: m, desc: q.Desc, skip: skip, want: want, allowance: anyNumber}
	w.ids = make([]uid.ID, 0, min(want, m.total-skip))
	segments := m.segments(q)
	if m.rest() == 0 {
		w.over(segments)
		return w.ids
	}
	gathered, marked := m.costs(skip + want)
	short := w
	short.allowance = 4*m.blockRows + min(gathered, marked)/(2*passesCost)
	if short.over(segments) {
		return short.ids
	}
	if gathered < marked {
		return m.gather(q, skip, want)
	}
	if m.bits == nil {
		m.mark()
	}
	w.over(segments)
	return w.ids
}

// costs is what it takes to gather the rows that match, and to mark them and
// walk past so many.
func (m *match) costs(rows int) (gathered, marked int) {
	walked := m.rows
	if rows < m.total {
		walked = int(float64(rows) / float64(m.total) * float64(m.rows))
	}
	gathered, marked = m.total*sortCost, walked*3/2
	if m.bits == nil {
		gathered += m.source.rows * sourceCost
		marked += m.source.rows*sourceCost + m.rows/100
	}
	return gathered, marked
}
