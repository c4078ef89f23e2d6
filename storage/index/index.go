package index

import (
	"iter"
	"sync"
	"time"

	"exante/auth/uid"
)

// Rule is what the index must know of statuses to read them at an instant.
type Rule struct {
	Overdue  uint8            // how a row reads that has fallen due
	FallsDue func(uint8) bool // stored statuses that read Overdue on the UTC dates after the due date
	Name     func(uint8) string
}

// Index holds the invoices of all organizations. Its methods are safe for
// concurrent use. Put, Remove and Rename do not wait for queries, but for one that
// is thousands of changes behind; only one goroutine at a time may call them for
// one organization.
type Index struct {
	reading
	tables shelf[table]
}

// reading is Rule, prepared.
type reading struct {
	fallsDue [256]bool
	overdue  uint8
	name     [256]string
	rank     [256]uint8 // order of a status by name

	blockRows int // a block of an order has no more
}

// blockRows is so small that a block is looked through in a microsecond, and so
// large that a million rows are few blocks.
const blockRows = 512

// New returns an empty index.
func New(rule Rule) *Index {
	x := &Index{reading: reading{overdue: rule.Overdue, blockRows: blockRows}}
	for s := range 256 {
		x.fallsDue[s], x.name[s] = rule.FallsDue(uint8(s)), rule.Name(uint8(s))
		for other := range 256 {
			if rule.Name(uint8(other)) < x.name[s] {
				x.rank[s]++
			}
		}
	}
	x.tables.make = func() *table { return newTable(&x.reading) }
	return x
}

// Put adds a row, or replaces the one with its ID.
func (x *Index) Put(org uid.ID, r Row) { x.tables.of(org).follow(change{kind: putRow, row: r}) }

// Remove takes a row away, if it is there.
func (x *Index) Remove(org, id uid.ID) {
	x.tables.of(org).follow(change{kind: removeRow, row: Row{ID: id}})
}

// Rename says what the party is called now, for the rows that follow it: those
// without a Client of their own. It may come before the first such row.
func (x *Index) Rename(org, party uid.ID, name string) {
	x.tables.of(org).follow(change{kind: renameParty, row: Row{Party: party, Client: name}})
}

// Load does what Put of each row would do, faster by far for very many. now
// should be the time of the first queries. A query that comes meanwhile waits.
func (x *Index) Load(org uid.ID, now time.Time, rows iter.Seq[Row]) {
	x.tables.of(org).load(now, rows)
}

// Row is the row with that id.
func (x *Index) Row(org, id uid.ID) (r Row, known bool) {
	if t := x.tables.find(org); t != nil {
		t.read(func() { r, known = t.row(id) })
	}
	return r, known
}

// Len is the number of rows of an organization.
func (x *Index) Len(org uid.ID) (n int) {
	if t := x.tables.find(org); t != nil {
		t.read(func() { n = t.rows })
	}
	return n
}

// Find is one page of the rows that match, and how many match in all.
func (x *Index) Find(org uid.ID, q Query) (p Page) {
	x.asOf(org, q.Now, func(t *table) { p = t.page(&q) })
	return p
}

// All is the ids of all rows that match, in order, from After on. It ignores
// Offset and Limit. The ids are a copy: what is done with them holds nobody up.
func (x *Index) All(org uid.ID, q Query) (ids []uid.ID) {
	x.asOf(org, q.Now, func(t *table) { ids = t.all(&q) })
	return ids
}

// Sums says how many invoices there are and of how much in each status, as they
// read at now, and currency; in no order, and none without an invoice.
func (x *Index) Sums(org uid.ID, now time.Time) (sums []Sum) {
	x.asOf(org, now, func(t *table) { sums = t.sums() })
	return sums
}

// Spans says what the rows of an organization have in their columns at now.
func (x *Index) Spans(org uid.ID, now time.Time) (spans Spans) {
	x.asOf(org, now, func(t *table) { spans = t.spans() })
	return spans
}

// asOf calls fn on the organization's rows as they read at now, if it has any.
func (x *Index) asOf(org uid.ID, now time.Time, fn func(*table)) {
	if t := x.tables.find(org); t != nil {
		t.asOf(midnightBefore(now), func() { fn(t) })
	}
}

// shelf has one T for each organization that has any rows.
type shelf[T any] struct {
	make func() *T

	mu   sync.RWMutex
	orgs map[uid.ID]*T
}

// find is the organization's T, nil if it has none.
func (s *shelf[T]) find(org uid.ID) *T {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.orgs[org]
}

// of is the organization's T, a new one if it has none.
func (s *shelf[T]) of(org uid.ID) *T {
	if t := s.find(org); t != nil {
		return t
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.orgs == nil {
		s.orgs = map[uid.ID]*T{}
	}
	if s.orgs[org] == nil {
		s.orgs[org] = s.make()
	}
	return s.orgs[org]
}
