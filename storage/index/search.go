package index

import (
	"time"

	"exante/auth/uid"
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
	if stored := s.status[n]; !s.fallsDue[stored] || s.due[n] >= s.today {
		return stored
	}
	return s.overdue
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
