package index

import (
	"strings"

	"exante/auth/uid"
)

// Name is what a list knows of one named record, such as a party.
type Name struct {
	ID      uid.ID
	Folded  string // the name in the form in which names are compared and searched
	Created int64  // Unix milliseconds
}

// NameQuery selects, orders and pages names.
type NameQuery struct {
	Contains      string // part of Folded; "": any
	ByName        bool   // else by Created
	Desc          bool   // reverses the order, ties by uid included
	Offset, Limit int
}

// Names holds the named records of all organizations. Its methods are safe for
// concurrent use; Put waits for a query as that of Index does.
type Names struct{ tables shelf[nameTable] }

type nameTable struct {
	follower[Name]
	place map[uid.ID]uint32
	rows  []Name
}

// NewNames returns an empty list.
func NewNames() *Names {
	return &Names{shelf[nameTable]{make: func() *nameTable {
		t := &nameTable{place: map[uid.ID]uint32{}}
		t.put = t.set
		return t
	}}}
}

func (t *nameTable) set(n Name) {
	if at, known := t.place[n.ID]; known {
		t.rows[at] = n
		return
	}
	t.place[n.ID] = uint32(len(t.rows))
	t.rows = append(t.rows, n)
}

// Put adds a name, or replaces the one with its ID.
func (x *Names) Put(org uid.ID, n Name) { x.tables.of(org).follow(n) }

// Get is the name with that id.
func (x *Names) Get(org, id uid.ID) (n Name, known bool) {
	if t := x.tables.find(org); t != nil {
		t.read(func() {
			var at uint32
			if at, known = t.place[id]; known {
				n = t.rows[at]
			}
		})
	}
	return n, known
}

// Len is the number of names of an organization.
func (x *Names) Len(org uid.ID) (n int) {
	if t := x.tables.find(org); t != nil {
		t.read(func() { n = len(t.rows) })
	}
	return n
}

// Find returns the ids of one page of the names that match, and how many match in all.
func (x *Names) Find(org uid.ID, q NameQuery) (page []uid.ID, total int) {
	if t := x.tables.find(org); t != nil {
		t.read(func() { page, total = t.find(q) })
	}
	return page, total
}

func (t *nameTable) find(q NameQuery) ([]uid.ID, int) {
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
