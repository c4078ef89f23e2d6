package index

import (
	"encoding/binary"
	"math"

	"exante/auth/uid"
)

// None is the date of a row that has none.
const None int64 = math.MinInt64

// Row is what a list knows of one invoice.
type Row struct {
	ID, Party        uid.ID
	Number           string // "": none
	Client           string // as people see it, of a row that keeps the client it was sent to; "": the party's current name
	Currency         string
	Status, Method   uint8 // Status as stored, so never Rule.Overdue
	Issue, Due, Paid int64 // Unix seconds, or None
	Created, Updated int64 // Unix milliseconds
	Total            int64
}

// table is one organization's rows as columns: the n-th element of each belongs
// to row n. Values that repeat are kept once and named by a number. Where a row
// was removed is a place free for another, so n says nothing about order.
type table struct {
	follower[change]
	*reading
	day int64 // its midnight; the statuses of classes are as they read then

	ids              column[uid.ID]
	class            column[uint16] // 0: the place is free
	party, client    column[uint32] // client 0: as the party is called now
	issue, due, paid column[int64]
	created, updated column[int64]
	total            column[int64]
	numbers          texts
	free             []uint32 // places
	rows             int      // but for free places

	changes uint64 // how often anything changed
	memory  memory

	orders     [orders]order
	classes    classes
	parties    dictionary[uid.ID]
	names      texts // of parties, now, by their code
	currencies dictionary[string]
	clients    dictionary[string]
	kept       texts // clients by their code
}

func newTable(r *reading) *table {
	t := &table{reading: r, day: math.MinInt64, classes: newClasses()}
	t.put = t.apply
	t.clientCode("")
	for o := range t.orders {
		t.orders[o].table = t
	}
	t.setKeys()
	return t
}

// The orders of a table: one for each Column that a row has itself, and, in the
// places of the two that depend on the clock, those they are composed of.
const (
	byID       = Status      // the order of the rows of one status
	byLateness = OverdueDays // the later due, the earlier; of the overdue rows, by days
	byParty    = OverdueDays + 1
	orders     = OverdueDays + 2
)

func (t *table) setKeys() {
	for c, values := range map[Column]*column[int64]{
		Created: &t.created, Updated: &t.updated, Issue: &t.issue, Due: &t.due, Paid: &t.paid, Total: &t.total,
	} {
		t.orders[c].key = values.at
	}
	t.orders[byID].key = func(n uint32) int64 { return idKey(t.ids.at(n)) }
	t.orders[byLateness].key = func(n uint32) int64 { return -dayOf(t.due.at(n)) }
	t.orders[byParty].key = func(n uint32) int64 { return int64(t.party.at(n)) }
	t.orders[Number].key = func(n uint32) int64 { return textKey(t.numbers.at(n)) }
	t.orders[Number].text = &t.numbers
}

// idKey is the begin of a uid as a number: the instant of its creation.
func idKey(id uid.ID) int64 { return signed(binary.BigEndian.Uint64(id[:8])) }

// textKey is the begin of a text as a number.
func textKey(text []byte) int64 {
	var begin [8]byte
	copy(begin[:], text)
	return signed(binary.BigEndian.Uint64(begin[:]))
}

// signed keeps the order of unsigned numbers, unsigned that of signed ones.
func signed(u uint64) int64   { return int64(u ^ 1<<63) }
func unsigned(n int64) uint64 { return uint64(n) ^ 1<<63 }

// find is the place of the row with that id.
func (t *table) find(id uid.ID) (n uint32, known bool) {
	o := &t.orders[byID]
	at := o.from(&place{key: idKey(id), id: id})
	if at.b == len(o.blocks) {
		return 0, false
	}
	n = o.blocks[at.b].rows[at.i]
	return n, t.ids.at(n) == id
}

func (t *table) row(id uid.ID) (r Row, known bool) {
	n, known := t.find(id)
	if !known {
		return r, false
	}
	c := t.classes.list[t.class.at(n)]
	return Row{
		ID: id, Party: t.parties.values[t.party.at(n)], Number: string(t.numbers.at(n)),
		Client: t.clients.values[t.client.at(n)], Currency: t.currencies.values[c.currency],
		Status: c.stored, Method: c.method,
		Issue: t.issue.at(n), Due: t.due.at(n), Paid: t.paid.at(n),
		Created: t.created.at(n), Updated: t.updated.at(n), Total: t.total.at(n),
	}, true
}

// partyCode is the number of a party, which has no name as long as none is known.
func (t *table) partyCode(id uid.ID) uint32 {
	c := t.parties.code(id)
	if int(c) == t.names.len() {
		t.names.add("")
	}
	return c
}

func (t *table) clientCode(name string) uint32 {
	c := t.clients.code(name)
	if int(c) == t.kept.len() {
		t.kept.add(name)
	}
	return c
}
