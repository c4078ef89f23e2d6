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
	Search     string // part of the number or of the client's name, both folded as input.Fold does

	// A row without the date is in no range of it.
	Issue, Due, Paid Range // Unix seconds
	Total            Range
	OverdueDays      Range
	Updated          Range // Unix milliseconds

	Sort Column
	Desc bool // reverses the order: rows that are equal in Sort go by uid, descending too

	After         *Mark // only rows after it in the order
	Offset, Limit int   // counted from After
	Now           time.Time
}

// Page is what Find found.
type Page struct {
	IDs   []uid.ID // in order; none past the end
	Rows  []Row    // those of IDs, as they matched
	Total int      // rows that match, those before After and on other pages too
	Next  *Mark    // the last row of the page, for Query.After; nil if no row follows it
}

// Mark is a place in an order: that of a row, or where it was. A walk that goes
// on After the last row it has seen meets every row that stays in its place
// exactly once, whatever else comes, moves or goes. A row that moves is met where
// it is when the walk comes by: twice if it moves ahead of the walk, which can
// only be in an order by what has changed. In an order that depends on the clock
// a Mark has the value as it read at the query, and the clock moves rows too.
//
// A caller may keep a Mark in any form; any Mark is a place in any order.
type Mark struct {
	Value int64  // of the column sorted by; of OverdueDays as it read
	Text  string // for Number the number, for Status the name as it read
	ID    uid.ID
}

// Range is an interval with both ends in it. The zero Range is everything.
type Range struct {
	From, To       int64
	HasFrom, HasTo bool
}

func (r Range) isSet() bool { return r.HasFrom || r.HasTo }

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
