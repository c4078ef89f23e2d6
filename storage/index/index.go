package index

import (
	"sync"

	"exante/auth/uid"
)

// Rule is what the index must know of statuses to read them at an instant.
type Rule struct {
	Overdue  uint8            // how a row reads that has fallen due
	FallsDue func(uint8) bool // stored statuses that read Overdue on the UTC dates after the due date
	Name     func(uint8) string
}

// Index holds the invoices of all organizations. Its methods are safe for
// concurrent use, and Put never waits for a query.
type Index struct {
	reading
	tables shelf[table]
}

// reading is Rule, prepared.
type reading struct {
	fallsDue [256]bool
	overdue  uint8
	rank     [256]uint8 // order of a status by name
}

// New returns an empty index.
func New(rule Rule) *Index {
	x := &Index{reading: reading{overdue: rule.Overdue}}
	for s := range 256 {
		x.fallsDue[s] = rule.FallsDue(uint8(s))
		for other := range 256 {
			if rule.Name(uint8(other)) < rule.Name(uint8(s)) {
				x.rank[s]++
			}
		}
	}
	x.tables.make = newTable
	return x
}

// Put adds a row, or replaces the one with its ID.
func (x *Index) Put(org uid.ID, r Row) { x.tables.of(org).follow(r) }

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
		t.read(func() { n = len(t.ids) })
	}
	return n
}

// Find returns the ids of one page of the rows that match, and how many match in
// all. A page past the end is empty.
func (x *Index) Find(org uid.ID, q Query) (page []uid.ID, total int) {
	if t := x.tables.find(org); t != nil {
		t.read(func() {
			s := search{reading: &x.reading, table: t, Query: q, today: midnightBefore(q.Now)}
			rows := s.match()
			page, total = s.page(rows), len(rows)
		})
	}
	return page, total
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
