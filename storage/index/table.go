package index

import (
	"iter"
	"math"
	"time"

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
	Status, Method   uint8 // Status as stored
	Issue, Due, Paid int64 // Unix seconds, or None
	Created, Updated int64 // Unix milliseconds
	Total            int64
}

// table is one organization's rows as columns: the n-th element of each belongs
// to the n-th row. Values that repeat are kept once and named by a number.
type table struct {
	follower[change]

	place map[uid.ID]uint32 // row of an id
	ids   []uid.ID

	status, method   []uint8
	party, currency  []uint32
	issue, due, paid []int64
	created, updated []int64
	total            []int64
	number           []string
	client           []uint32 // 0: as the party is called now

	parties    dictionary[uid.ID]
	currencies dictionary[string]
	clients    dictionary[string]
	names      map[uint32]string // of parties, as they are called now, by their code
}

// change is one thing that happens to a table.
type change struct {
	kind uint8
	row  Row
}

const (
	putRow      uint8 = iota
	removeRow         // with row.ID
	renameParty       // row.Party to row.Client
)

func newTable() *table {
	t := &table{place: map[uid.ID]uint32{}, names: map[uint32]string{}}
	t.put = t.apply
	t.clients.code("")
	return t
}

func (t *table) apply(c change) {
	switch c.kind {
	case putRow:
		t.set(c.row)
	case removeRow:
		t.remove(c.row.ID)
	case renameParty:
		t.names[t.parties.code(c.row.Party)] = c.row.Client
	}
}

func (t *table) load(_ time.Time, rows iter.Seq[Row]) {
	for r := range rows {
		t.follow(change{row: r})
	}
}

// remove puts the last row in the place of the one that goes.
func (t *table) remove(id uid.ID) {
	n, known := t.place[id]
	if !known {
		return
	}
	last, _ := t.row(t.ids[len(t.ids)-1])
	delete(t.place, id)
	if last.ID != id {
		t.place[last.ID], t.ids[n] = n, last.ID
		t.set(last)
	}
	t.shrink(len(t.ids) - 1)
}

func (t *table) shrink(n int) {
	t.ids = t.ids[:n]
	t.status, t.method = t.status[:n], t.method[:n]
	t.party, t.currency, t.client = t.party[:n], t.currency[:n], t.client[:n]
	t.issue, t.due, t.paid = t.issue[:n], t.due[:n], t.paid[:n]
	t.created, t.updated = t.created[:n], t.updated[:n]
	t.total, t.number = t.total[:n], t.number[:n]
}

func (t *table) set(r Row) {
	n, known := t.place[r.ID]
	if !known {
		n = uint32(len(t.ids))
		t.place[r.ID] = n
		t.grow(r.ID)
	}
	t.status[n], t.method[n] = r.Status, r.Method
	t.party[n], t.currency[n] = t.parties.code(r.Party), t.currencies.code(r.Currency)
	t.issue[n], t.due[n], t.paid[n] = r.Issue, r.Due, r.Paid
	t.created[n], t.updated[n] = r.Created, r.Updated
	t.total[n], t.number[n], t.client[n] = r.Total, r.Number, t.clients.code(r.Client)
}

func (t *table) grow(id uid.ID) {
	t.ids = append(t.ids, id)
	t.status, t.method = append(t.status, 0), append(t.method, 0)
	t.party, t.currency = append(t.party, 0), append(t.currency, 0)
	t.issue, t.due, t.paid = append(t.issue, 0), append(t.due, 0), append(t.paid, 0)
	t.created, t.updated = append(t.created, 0), append(t.updated, 0)
	t.total, t.number, t.client = append(t.total, 0), append(t.number, ""), append(t.client, 0)
}

func (t *table) row(id uid.ID) (r Row, known bool) {
	n, known := t.place[id]
	if !known {
		return r, false
	}
	return Row{
		ID: id, Party: t.parties.values[t.party[n]], Number: t.number[n],
		Currency: t.currencies.values[t.currency[n]], Status: t.status[n], Method: t.method[n],
		Issue: t.issue[n], Due: t.due[n], Paid: t.paid[n],
		Created: t.created[n], Updated: t.updated[n], Total: t.total[n],
		Client: t.clients.values[t.client[n]],
	}, true
}

// dictionary numbers values in the order of their first appearance.
type dictionary[V comparable] struct {
	codes  map[V]uint32
	values []V
}

func (d *dictionary[V]) code(v V) uint32 {
	if c, known := d.codes[v]; known {
		return c
	}
	if d.codes == nil {
		d.codes = map[V]uint32{}
	}
	c := uint32(len(d.values))
	d.codes[v] = c
	d.values = append(d.values, v)
	return c
}

// set marks the codes of those values that are known.
func (d *dictionary[V]) set(values []V) []bool {
	marked := make([]bool, len(d.values))
	for _, v := range values {
		if c, known := d.codes[v]; known {
			marked[c] = true
		}
	}
	return marked
}
