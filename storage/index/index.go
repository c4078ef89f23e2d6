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
// concurrent use.
type Index struct {
	fallsDue [256]bool
	overdue  uint8
	rank     [256]uint8 // order of a status by name

	mu   sync.RWMutex
	orgs map[uid.ID]*table
}

// New returns an empty index.
func New(rule Rule) *Index {
	x := &Index{overdue: rule.Overdue, orgs: map[uid.ID]*table{}}
	for s := range 256 {
		x.fallsDue[s] = rule.FallsDue(uint8(s))
		for other := range 256 {
			if rule.Name(uint8(other)) < rule.Name(uint8(s)) {
				x.rank[s]++
			}
		}
	}
	return x
}

// Put adds a row, or replaces the one with its ID.
func (x *Index) Put(org uid.ID, r Row) {
	t := x.table(org)
	if t == nil {
		x.mu.Lock()
		if t = x.orgs[org]; t == nil {
			t = newTable()
			x.orgs[org] = t
		}
		x.mu.Unlock()
	}
	t.mu.Lock()
	t.put(&r)
	t.mu.Unlock()
}

// Row is the row with that id.
func (x *Index) Row(org, id uid.ID) (Row, bool) {
	t := x.table(org)
	if t == nil {
		return Row{}, false
	}
	t.mu.RLock()
	defer t.mu.RUnlock()
	n, known := t.place[id]
	if !known {
		return Row{}, false
	}
	return t.row(n), true
}

// Len is the number of rows of an organization.
func (x *Index) Len(org uid.ID) int {
	t := x.table(org)
	if t == nil {
		return 0
	}
	t.mu.RLock()
	defer t.mu.RUnlock()
	return len(t.ids)
}

// Find returns the ids of one page of the rows that match, and how many match in
// all. A page past the end is empty.
func (x *Index) Find(org uid.ID, q Query) (page []uid.ID, total int) {
	t := x.table(org)
	if t == nil {
		return nil, 0
	}
	t.mu.RLock()
	defer t.mu.RUnlock()
	s := search{Index: x, table: t, Query: q, today: midnightBefore(q.Now)}
	rows := s.match()
	return s.page(rows), len(rows)
}

func (x *Index) table(org uid.ID) *table {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.orgs[org]
}
