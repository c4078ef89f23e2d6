package index

import "exante/auth/uid"

// source is a part of an order that has all rows that match one condition.
type source struct {
	order *order
	runs  []run
	rows  int
}

// run is the rows between two positions.
type run struct{ from, to position }

// smallest is the smallest source there is for the conditions; nil if none has one.
func (f *filter) smallest() (best *source) {
	better := func(s *source) {
		for _, r := range s.runs {
			s.rows += s.order.between(r)
		}
		if best == nil || s.rows < best.rows {
			best = s
		}
	}
	for i := range f.bounds {
		b := &f.bounds[i]
		better(&source{order: b.order, runs: []run{b.run()}})
	}
	if f.number != "" {
		o, text := &f.orders[Number], []byte(f.number)
		better(&source{order: o, runs: []run{o.run(place{key: textKey(text), text: text}, place{key: textKey(text), text: text})}})
	}
	if f.parties != nil {
		s := &source{order: &f.orders[byParty]}
		for _, code := range f.parties {
			s.runs = append(s.runs, s.order.run(place{key: int64(code)}, place{key: int64(code)}))
		}
		better(s)
	}
	return best
}

// run is where the rows of a bound are in its order.
func (b *bound) run() run { return b.order.run(place{key: b.first}, place{key: b.last}) }

// run is from the first row with the key and text of from to the last with those of to.
func (o *order) run(from, to place) run {
	from.id, to.id = uid.ID{}, lastID
	return run{o.from(&from), o.after(&to)}
}

// between is how many rows a run has.
func (o *order) between(r run) int {
	n := r.to.i - r.from.i
	for b := r.from.b; b < r.to.b; b++ {
		n += len(o.blocks[b].rows)
	}
	return n
}

// count is how many rows of a run are in a set.
func (o *order) count(r run, set *classSet) (n int) {
	for b := r.from.b; b <= r.to.b && b < len(o.blocks); b++ {
		from, to := 0, len(o.blocks[b].rows)
		if b == r.from.b {
			from = r.from.i
		}
		if b == r.to.b {
			to = r.to.i
		}
		if counted, exact := set.count(o.blocks[b]); exact && to-from == len(o.blocks[b].rows) {
			n += counted
			continue
		}
		for _, row := range o.blocks[b].rows[from:to] {
			n += int(bit(set.has[o.class.at(row)]))
		}
	}
	return n
}

// match is what a filter has found out about the rows that match.
type match struct {
	*filter
	total  int
	source *source     // has them all; nil if that is the table
	bits   *bitmap     // they themselves; nil if they were counted without
	memory *remembered // where bits are kept; nil if nowhere
	again  bool        // the filter was asked before
}

// match counts the rows that match: from the counts of blocks if there is but
// one condition beyond the class and an order has its rows together, else by
// marking them. Many rows are marked the second time that they are asked for.
func (f *filter) match() *match {
	m := &match{filter: f}
	if f.never {
		m.set = classSet{has: make([]bool, len(f.classes.list))}
		return m
	}
	if f.rest() == 0 {
		m.total = f.set.rows
		return m
	}
	m.source = f.smallest()
	counts := f.rest() == 1 && m.source != nil
	if f.rows >= f.worthIt() {
		m.memory, m.again = f.recall(f)
	}
	if counts {
		for _, r := range m.source.runs {
			m.total += m.source.order.count(r, &f.set)
		}
		if !m.again || m.total < f.rows/64 {
			return m
		}
	}
	m.ensureBits()
	if !counts {
		m.total = m.bits.count()
	}
	return m
}

// ensureBits marks the rows that match unless they are marked, or remembered.
func (m *match) ensureBits() {
	switch {
	case m.bits != nil:
	case m.memory != nil:
		m.bits = m.memory.marked(m.mark)
	default:
		m.bits = m.mark()
	}
}

// free gives back what no one remembers.
func (m *match) free() {
	if m.memory == nil {
		m.bits.free()
	}
}

// mark marks the rows that match: one by one where the source is small beside
// the columns that would be read.
func (m *match) mark() *bitmap {
	marked := newBitmap(m.places())
	most := m.rows / 8
	if m.rest() == 1 {
		most = m.rows / 2
	}
	if m.source == nil || m.source.rows > most {
		m.scan(*marked)
		return marked
	}
	for _, r := range m.source.runs {
		m.source.order.pieces(r, func(rows []uint32) { m.markRows(*marked, rows) })
	}
	return marked
}

// markRows marks the rows that match of some that match the source.
func (m *match) markRows(b bitmap, rows []uint32) {
	only := m.rest() == 1 // the source is the one condition
	if only && m.set.rows == m.rows {
		for _, n := range rows {
			b.set(n)
		}
		return
	}
	for _, n := range rows {
		if m.set.has[m.class.at(n)] && (only || m.passes(n)) {
			b.set(n)
		}
	}
}

// scan marks the rows that match by reading whole columns.
func (m *match) scan(b bitmap) {
	if m.search != nil {
		m.search.mark(b)
	} else {
		b.fill(m.places())
	}
	if m.set.rows < m.places() {
		keepCodes(b, &m.class, m.set.has)
	}
	for i := range m.bounds {
		b.keepRange(m.bounds[i].column, m.bounds[i].lo, m.bounds[i].hi)
	}
	if m.parties != nil {
		wanted := make([]bool, len(m.table.parties.values))
		for _, code := range m.parties {
			wanted[code] = true
		}
		keepCodes(b, &m.party, wanted)
	}
	if m.number != "" || m.late != None {
		b.each(func(n uint32) {
			if !m.passesLate(n) || m.number != "" && string(m.numbers.at(n)) != m.number {
				b.drop(n)
			}
		})
	}
}
