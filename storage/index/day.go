package index

import (
	"slices"
	"time"
)

const daySeconds = 24 * 60 * 60

// dayOf is the UTC date of a Unix time, in days.
func dayOf(seconds int64) int64 {
	day := seconds / daySeconds
	if seconds%daySeconds < 0 {
		day--
	}
	return day
}

// midnightBefore is the start of t's UTC date in Unix seconds.
func midnightBefore(t time.Time) int64 { return dayOf(t.Unix()) * daySeconds }

// reads is a status at the table's day.
func (t *table) reads(stored uint8, due int64) uint8 {
	if t.fallsDue[stored] && due != None && due < t.day {
		return t.overdue
	}
	return stored
}

// asOf runs fn on rows that read as they do on a day. A day is set once: the
// first query of a day waits until the rows are as it needs them.
func (t *table) asOf(day int64, fn func()) {
	t.readAs(func() bool { return t.day == day }, func() { t.setDay(day) }, fn)
}

// setDay has all rows read as they do on a day: those that were due between the
// day that was and this one read differently.
func (t *table) setDay(day int64) {
	due := &t.orders[Due]
	earlier, later := due.from(&place{key: max(min(day, t.day), None+1)}), due.from(&place{key: max(day, t.day)})
	t.day = day
	t.changes++
	var turned []uint32
	due.pieces(run{earlier, later}, func(rows []uint32) { turned = append(turned, rows...) })
	turned = slices.DeleteFunc(turned, func(n uint32) bool { return !t.fallsDue[t.classes.list[t.class.at(n)].stored] })
	all := len(turned) > t.rows/256 // one by one would be slower
	for _, n := range turned {
		t.turn(n, !all)
	}
	if !all {
		return
	}
	counted := t.countedRows()
	for o := range t.orders {
		for _, b := range t.orders[o].blocks {
			b.recountFrom(counted)
		}
	}
}

// turn has a row read as it does on the day that is, with or without its blocks.
func (t *table) turn(n uint32, blocks bool) {
	was := t.class.at(n)
	c := t.classes.list[was]
	c.reads = t.reads(c.stored, t.due.at(n))
	code := t.classes.code(c)
	t.classes.drop(was, t.total.at(n))
	t.classes.add(code, t.total.at(n))
	for o := 0; o < len(t.orders) && blocks; o++ {
		b := t.orders[o].blockOf(n)
		b.counts[slotOf(was)]--
		b.countClass(code)
	}
	t.class.set(n, code)
}
