package index

import "exante/auth/uid"

// page is one page of the rows that match q, which is of the table's day.
func (t *table) page(q *Query) (p Page) {
	m := t.filter(q).match()
	defer m.free()
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
		p.IDs, p.Rows = ids, make([]Row, len(ids))
	}
	for i, id := range ids {
		p.Rows[i], _ = t.row(id)
	}
	return p
}

// all is the ids of all rows that match q.
func (t *table) all(q *Query) []uid.ID {
	m := t.filter(q).match()
	defer m.free()
	if m.total == 0 {
		return nil
	}
	return m.collect(q, 0, m.total)
}

// What one row costs, in nanoseconds, of which only the relations matter. Rows
// come in an order that is not that of memory, so values are far away; marks
// are near.
const (
	passesCost = 20
	markedCost = 2
	sourceCost = 4
	sortCost   = 100
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
	c := m.costs(skip + want)
	if m.again && m.bits != nil && c.walked > m.worthIt() && len(segments) == 1 && segments[0].set == &m.set {
		w.tally = m.memory.tally(q.Sort, segments[0].order)
		w.over(segments)
		return w.ids
	}
	short := w
	short.allowance = m.allowance(c)
	switch {
	case short.over(segments):
		return short.ids
	case c.gather < c.mark:
		return m.gather(q, skip, want)
	}
	m.ensureBits()
	w.over(segments)
	return w.ids
}

// allowance is how many rows a walk may look at before the rows that match are
// gathered or marked for it: few beside what that takes, but many where the walk
// takes less; none where nothing but luck could make it short.
func (m *match) allowance(c costs) int {
	walk, other := c.walked*passesCost, min(c.gather, c.mark)
	switch {
	case walk < other:
		return 2*c.walked + 2*m.blockRows
	case len(m.bounds) == 0:
		return 0
	}
	return 2*m.blockRows + other/(20*passesCost)
}

// costs is how many rows a walk must pass to find so many that match, where they
// lie evenly, and what it takes to gather all that match, or to mark them for
// the walk.
type costs struct{ walked, gather, mark int }

func (m *match) costs(rows int) costs {
	c := costs{walked: m.rows}
	if rows < m.total {
		c.walked = rows * m.rows / m.total
	}
	c.gather, c.mark = m.total*sortCost, c.walked*markedCost
	if m.bits == nil {
		c.gather += m.source.rows * sourceCost
		c.mark += m.source.rows * sourceCost
	}
	return c
}
