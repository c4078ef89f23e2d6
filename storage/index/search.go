package index

import (
	"bytes"
	"cmp"
	"strings"
	"time"

	"exante/auth/uid"
	"exante/storage/input"
)

const daySeconds = 24 * 60 * 60

// midnightBefore is the start of t's UTC date in Unix seconds.
func midnightBefore(t time.Time) int64 {
	s := t.Unix()
	return s - ((s%daySeconds)+daySeconds)%daySeconds
}

// search is one query on one table, which stands still meanwhile.
type search struct {
	*reading
	*table
	Query
	today int64 // midnight before Now
}

// reads is the status of a row at Now.
func (s *search) reads(n uint32) uint8 {
	stored, due := s.status[n], s.due[n]
	if s.fallsDue[stored] && due != None && due < s.today {
		return s.overdue
	}
	return stored
}

// overdueDays are the UTC dates from the due date to Now; 0 unless the row reads overdue.
func (s *search) overdueDays(n uint32) int64 {
	if s.reads(n) != s.overdue {
		return 0
	}
	return (s.today - midnightBefore(time.Unix(s.due[n], 0))) / daySeconds
}

// match returns the rows that pass every filter, narrowing column by column.
func (s *search) match() []uint32 {
	rows := make([]uint32, len(s.ids))
	for n := range rows {
		rows[n] = uint32(n)
	}
	if len(s.Statuses) > 0 {
		wanted := codeSet(s.Statuses)
		rows = keep(rows, func(n uint32) bool { return wanted[s.reads(n)] })
	}
	if len(s.Methods) > 0 {
		wanted := codeSet(s.Methods)
		rows = keep(rows, func(n uint32) bool { return wanted[s.method[n]] })
	}
	if len(s.Parties) > 0 {
		wanted := s.parties.set(s.Parties)
		rows = keep(rows, func(n uint32) bool { return wanted[s.party[n]] })
	}
	if len(s.Currencies) > 0 {
		wanted := s.currencies.set(s.Currencies)
		rows = keep(rows, func(n uint32) bool { return wanted[s.currency[n]] })
	}
	if s.Number != "" {
		rows = keep(rows, func(n uint32) bool { return s.number[n] == s.Number })
	}
	if s.Search != "" {
		wanted := input.Fold(s.Search)
		rows = keep(rows, func(n uint32) bool { return s.shows(n, wanted) })
	}
	return s.matchRanges(rows)
}

func (s *search) matchRanges(rows []uint32) []uint32 {
	for _, c := range []struct {
		Range
		column []int64
	}{
		{s.Issue, s.issue}, {s.Due, s.due}, {s.Paid, s.paid}, {s.Total, s.total}, {s.Updated, s.updated},
	} {
		if c.isSet() {
			rows = keep(rows, func(n uint32) bool { return c.column[n] != None && c.has(c.column[n]) })
		}
	}
	if s.OverdueDays.isSet() {
		rows = keep(rows, func(n uint32) bool { return s.OverdueDays.has(s.overdueDays(n)) })
	}
	return rows
}

// keep filters in place.
func keep(rows []uint32, test func(n uint32) bool) []uint32 {
	kept := rows[:0]
	for _, n := range rows {
		if test(n) {
			kept = append(kept, n)
		}
	}
	return kept
}

func codeSet(codes []uint8) *[256]bool {
	var set [256]bool
	for _, c := range codes {
		set[c] = true
	}
	return &set
}

// shows reports whether the row has a folded text in its number or client.
func (s *search) shows(n uint32, folded string) bool {
	client := s.clients.values[s.client[n]]
	if client == "" {
		client = s.names[s.party[n]]
	}
	return strings.Contains(input.Fold(s.number[n]), folded) || strings.Contains(input.Fold(client), folded)
}

// find is the page, and what matches on all of them.
func (s *search) find() Page {
	rows := s.match()
	p := Page{Total: len(rows)}
	if s.After != nil {
		rows = keep(rows, s.isAfter)
	}
	p.IDs = s.page(rows)
	if end := max(s.Offset, 0) + len(p.IDs); len(p.IDs) > 0 && end < len(rows) {
		last := s.mark(s.place[p.IDs[len(p.IDs)-1]])
		p.Next = &last
	}
	return p
}

// mark is the place of a row in the order.
func (s *search) mark(n uint32) Mark {
	m := Mark{ID: s.ids[n]}
	switch s.Sort {
	case Number:
		m.Text = s.number[n]
	case Status:
		m.Text = s.name[s.reads(n)]
	default:
		m.Value = s.key()(n)
	}
	return m
}

// isAfter reports whether a row comes after After.
func (s *search) isAfter(n uint32) bool {
	at := s.mark(n)
	c := cmp.Compare(at.Value, s.After.Value)
	if s.Sort == Number || s.Sort == Status {
		c = strings.Compare(at.Text, s.After.Text)
	}
	c = cmp.Or(c, bytes.Compare(at.ID[:], s.After.ID[:]))
	return c != 0 && (c > 0) != s.Desc
}

// page puts the rows of the asked page in order and names them.
func (s *search) page(rows []uint32) []uid.ID {
	id := func(n uint32) uid.ID { return s.ids[n] }
	if s.Sort == Number {
		return pageOf(rows, s.Offset, s.Limit, s.Desc, id, func(n uint32) string { return s.number[n] })
	}
	return pageOf(rows, s.Offset, s.Limit, s.Desc, id, s.key())
}

// key is the value of a row in the column that is sorted by.
func (s *search) key() func(n uint32) int64 {
	column := s.created
	switch s.Sort {
	case Updated:
		column = s.updated
	case Issue:
		column = s.issue
	case Due:
		column = s.due
	case Paid:
		column = s.paid
	case Total:
		column = s.total
	case Status:
		return func(n uint32) int64 { return int64(s.rank[s.reads(n)]) }
	case OverdueDays:
		return s.overdueDays
	}
	return func(n uint32) int64 { return column[n] }
}
