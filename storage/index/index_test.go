package index_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"exante/auth/uid"
	"exante/storage/index"
)

var start = time.Date(2026, 11, 23, 9, 30, 0, 0, time.UTC)

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
		Total: within("total", 10),
	}
	if r.Status == paid {
		r.Paid = start.Unix() + 3600*within("paid", 50)
	}
	return r
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
	for _, p := range some("parties", 1, 2, 9) {
		q.Parties = append(q.Parties, numbered(uint64(p)))
	}
	for range some("currencies", 1, 2) {
		q.Currencies = append(q.Currencies, rapid.SampledFrom([]string{"EUR", "JPY", "XOF"}).Draw(t, "currency"))
	}
	if rapid.IntRange(0, 4).Draw(t, "number?") == 0 {
		q.Number = rapid.SampledFrom([]string{"A", "INV-1", "none"}).Draw(t, "number")
	}
	return q
}

func TestIndexAnswersLikeTheReference(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x, slow, org := index.New(rule()), reference{}, numbered(1)
		for range rapid.IntRange(0, 250).Draw(t, "puts") {
			r := drawRow(t, numbered(rapid.Uint64Range(1, 200).Draw(t, "id")))
			x.Put(org, r)
			slow[r.ID] = r
		}
		if x.Len(org) != len(slow) {
			t.Fatalf("Len = %d, want %d", x.Len(org), len(slow))
		}
		for id, want := range slow {
			if got, ok := x.Row(org, id); !ok || got != want {
				t.Fatalf("Row = %+v, %v, want %+v", got, ok, want)
			}
		}
		for range 5 {
			q := drawQuery(t)
			page, total := x.Find(org, q)
			wantPage, wantTotal := slow.find(q)
			if total != wantTotal || !slices.Equal(page, wantPage) {
				t.Fatalf("%+v\nfinds %v of %d\nwant  %v of %d", q, page, total, wantPage, wantTotal)
			}
		}
	})
}

// Large enough for the selection to partition many times over.
func TestEveryPageOfALargeListIsThatOfAFullSort(t *testing.T) {
	x, slow, org := index.New(rule()), reference{}, numbered(1)
	random := rand.New(rand.NewPCG(1, 2))
	const rows = 5000
	for n := range uint64(rows) {
		r := index.Row{ID: numbered(n), Status: draft, Created: int64(n), Updated: -int64(n), Issue: 7,
			Due: int64(random.IntN(9)), Total: random.Int64(), Number: fmt.Sprint(random.IntN(rows))}
		x.Put(org, r)
		slow[r.ID] = r
	}
	for c := index.Created; c <= index.OverdueDays; c++ {
		for _, desc := range []bool{false, true} {
			all, _ := slow.find(index.Query{Sort: c, Desc: desc, Limit: rows, Now: start})
			for _, window := range [][2]int{{0, rows}, {0, 1}, {0, 25}, {2500, 100}, {4975, 25}, {4999, 1}, {4990, 100}, {5000, 10}, {9999, 1}} {
				got, total := x.Find(org, index.Query{Sort: c, Desc: desc, Offset: window[0], Limit: window[1], Now: start})
				from, to := min(window[0], rows), min(window[0]+window[1], rows)
				if !slices.Equal(got, all[from:to]) || total != rows {
					t.Fatalf("column %d desc %v window %v is not that of the full sort", c, desc, window)
				}
			}
		}
	}
}

func TestOrganizationsShareNoRows(t *testing.T) {
	x := index.New(rule())
	x.Put(numbered(1), index.Row{ID: numbered(7), Status: draft, Party: numbered(3)})
	x.Put(numbered(2), index.Row{ID: numbered(8), Status: draft, Party: numbered(4)})
	page, total := x.Find(numbered(1), index.Query{Limit: 10, Now: start})
	if total != 1 || len(page) != 1 || page[0] != numbered(7) {
		t.Errorf("found %v of %d, want the organization's own row", page, total)
	}
	if _, total := x.Find(numbered(1), index.Query{Parties: []uid.ID{numbered(4)}, Limit: 10, Now: start}); total != 0 {
		t.Errorf("found %d rows by a foreign party, want none", total)
	}
	if page, total := x.Find(numbered(3), index.Query{Limit: 10, Now: start}); total != 0 || page != nil {
		t.Errorf("an unknown organization has %v of %d, want nothing", page, total)
	}
	if _, ok := x.Row(numbered(1), numbered(8)); ok {
		t.Error("a foreign row was found by its id")
	}
	if _, ok := x.Row(numbered(3), numbered(8)); ok || x.Len(numbered(3)) != 0 {
		t.Error("an unknown organization has rows")
	}
}

func TestNamesAnswerLikeAFullSort(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x, slow, org := index.NewNames(), map[uid.ID]index.Name{}, numbered(1)
		for range rapid.IntRange(0, 100).Draw(t, "puts") {
			n := index.Name{
				ID:      numbered(rapid.Uint64Range(1, 80).Draw(t, "id")),
				Folded:  rapid.SampledFrom([]string{"acme", "acme corp", "beta", "étoile", "zoo"}).Draw(t, "name"),
				Created: rapid.Int64Range(0, 5).Draw(t, "created"),
			}
			x.Put(org, n)
			slow[n.ID] = n
		}
		q := index.NameQuery{
			Contains: rapid.SampledFrom([]string{"", "acme", "o", "x"}).Draw(t, "contains"),
			ByName:   rapid.Bool().Draw(t, "by name"), Desc: rapid.Bool().Draw(t, "desc"),
			Offset: rapid.IntRange(0, 90).Draw(t, "offset"), Limit: rapid.IntRange(0, 50).Draw(t, "limit"),
		}
		var want []index.Name
		for _, n := range slow {
			if strings.Contains(n.Folded, q.Contains) {
				want = append(want, n)
			}
			if got, ok := x.Get(org, n.ID); !ok || got != n {
				t.Fatalf("Get = %+v, %v, want %+v", got, ok, n)
			}
		}
		slices.SortFunc(want, func(a, b index.Name) int {
			c := compareInts(a.Created, b.Created)
			if q.ByName {
				c = strings.Compare(a.Folded, b.Folded)
			}
			if c == 0 {
				c = bytes.Compare(a.ID[:], b.ID[:])
			}
			if q.Desc {
				c = -c
			}
			return c
		})
		page, total := x.Find(org, q)
		from := min(q.Offset, len(want))
		to := min(from+q.Limit, len(want))
		if total != len(want) || len(page) != to-from || x.Len(org) != len(slow) {
			t.Fatalf("%+v finds %d of %d, want %d of %d", q, len(page), total, to-from, len(want))
		}
		for i, id := range page {
			if id != want[from+i].ID {
				t.Fatalf("%+v: place %d is %x, want %x", q, i, id, want[from+i].ID)
			}
		}
	})
}

func TestReadersAndTheWriterDoNotRace(t *testing.T) {
	x, names, org := index.New(rule()), index.NewNames(), numbered(1)
	var readers sync.WaitGroup
	done := make(chan struct{})
	for range 4 {
		readers.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				if page, total := x.Find(org, index.Query{Limit: 10, Now: start}); len(page) != min(10, total) {
					t.Errorf("%d ids of %d rows", len(page), total)
				}
				names.Find(org, index.NameQuery{Limit: 10, ByName: true})
			}
		})
	}
	for n := range uint64(500) {
		x.Put(org, index.Row{ID: numbered(n % 300), Status: sent, Created: int64(n)})
		names.Put(org, index.Name{ID: numbered(n % 300), Folded: fmt.Sprint(n)})
	}
	close(done)
	readers.Wait()
}

func BenchmarkFind(b *testing.B) {
	x, org := index.New(rule()), numbered(1)
	random := rand.New(rand.NewPCG(1, 2))
	const rows = 100_000
	for n := range uint64(rows) {
		x.Put(org, index.Row{ID: numbered(n), Status: 1 + uint8(random.IntN(2)), Created: int64(n), Total: random.Int64(),
			Due: start.Unix() + 86400*int64(random.IntN(60)-30), Currency: "USD", Number: fmt.Sprintf("INV-%06d", n)})
	}
	for name, q := range map[string]index.Query{
		"newest":         {Sort: index.Created, Desc: true},
		"page=2000":      {Sort: index.Created, Desc: true, Offset: 50_000},
		"overdue_total":  {Statuses: []uint8{overdue}, Sort: index.Total, Desc: true},
		"by_number":      {Sort: index.Number},
		"by_status_page": {Sort: index.Status, Offset: 30_000},
	} {
		q.Limit, q.Now = 25, start
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				x.Find(org, q)
			}
		})
	}
}
