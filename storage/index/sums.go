package index

import (
	"math/big"
	"math/bits"

	"exante/auth/uid"
)

// Sum is what the invoices of one status and currency come to.
type Sum struct {
	Status   uint8 // as it reads
	Currency string
	Count    int
	Total    Amount
}

// Amount is a sum of int64 that does not overflow: 128 bits in two's complement,
// enough for 2^64 summands.
type Amount struct {
	High int64
	Low  uint64
}

// Add is a + n.
func (a Amount) Add(n int64) Amount {
	low, carry := bits.Add64(a.Low, uint64(n), 0)
	high, _ := bits.Add64(uint64(a.High), uint64(n>>63), carry)
	return Amount{int64(high), low}
}

// Plus is a + b.
func (a Amount) Plus(b Amount) Amount {
	low, carry := bits.Add64(a.Low, b.Low, 0)
	high, _ := bits.Add64(uint64(a.High), uint64(b.High), carry)
	return Amount{int64(high), low}
}

func (a Amount) sub(n int64) Amount {
	low, borrow := bits.Sub64(a.Low, uint64(n), 0)
	high, _ := bits.Sub64(uint64(a.High), uint64(n>>63), borrow)
	return Amount{int64(high), low}
}

// Int64 is a, if it fits.
func (a Amount) Int64() (n int64, fits bool) { return int64(a.Low), a.High == int64(a.Low)>>63 }

// Big is a as an integer without bounds.
func (a Amount) Big() *big.Int {
	n := new(big.Int).Lsh(big.NewInt(a.High), 64)
	return n.Add(n, new(big.Int).SetUint64(a.Low))
}

// String is a in decimal.
func (a Amount) String() string { return a.Big().String() }

// Spans is what there is in the columns of an organization's rows.
type Spans struct {
	Statuses []uint8 // as they read, ascending
	Methods  []uint8 // ascending

	Issue, Due, Paid Span // Unix seconds, of the rows that have the date
	Total            Span
	OverdueDays      Span // 0 of the rows that are not overdue
}

// Span is the smallest and the largest value; Any is false if there is none.
type Span struct {
	Min, Max int64
	Any      bool
}

// sums adds up the classes that read alike.
func (t *table) sums() (sums []Sum) {
	type kind struct {
		reads    uint8
		currency uint32
	}
	place := map[kind]int{}
	for code, c := range t.classes.list {
		if t.classes.counts[code] == 0 {
			continue
		}
		at, known := place[kind{c.reads, c.currency}]
		if !known {
			at = len(sums)
			place[kind{c.reads, c.currency}] = at
			sums = append(sums, Sum{Status: c.reads, Currency: t.currencies.values[c.currency]})
		}
		sums[at].Count += t.classes.counts[code]
		sums[at].Total = sums[at].Total.Plus(t.classes.sums[code])
	}
	return sums
}

// spans reads the ends of the orders.
func (t *table) spans() (spans Spans) {
	var statuses, methods [256]bool
	for code, c := range t.classes.list {
		if t.classes.counts[code] > 0 {
			statuses[c.reads], methods[c.method] = true, true
		}
	}
	spans.Statuses, spans.Methods = present(&statuses), present(&methods)
	spans.Issue, spans.Due, spans.Paid, spans.Total = t.span(Issue), t.span(Due), t.span(Paid), t.span(Total)
	spans.OverdueDays = t.spanOfDays()
	return spans
}

func present(set *[256]bool) (codes []uint8) {
	for c, has := range set {
		if has {
			codes = append(codes, uint8(c))
		}
	}
	return codes
}

func (t *table) span(c Column) Span {
	m, q := t.filter(&Query{}).match(), &Query{Sort: c, After: &Mark{Value: None, ID: lastID}}
	return m.span(q)
}

func (t *table) spanOfDays() Span {
	return t.filter(&Query{}).match().span(&Query{Sort: OverdueDays})
}

// span is from the first to the last value in the order of q.
func (m *match) span(q *Query) Span {
	ends := func(desc bool) []uid.ID {
		w := walk{match: m, desc: desc, want: 1, allowance: anyNumber}
		w.over(m.segments(q))
		return w.ids
	}
	first, last := ends(false), ends(true)
	if len(first) == 0 {
		return Span{}
	}
	lowest, _ := m.find(first[0])
	highest, _ := m.find(last[0])
	key := m.key(q.Sort)
	return Span{key(lowest), key(highest), true}
}
