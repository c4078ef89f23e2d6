package index

import (
	"time"

	"exante/auth/uid"
)

// Query selects, orders and pages. Zero fields do not filter.
type Query struct {
	Statuses   []uint8 // as they read at Now
	Methods    []uint8
	Parties    []uid.ID
	Currencies []string
	Number     string // exact

	// A row without the date is in no range of it.
	Issue, Due, Paid Range // Unix seconds
	Total            Range
	OverdueDays      Range
	Updated          Range // Unix milliseconds

	Sort Column
	Desc bool // reverses the order: rows that are equal in Sort go by uid, descending too

	Offset, Limit int
	Now           time.Time
}

// Range is an interval with both ends in it. The zero Range is everything.
type Range struct {
	From, To       int64
	HasFrom, HasTo bool
}

func (r Range) isSet() bool { return r.HasFrom || r.HasTo }

func (r Range) has(v int64) bool {
	return (!r.HasFrom || v >= r.From) && (!r.HasTo || v <= r.To)
}

// Column is what rows are sorted by. A missing date or number sorts as the
// smallest value there is.
type Column uint8

// The columns.
const (
	Created Column = iota
	Updated
	Issue
	Due
	Paid
	Number
	Status // by name
	Total
	OverdueDays
)
