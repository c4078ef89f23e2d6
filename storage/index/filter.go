package index

import (
	"math"
	"slices"

	"exante/auth/uid"
	"exante/storage/input"
)

// filter is a query's conditions in the terms of a table.
type filter struct {
	*table
	never   bool // nothing matches
	set     classSet
	bounds  []bound
	parties []uint32 // codes, ascending; nil: any
	number  string
	late    int64 // a row that reads overdue must not be due before
	search  *textSearch
}

// bound is a range that the values of a column must lie in. Rows in it lie
// together in an order, from the key first to the key last.
type bound struct {
	zone        int // of the column in a block
	column      *column[int64]
	lo, hi      int64
	order       *order
	first, last int64
}

func (t *table) filter(q *Query) *filter {
	f := &filter{table: t, number: q.Number, late: None}
	f.bound(0, &t.issue, Issue, q.Issue)
	f.bound(1, &t.due, Due, q.Due)
	f.bound(2, &t.paid, Paid, q.Paid)
	f.bound(3, &t.total, Total, q.Total)
	f.bound(4, &t.updated, Updated, q.Updated)
	f.takeParties(q.Parties)
	f.set = f.takeClasses(q, f.takeOverdueDays(q.OverdueDays))
	f.never = f.never || f.set.rows == 0
	if text := input.Fold(q.Search); text != "" && !f.never {
		f.search = t.searchNames([]byte(text))
	}
	return f
}

// bound takes a range of a column; no row is in it whose value is None.
func (f *filter) bound(zone int, values *column[int64], c Column, r Range) {
	if !r.isSet() {
		return
	}
	b := bound{zone: zone, column: values, lo: None + 1, hi: math.MaxInt64, order: &f.orders[c]}
	if r.HasFrom {
		b.lo = max(b.lo, r.From)
	}
	if r.HasTo {
		b.hi = r.To
	}
	b.first, b.last = b.lo, b.hi
	f.bounds = append(f.bounds, b)
	f.never = f.never || b.lo > b.hi
}

// lateRule is what a range of overdue days says of a row by how it reads.
type lateRule struct{ overdue, others bool }

// takeOverdueDays turns a range of days into one of due dates. Only rows that
// read overdue have days; all others have 0.
func (f *filter) takeOverdueDays(r Range) lateRule {
	const far = math.MaxInt64/daySeconds - 2 // more days than there are seconds for
	from, to := int64(0), int64(math.MaxInt64)
	if r.HasFrom {
		from = max(r.From, 0)
	}
	if r.HasTo {
		to = r.To
	}
	today := f.day / daySeconds
	latest, earliest := max(today-min(from, far), -far), max(today-min(max(to, 0), far), -far)
	switch {
	case from > to:
		return lateRule{}
	case from > 0:
		b := bound{
			zone: 1, column: &f.due, lo: earliest * daySeconds, hi: (latest+1)*daySeconds - 1,
			order: &f.orders[byLateness], first: -latest, last: -earliest,
		}
		if !r.HasTo {
			b.lo, b.last = None+1, math.MaxInt64
		}
		f.bounds = append(f.bounds, b)
		return lateRule{overdue: true}
	case to == 0:
		return lateRule{others: true}
	case r.HasTo:
		f.late = earliest * daySeconds
	}
	return lateRule{true, true}
}

func (f *filter) takeParties(ids []uid.ID) {
	for _, id := range ids {
		if code, known := f.table.parties.codes[id]; known {
			f.parties = append(f.parties, code)
		}
	}
	slices.Sort(f.parties)
	f.parties = slices.Compact(f.parties)
	f.never = f.never || len(ids) > 0 && len(f.parties) == 0
}

func (f *filter) takeClasses(q *Query, late lateRule) classSet {
	var currencies []uint32
	for _, c := range q.Currencies {
		if code, known := f.currencies.codes[c]; known {
			currencies = append(currencies, code)
		}
	}
	return f.classes.set(func(_ uint16, c class) bool {
		if c.reads == f.overdue && !late.overdue || c.reads != f.overdue && !late.others {
			return false
		}
		return (len(q.Statuses) == 0 || slices.Contains(q.Statuses, c.reads)) &&
			(len(q.Methods) == 0 || slices.Contains(q.Methods, c.method)) &&
			(len(q.Currencies) == 0 || slices.Contains(currencies, c.currency))
	})
}

// rest is how many conditions there are beyond the class.
func (f *filter) rest() int {
	return len(f.bounds) + int(bit(f.parties != nil)+bit(f.number != "")+bit(f.late != None)+bit(f.search != nil))
}

// passes reports whether a row of a class in the set meets all the rest.
func (f *filter) passes(n uint32) bool {
	for i := range f.bounds {
		if v := f.bounds[i].column.at(n); v < f.bounds[i].lo || v > f.bounds[i].hi {
			return false
		}
	}
	return f.passesParty(n) && f.passesLate(n) && (f.number == "" || string(f.numbers.at(n)) == f.number) &&
		(f.search == nil || f.search.shows(n))
}

func (f *filter) passesParty(n uint32) bool {
	if len(f.parties) == 1 {
		return f.party.at(n) == f.parties[0]
	}
	if f.parties == nil {
		return true
	}
	_, found := slices.BinarySearch(f.parties, f.party.at(n))
	return found
}

func (f *filter) passesLate(n uint32) bool {
	return f.late == None || f.due.at(n) >= f.late || f.classes.list[f.class.at(n)].reads != f.overdue
}
