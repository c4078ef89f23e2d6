package index_test

import (
	"bytes"
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"exante/auth/uid"
	"exante/storage/index"
)

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
			c := cmp.Compare(a.Created, b.Created)
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

// Large enough for the selection to partition many times over.
func TestEveryPageOfManyNamesIsThatOfAFullSort(t *testing.T) {
	x, org := index.NewNames(), numbered(1)
	random := rand.New(rand.NewPCG(1, 2))
	const names = 3000
	var want []index.Name
	for n := range uint64(names) {
		name := index.Name{ID: numbered(n), Folded: fmt.Sprint(random.IntN(names)), Created: int64(random.IntN(9))}
		x.Put(org, name)
		want = append(want, name)
	}
	slices.SortStableFunc(want, func(a, b index.Name) int { return cmp.Compare(a.Created, b.Created) })
	for from := 0; from < names+40; from += 97 {
		page, total := x.Find(org, index.NameQuery{Offset: from, Limit: 40})
		to := min(from+40, names)
		if !slices.EqualFunc(page, want[min(from, to):to], func(id uid.ID, n index.Name) bool { return id == n.ID }) || total != names {
			t.Fatalf("the names from %d on are not those of the full sort", from)
		}
	}
}
