package index

import (
	"strings"
	"sync"

	"exante/auth/uid"
)

// Names holds the named records (parties) of all organizations. Its methods are
// safe for concurrent use.
type Names struct {
	mu   sync.RWMutex
	orgs map[uid.ID]*nameTable
}

type nameTable struct {
	place map[uid.ID]uint32
	rows  []Name
}

// Name is what a list knows of one named record.
type Name struct {
	ID      uid.ID
	Folded  string // the name in the form in which names are compared and searched
	Created int64  // Unix milliseconds
}

// NameQuery selects, orders and pages names.
type NameQuery struct {
	Contains      string // part of Folded; "": any
	ByName        bool   // else by Created
	Desc          bool   // reverses the order, but for ties, which stay by uid ascending
	Offset, Limit int
}

// NewNames returns an empty list.
func NewNames() *Names { return &Names{orgs: map[uid.ID]*nameTable{}} }

// Put adds a name, or replaces the one with its ID.
func (x *Names) Put(org uid.ID, n Name) {
	x.mu.Lock()
	defer x.mu.Unlock()
	t := x.orgs[org]
	if t == nil {
		t = &nameTable{place: map[uid.ID]uint32{}}
		x.orgs[org] = t
	}
	if at, known := t.place[n.ID]; known {
		t.rows[at] = n
		return
	}
	t.place[n.ID] = uint32(len(t.rows))
	t.rows = append(t.rows, n)
}

// Get is the name with that id.
func (x *Names) Get(org, id uid.ID) (Name, bool) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	t := x.orgs[org]
	if t == nil {
		return Name{}, false
	}
	at, known := t.place[id]
	if !known {
		return Name{}, false
	}
	return t.rows[at], true
}

// Len is the number of names of an organization.
func (x *Names) Len(org uid.ID) int {
	x.mu.RLock()
	defer x.mu.RUnlock()
	if t := x.orgs[org]; t != nil {
		return len(t.rows)
	}
	return 0
}

// Find returns the ids of one page of the names that match, and how many match in all.
func (x *Names) Find(org uid.ID, q NameQuery) (page []uid.ID, total int) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	t := x.orgs[org]
	if t == nil {
		return nil, 0
	}
	rows := make([]uint32, 0, len(t.rows))
	for at := range t.rows {
		if strings.Contains(t.rows[at].Folded, q.Contains) {
			rows = append(rows, uint32(at))
		}
	}
	id := func(at uint32) uid.ID { return t.rows[at].ID }
	if q.ByName {
		return pageOf(rows, q.Offset, q.Limit, q.Desc, id, func(at uint32) string { return t.rows[at].Folded }), len(rows)
	}
	return pageOf(rows, q.Offset, q.Limit, q.Desc, id, func(at uint32) int64 { return t.rows[at].Created }), len(rows)
}
