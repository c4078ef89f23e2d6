package index_test

import (
	"fmt"
	"math"
	"testing"

	"pgregory.net/rapid"

	"exante/storage/index"
)

// Blocks count a row by its class only if that is one of the first.
func TestMoreKindsOfRowsThanBlocksCountAreFoundAsWell(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := both{index.NewOf(rule(), 16), newReference(), numbered(1)}
		b.loadRandom(rapid.Uint64().Draw(t, "seed"), 300)
		for _, r := range b.rows {
			r.Currency = fmt.Sprintf("C%02d", r.ID[15]%25)
			b.put(r)
		}
		for range 3 {
			q := drawQuery(t)
			if rapid.Bool().Draw(t, "currency") {
				q.Currencies = []string{"C03", "C21", "C24"}
			}
			b.agree(t, q)
		}
	})
}

// A few rows turn overdue a day: each by itself, not all counted anew.
func TestOverdueFollowsTheClockDayByDay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := both{index.NewOf(rule(), 16), newReference(), numbered(1)}
		b.loadRandom(rapid.Uint64().Draw(t, "seed"), 700)
		for _, r := range b.rows {
			r.Due = start.AddDate(0, 0, int(r.ID[15])+256*int(r.ID[14])-1300).Unix()
			b.put(r)
		}
		for day := range 4 {
			q := drawQuery(t)
			q.Now = start.AddDate(0, 0, day*day)
			b.agree(t, q)
		}
	})
}

func TestAmountsDoNotOverflow(t *testing.T) {
	x, org := index.New(rule()), numbered(1)
	for n, total := range []int64{math.MaxInt64, math.MaxInt64, 3} {
		x.Put(org, index.Row{ID: numbered(uint64(n + 1)), Status: draft, Currency: "USD", Total: total})
	}
	sum := x.Sums(org, start)[0]
	if _, fits := sum.Total.Int64(); fits || sum.Total.String() != "18446744073709551617" || sum.Count != 3 {
		t.Errorf("3 rows sum up to %d of %v, want 18446744073709551617", sum.Count, sum.Total)
	}
	x.Remove(org, numbered(1))
	x.Put(org, index.Row{ID: numbered(2), Status: draft, Currency: "USD", Total: math.MinInt64})
	sum = x.Sums(org, start)[0]
	if n, fits := sum.Total.Int64(); !fits || n != math.MinInt64+3 {
		t.Errorf("the rest sums up to %v, want %d", sum.Total, int64(math.MinInt64+3))
	}
}
