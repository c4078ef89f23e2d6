package chart

import (
	"reflect"
	"testing"
)

func TestTicksAreRoundAndReachTheHighest(t *testing.T) {
	for highest, want := range map[float64][]float64{
		0:      {0, 1},
		1:      {0, 1},
		3:      {0, 1, 2, 3},
		5:      {0, 2, 4, 6},
		17:     {0, 5, 10, 15, 20},
		40:     {0, 10, 20, 30, 40},
		41:     {0, 20, 40, 60},
		1999:   {0, 500, 1000, 1500, 2000},
		123456: {0, 50000, 100000, 150000},
		2e19:   {0, 5e18, 1e19, 1.5e19, 2e19},
	} {
		if got := ticks(highest); !reflect.DeepEqual(got, want) {
			t.Errorf("ticks(%g) = %v, want %v", highest, got, want)
		}
	}
}

func TestAxisNumbersAreShort(t *testing.T) {
	for v, want := range map[float64]string{0: "0", 500: "500", 1000: "1k", 1500: "1.5k", 2e6: "2M", 5e18: "5E"} {
		if got := short(v); got != want {
			t.Errorf("short(%g) = %q, want %q", v, got, want)
		}
	}
}
