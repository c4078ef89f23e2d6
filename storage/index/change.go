package index

import "exante/auth/uid"

// change is one thing that happens to a table.
type change struct {
	kind changeKind
	row  Row
}

type changeKind uint8

const (
	putRow      changeKind = iota
	removeRow              // with row.ID
	renameParty            // row.Party to row.Client
)

func (t *table) apply(c change) {
	t.changes++
	switch c.kind {
	case putRow:
		t.putRow(&c.row)
	case removeRow:
		t.removeRow(c.row.ID)
	case renameParty:
		t.names.set(t.partyCode(c.row.Party), c.row.Client)
	}
}

func (t *table) putRow(r *Row) {
	n, known := t.find(r.ID)
	if known {
		t.replace(n, r)
		return
	}
	n = t.place()
	t.fill(n, r)
	for o := range t.orders {
		t.orders[o].insert(n)
	}
}

// replace takes the row out of the orders in which it moves, and has the others
// take account of what else changes.
func (t *table) replace(n uint32, r *Row) {
	var stays [orders]*block
	moves := t.moves(n, r)
	for o := range t.orders {
		if moves[o] {
			t.orders[o].remove(n)
			continue
		}
		stays[o] = t.orders[o].blockOf(n)
		stays[o].uncount(t, n)
	}
	t.classes.drop(t.class.at(n), t.total.at(n))
	t.rows--
	t.fill(n, r)
	for o := range t.orders {
		if moves[o] {
			t.orders[o].insert(n)
			continue
		}
		stays[o].count(t, n)
	}
}

// moves tells the orders in which r is elsewhere than row n.
func (t *table) moves(n uint32, r *Row) (moves [orders]bool) {
	due := t.due.at(n)
	moves[Created] = t.created.at(n) != r.Created
	moves[Updated] = t.updated.at(n) != r.Updated
	moves[Issue] = t.issue.at(n) != r.Issue
	moves[Due] = due != r.Due
	moves[Paid] = t.paid.at(n) != r.Paid
	moves[Number] = string(t.numbers.at(n)) != r.Number
	moves[Total] = t.total.at(n) != r.Total
	moves[byLateness] = dayOf(due) != dayOf(r.Due)
	moves[byParty] = t.parties.values[t.party.at(n)] != r.Party
	return moves
}

// place is a place for one more row.
func (t *table) place() uint32 {
	if last := len(t.free) - 1; last >= 0 {
		n := t.free[last]
		t.free = t.free[:last]
		return n
	}
	n := uint32(t.places())
	t.ids.add(uid.ID{})
	t.class.add(0)
	t.party.add(0)
	t.client.add(0)
	for _, c := range []*column[int64]{&t.issue, &t.due, &t.paid, &t.created, &t.updated, &t.total} {
		c.add(0)
	}
	t.numbers.add("")
	return n
}

// places is how many there are, the free ones too.
func (t *table) places() int { return t.rows + len(t.free) }

// fill writes a row into its columns, and counts it.
func (t *table) fill(n uint32, r *Row) {
	c := class{stored: r.Status, reads: t.reads(r.Status, r.Due), method: r.Method, currency: t.currencies.code(r.Currency)}
	code := t.classes.code(c)
	t.ids.set(n, r.ID)
	t.class.set(n, code)
	t.party.set(n, t.partyCode(r.Party))
	t.client.set(n, t.clientCode(r.Client))
	t.issue.set(n, r.Issue)
	t.due.set(n, r.Due)
	t.paid.set(n, r.Paid)
	t.created.set(n, r.Created)
	t.updated.set(n, r.Updated)
	t.total.set(n, r.Total)
	t.numbers.set(n, r.Number)
	t.classes.add(code, r.Total)
	t.rows++
}

func (t *table) removeRow(id uid.ID) {
	n, known := t.find(id)
	if !known {
		return
	}
	for o := range t.orders {
		t.orders[o].remove(n)
	}
	t.classes.drop(t.class.at(n), t.total.at(n))
	t.class.set(n, 0)
	t.numbers.set(n, "")
	t.free = append(t.free, n)
	t.rows--
}
