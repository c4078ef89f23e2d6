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

// zonedValues are the values of a row in these columns: see bounds.
func (t *table) zonedValues(n uint32) [zoned]int64 {
	return [zoned]int64{t.issue.at(n), t.due.at(n), t.paid.at(n), t.total.at(n), t.updated.at(n)}
}

// count takes account of a row that is in the block.
func (b *block) count(t *table, n uint32) {
	b.countClass(t.class.at(n))
	for i, v := range t.zonedValues(n) {
		z := &b.zones[i]
		if len(b.rows) == 1 {
			*z = zone{v, v}
		}
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
	for i, v := range o.zonedValues(b.rows[0]) {
		b.zones[i] = zone{v, v}
	}
	for _, n := range b.rows {
		b.count(o.table, n)
	}
}
