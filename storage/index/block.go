package index

// block is a short piece of an order, with what lets a query pass it by.
type block struct {
	first  int64 // key of the first row
	rows   []uint32
	counts []uint16 // rows by slot of their class
	zones  [zoned]zone
}

// zone has all values of a column in a block. It may be wider than they are.
type zone struct{ lo, hi int64 }

// zoned is how many columns have zones: those that have ranges as filters.
const zoned = 5

// countedRow is what a block counts of a row.
type countedRow struct {
	values [zoned]int64 // of the columns that have zones: see filter.bound
	class  uint16
	_      [22]byte // to be one line of a cache
}

func (t *table) countedRow(n uint32) countedRow {
	return countedRow{
		values: [zoned]int64{t.issue.at(n), t.due.at(n), t.paid.at(n), t.total.at(n), t.updated.at(n)},
		class:  t.class.at(n),
	}
}

// countedRows is all of them side by side, for when every block is counted:
// ten orders would fetch them from six columns each, in no order.
func (t *table) countedRows() []countedRow {
	all := make([]countedRow, t.places())
	for n := range all {
		all[n] = t.countedRow(uint32(n))
	}
	return all
}

// count takes account of a row that is in the block.
func (b *block) count(t *table, n uint32) {
	r := t.countedRow(n)
	if len(b.rows) == 1 {
		b.openZones(&r)
	}
	b.add(&r)
}

func (b *block) openZones(r *countedRow) {
	for i, v := range r.values {
		b.zones[i] = zone{v, v}
	}
}

func (b *block) add(r *countedRow) {
	b.countClass(r.class)
	for i, v := range r.values {
		z := &b.zones[i]
		z.lo, z.hi = min(z.lo, v), max(z.hi, v)
	}
}

func (b *block) countClass(code uint16) {
	slot := slotOf(code)
	for len(b.counts) <= slot {
		b.counts = append(b.counts, 0)
	}
	b.counts[slot]++
}

// uncount takes back what count did, but for the zones.
func (b *block) uncount(t *table, n uint32) { b.counts[slotOf(t.class.at(n))]-- }

// recount counts all anew.
func (b *block) recount(o *order) {
	b.first = o.key(b.rows[0])
	clear(b.counts)
	for i, n := range b.rows {
		r := o.countedRow(n)
		if i == 0 {
			b.openZones(&r)
		}
		b.add(&r)
	}
}

// recountFrom is recount with all rows at hand.
func (b *block) recountFrom(all []countedRow) {
	clear(b.counts)
	b.openZones(&all[b.rows[0]])
	for _, n := range b.rows {
		b.add(&all[n])
	}
}
