package index_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"exante/auth/uid"
	"exante/storage/index"
)

var start = time.Date(2026, 11, 23, 9, 30, 0, 0, time.UTC)

// both is an index and the reference, to which the same happens.
type both struct {
	*index.Index
	reference
	org uid.ID
}

func (b both) put(r index.Row) {
	b.Put(b.org, r)
	b.rows[r.ID] = r
}

func (b both) load(rows []index.Row) {
	b.Load(b.org, start, slices.Values(rows))
	for _, r := range rows {
		b.rows[r.ID] = r
	}
}

func (b both) remove(id uid.ID) {
	b.Remove(b.org, id)
	delete(b.rows, id)
}

func (b both) rename(party uid.ID, name string) {
	b.Rename(b.org, party, name)
	b.names[party] = name
}

// change lets one thing happen.
func (b both) change(t *rapid.T) {
	id := rapid.Map(rapid.Uint64Range(1, 200), numbered)
	switch what := rapid.IntRange(0, 20).Draw(t, "what"); {
	case what < 15:
		b.put(drawRow(t, id.Draw(t, "id")))
	case what < 18:
		b.remove(id.Draw(t, "id"))
	case what < 19:
		name := rapid.SampledFrom([]string{"", "Acme", "Bé", "b", "ACME E"}).Draw(t, "name")
		b.rename(numbered(rapid.Uint64Range(1, 5).Draw(t, "party")), name)
	default:
		ids := rapid.SliceOfN(id, 0, 60).Draw(t, "ids")
		if rapid.Bool().Draw(t, "sorted") {
			slices.SortFunc(ids, func(a, b uid.ID) int { return slices.Compare(a[:], b[:]) })
		}
		rows := make([]index.Row, len(ids))
		for i, id := range ids {
			rows[i] = drawRow(t, id)
		}
		b.load(rows)
	}
}

// agree asks both the same.
func (b both) agree(t *rapid.T, q index.Query) {
	if page, want := b.Find(b.org, q), b.find(q); !reflect.DeepEqual(page, want) {
		t.Fatalf("%+v\nfinds %+v\nwant  %+v", q, page, want)
	}
	rest, _ := b.all(q)
	if all := b.All(b.org, q); !slices.EqualFunc(all, rest, func(id uid.ID, m index.Mark) bool { return id == m.ID }) {
		t.Fatalf("%+v\nAll has %v\nwant    %v", q, all, rest)
	}
	if got, want := b.Spans(b.org, q.Now), b.spans(q.Now); !reflect.DeepEqual(got, want) {
		t.Fatalf("Spans at %v are %+v, want %+v", q.Now, got, want)
	}
	sums := map[sumOf]string{}
	for _, s := range b.Sums(b.org, q.Now) {
		sums[sumOf{s.Status, s.Currency}] += fmt.Sprint(s.Count, s.Total)
	}
	if want := b.sums(q.Now); !reflect.DeepEqual(sums, want) {
		t.Fatalf("Sums at %v are %v, want %v", q.Now, sums, want)
	}
}

func TestIndexAnswersLikeTheReference(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		small := rapid.SampledFrom([]int{4, 6, 16}).Draw(t, "rows in a block")
		b := both{index.NewOf(rule(), small), newReference(), numbered(1)}
		if rapid.Bool().Draw(t, "many rows") {
			b.loadRandom(rapid.Uint64().Draw(t, "seed"), 1200)
		}
		for range rapid.IntRange(1, 6).Draw(t, "rounds") {
			for range rapid.IntRange(0, 60).Draw(t, "changes") {
				b.change(t)
			}
			for range 2 {
				q := drawQuery(t)
				b.agree(t, q)
				q.Offset, q.Desc = rapid.IntRange(0, 1200).Draw(t, "other offset"), !q.Desc
				b.agree(t, q) // what is remembered of the filter answers too
			}
		}
		if b.Len(b.org) != len(b.rows) {
			t.Fatalf("Len = %d, want %d", b.Len(b.org), len(b.rows))
		}
		for n := range uint64(201) {
			want, there := b.rows[numbered(n)]
			if got, ok := b.Row(b.org, numbered(n)); ok != there || got != want {
				t.Fatalf("Row = %+v, %v, want %+v, %v", got, ok, want, there)
			}
		}
	})
}

// loadRandom loads rows of which many are alike.
func (b both) loadRandom(seed uint64, n int) {
	random := rand.New(rand.NewPCG(seed, 0))
	rows := make([]index.Row, n)
	for i := range rows {
		rows[i] = randomRow(random, numbered(uint64(1000+i)))
	}
	b.load(rows)
}

func TestEveryPageOfALargeListIsThatOfAFullSort(t *testing.T) {
	const rows = 6000
	b := both{index.NewOf(rule(), 64), newReference(), numbered(1)}
	b.loadRandom(1, rows-500)
	random := rand.New(rand.NewPCG(2, 0))
	for n := range uint64(2 * rows) { // and have them move about
		b.put(randomRow(random, numbered(1000+n*7919%rows)))
	}
	for c := index.Created; c <= index.OverdueDays; c++ {
		for _, desc := range []bool{false, true} {
			all, _ := b.all(index.Query{Sort: c, Desc: desc, Now: start})
			for _, window := range [][2]int{{0, rows}, {0, 1}, {0, 25}, {2500, 100}, {5975, 25}, {5999, 1}, {5990, 100}, {6000, 10}, {9999, 1}} {
				p := b.Find(b.org, index.Query{Sort: c, Desc: desc, Offset: window[0], Limit: window[1], Now: start})
				from, to := min(window[0], rows), min(window[0]+window[1], rows)
				if !slices.EqualFunc(p.IDs, all[from:to], func(id uid.ID, m index.Mark) bool { return id == m.ID }) || p.Total != rows {
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
	x.Rename(numbered(2), numbered(3), "acme")
	p := x.Find(numbered(1), index.Query{Limit: 10, Now: start})
	if p.Total != 1 || len(p.IDs) != 1 || p.IDs[0] != numbered(7) {
		t.Errorf("found %+v, want the organization's own row", p)
	}
	if p := x.Find(numbered(1), index.Query{Parties: []uid.ID{numbered(4)}, Limit: 10, Now: start}); p.Total != 0 {
		t.Errorf("found %d rows by a foreign party, want none", p.Total)
	}
	if p := x.Find(numbered(1), index.Query{Search: "acme", Limit: 10, Now: start}); p.Total != 0 {
		t.Errorf("found %d rows by a foreign name, want none", p.Total)
	}
	if p := x.Find(numbered(3), index.Query{Limit: 10, Now: start}); p.Total != 0 || p.IDs != nil || p.Next != nil {
		t.Errorf("an unknown organization has %+v, want nothing", p)
	}
	if _, ok := x.Row(numbered(1), numbered(8)); ok {
		t.Error("a foreign row was found by its id")
	}
	if _, ok := x.Row(numbered(3), numbered(8)); ok || x.Len(numbered(3)) != 0 {
		t.Error("an unknown organization has rows")
	}
}

func TestReadersAndTheWriterDoNotRace(t *testing.T) {
	x, names, org := index.New(rule()), index.NewNames(), numbered(1)
	var readers sync.WaitGroup
	done := make(chan struct{})
	for reader := range 4 {
		readers.Go(func() {
			for days := 0; ; days++ {
				select {
				case <-done:
					return
				default:
				}
				now := start.AddDate(0, 0, days%3*reader)
				q := index.Query{Sort: index.Column(days) % (index.OverdueDays + 1), Limit: 10, Now: now}
				if p := x.Find(org, q); len(p.IDs) != min(10, p.Total) {
					t.Errorf("%d ids of %d rows", len(p.IDs), p.Total)
				}
				if found, all := x.Find(org, index.Query{Search: "1", Now: now}).Total, x.All(org, q); found > 300 || len(all) > 300 {
					t.Errorf("%d rows match of %d", found, len(all))
				}
				x.Sums(org, now)
				x.Spans(org, now)
				names.Find(org, index.NameQuery{Limit: 10, ByName: true})
			}
		})
	}
	for n := range uint64(2000) {
		x.Put(org, index.Row{ID: numbered(n % 300), Status: sent, Due: start.Unix() + int64(n)*100, Created: int64(n), Number: fmt.Sprint(n)})
		x.Remove(org, numbered(n%7))
		x.Rename(org, uid.ID{}, fmt.Sprint(n))
		names.Put(org, index.Name{ID: numbered(n % 300), Folded: fmt.Sprint(n)})
	}
	close(done)
	readers.Wait()
}
