package index

import (
	"math/big"
	"math/bits"
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

func (s *Span) add(v int64) {
	if v == None {
		return
	}
	if !s.Any {
		*s = Span{v, v, true}
	}
	s.Min, s.Max = min(s.Min, v), max(s.Max, v)
}

func (s *search) sums() []Sum {
	type kind struct {
		status uint8
		code   uint32
	}
	place := map[kind]int{}
	var sums []Sum
	for n := range uint32(len(s.ids)) {
		k := kind{s.reads(n), s.currency[n]}
		at, known := place[k]
		if !known {
			at = len(sums)
			place[k] = at
			sums = append(sums, Sum{Status: k.status, Currency: s.currencies.values[k.code]})
		}
		sums[at].Count++
		sums[at].Total = sums[at].Total.Add(s.total[n])
	}
	return sums
}

func (s *search) spans() (spans Spans) {
	var statuses, methods [256]bool
	for n := range uint32(len(s.ids)) {
		statuses[s.reads(n)], methods[s.method[n]] = true, true
		spans.Issue.add(s.issue[n])
		spans.Due.add(s.due[n])
		spans.Paid.add(s.paid[n])
		spans.Total.add(s.total[n])
		spans.OverdueDays.add(s.overdueDays(n))
	}
	spans.Statuses, spans.Methods = present(&statuses), present(&methods)
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
