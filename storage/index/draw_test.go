package index_test

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"pgregory.net/rapid"

	"exante/auth/uid"
	"exante/storage/index"
)

func numbered(n uint64) (id uid.ID) {
	binary.BigEndian.PutUint64(id[8:], n)
	return id
}

// drawRow has few values a column, so that rows tie and filters match.
func drawRow(t *rapid.T, id uid.ID) index.Row {
	within := func(name string, n int64) int64 { return rapid.Int64Range(-n, n).Draw(t, name) }
	r := index.Row{
		ID: id, Party: numbered(rapid.Uint64Range(1, 4).Draw(t, "party")),
		Number:   rapid.SampledFrom([]string{"", "A", "B", "b", "É", "INV-1", "INV-10"}).Draw(t, "number"),
		Currency: rapid.SampledFrom([]string{"USD", "EUR", "JPY"}).Draw(t, "currency"),
		Status:   rapid.SampledFrom([]uint8{draft, sent, part, paid}).Draw(t, "status"),
		Method:   uint8(rapid.IntRange(1, 2).Draw(t, "method")),
		Issue:    start.Unix() + 3600*within("issue", 50), Due: start.Unix() + 3600*within("due", 200), Paid: index.None,
		Created: start.UnixMilli() + within("created", 3), Updated: start.UnixMilli() + within("updated", 20),
		Total:  rapid.OneOf(rapid.Int64Range(-10, 10), rapid.SampledFrom([]int64{math.MaxInt64, math.MinInt64 + 1})).Draw(t, "total"),
		Client: rapid.SampledFrom([]string{"", "", "Ačme", "ACME B", "b"}).Draw(t, "client"),
	}
	if rapid.IntRange(0, 9).Draw(t, "no dates?") == 0 {
		r.Issue, r.Due = index.None, index.None
	}
	if r.Status == paid {
		r.Paid = start.Unix() + 3600*within("paid", 50)
	}
	return r
}

// randomRow is like drawRow, for when there are to be thousands.
func randomRow(random *rand.Rand, id uid.ID) index.Row {
	within := func(n int64) int64 { return random.Int64N(2*n+1) - n }
	r := index.Row{
		ID: id, Party: numbered(1 + random.Uint64N(12)), Currency: []string{"USD", "EUR", "JPY"}[random.IntN(3)],
		Status: []uint8{draft, sent, part, paid}[random.IntN(4)], Method: uint8(1 + random.IntN(2)),
		Issue: start.Unix() + 3600*within(50), Due: start.Unix() + 3600*within(200), Paid: index.None,
		Created: start.UnixMilli() + within(1000), Updated: start.UnixMilli() + within(20), Total: within(12),
		Number: randomNumber(random, id),
		Client: []string{"", "", "Ačme", "ACME B", "b"}[random.IntN(5)],
	}
	if r.Status == paid {
		r.Paid = start.Unix() + 3600*within(50)
	}
	return r
}

// randomNumber has letters beyond ASCII in some parts of a table only.
func randomNumber(random *rand.Rand, id uid.ID) string {
	switch form := random.IntN(10); {
	case form == 0:
		return ""
	case form < 4 && id[14] >= 8:
		return fmt.Sprintf("É%d", random.IntN(1000))
	case form < 6:
		return fmt.Sprintf("Inv-1 %d", random.IntN(1000))
	}
	return fmt.Sprintf("INV-10-%09d", random.IntN(1000))
}

func drawRange(t *rapid.T, name string, middle, step, n int64) index.Range {
	end := func(which string) (int64, bool) {
		return middle + step*rapid.Int64Range(-n, n).Draw(t, name+which), rapid.IntRange(0, 3).Draw(t, name+which+"?") == 0
	}
	var r index.Range
	r.From, r.HasFrom = end(" from")
	r.To, r.HasTo = end(" to")
	return r
}

func drawQuery(t *rapid.T) index.Query {
	some := func(name string, from ...uint8) []uint8 {
		if rapid.IntRange(0, 2).Draw(t, name+"?") > 0 {
			return nil
		}
		return rapid.SliceOfN(rapid.SampledFrom(from), 1, 3).Draw(t, name)
	}
	q := index.Query{
		Statuses: some("statuses", draft, sent, overdue, part, paid, 77), Methods: some("methods", 1, 2, 3),
		Issue: drawRange(t, "issue", start.Unix(), 3600, 50), Due: drawRange(t, "due", start.Unix(), 3600, 200),
		Paid: drawRange(t, "paid", start.Unix(), 3600, 50), Total: drawRange(t, "total", 0, 1, 11),
		OverdueDays: drawRange(t, "overdue", 4, 1, 5), Updated: drawRange(t, "updated", start.UnixMilli(), 1, 21),
		Sort: index.Column(rapid.IntRange(0, int(index.OverdueDays)).Draw(t, "sort")), Desc: rapid.Bool().Draw(t, "desc"),
		Offset: rapid.IntRange(0, 150).Draw(t, "offset"), Limit: rapid.IntRange(0, 100).Draw(t, "limit"),
		Now: start.Add(time.Duration(rapid.IntRange(-300, 300).Draw(t, "hours")) * time.Hour),
	}
	for _, p := range some("parties", 1, 2, 9, 99) {
		q.Parties = append(q.Parties, numbered(uint64(p)))
	}
	for range some("currencies", 1, 2) {
		q.Currencies = append(q.Currencies, rapid.SampledFrom([]string{"EUR", "JPY", "XOF"}).Draw(t, "currency"))
	}
	if rapid.IntRange(0, 3).Draw(t, "search?") == 0 {
		q.Search = rapid.SampledFrom([]string{"B", "é", "inv-1", "v-10", "acme", "AČ", "e b", "none", "me\x00", "1inv"}).Draw(t, "search")
	}
	if rapid.IntRange(0, 3).Draw(t, "after?") == 0 {
		q.After = drawMark(t)
	}
	if rapid.IntRange(0, 4).Draw(t, "number?") == 0 {
		q.Number = rapid.SampledFrom([]string{"A", "INV-1", "none"}).Draw(t, "number")
	}
	return q
}

// drawMark is some place, near those of drawRow or far from all.
func drawMark(t *rapid.T) *index.Mark {
	near := rapid.SampledFrom([]int64{0, 1, start.Unix(), start.UnixMilli(), math.MinInt64, math.MaxInt64})
	return &index.Mark{
		Value: near.Draw(t, "near") + 3600*rapid.Int64Range(-50, 50).Draw(t, "value"),
		Text:  rapid.SampledFrom([]string{"", "A", "INV-1", "INV-2", "PAID", "OVERDUE", "DRAGON", "~"}).Draw(t, "text"),
		ID:    numbered(rapid.Uint64Range(0, 201).Draw(t, "mark")),
	}
}
