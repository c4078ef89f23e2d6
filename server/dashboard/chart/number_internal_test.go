package chart

import (
	"math"
	"reflect"
	"testing"
)

func TestTicksAreRoundAndReachTheHighest(t *testing.T) {
	for highest, want := range map[uint64][]uint64{
		0:       {0, 1},
		1:       {0, 1},
		3:       {0, 1, 2, 3},
		5:       {0, 2, 4, 6},
		17:      {0, 5, 10, 15, 20},
		40:      {0, 10, 20, 30, 40},
		41:      {0, 20, 40, 60},
		1999:    {0, 500, 1000, 1500, 2000},
		123456:  {0, 50000, 100000, 150000},
		1 << 63: {0, 500_000_000_000_000_000, 1_000_000_000_000_000_000},
	} {
		if got := ticks(highest); !reflect.DeepEqual(got, want) {
			t.Errorf("ticks(%d) = %v, want %v", highest, got, want)
		}
	}
}

func TestAxisNumbersAreShort(t *testing.T) {
	for v, want := range map[uint64]string{0: "0", 500: "500", 1000: "1k", 1500: "1.5k", 2_000_000: "2M", 5_000_000_000_000_000_000: "5E"} {
		if got := short(v); got != want {
			t.Errorf("short(%d) = %q, want %q", v, got, want)
		}
	}
}

func TestSharesAreExact(t *testing.T) {
	for _, c := range []struct {
		size  int
		n, of uint64
		want  int
	}{
		{100, 1, 3, 33}, {100, 2, 3, 67}, {100, 0, 3, 0}, {100, 3, 3, 100}, {100, 4, 3, 100}, {100, 1, 0, 0},
		{18000, math.MaxUint64 / 2, math.MaxUint64, 9000}, {18000, math.MaxUint64, math.MaxUint64, 18000}, {18000, 1, math.MaxUint64, 0},
	} {
		if got := share(c.size, c.n, c.of); got != c.want {
			t.Errorf("share(%d, %d, %d) = %d, want %d", c.size, c.n, c.of, got, c.want)
		}
	}
}
