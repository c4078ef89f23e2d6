package dashboard

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

func TestAPartIsSortedAsInTheWhole(t *testing.T) {
	for _, n := range []int{0, 1, 31, 32, 33, 1000} {
		for range 200 {
			all := rand.Perm(n)
			if rand.IntN(4) == 0 {
				slices.Sort(all) // as keys come that are by creation already
			}
			from := rand.IntN(n + 1)
			to := from + rand.IntN(n-from+1)
			sortPart(all, from, to, func(a, b *int) int { return cmp.Compare(*a, *b) })
			for i := from; i < to; i++ {
				if all[i] != i {
					t.Fatalf("of %d, %d to %d: place %d has %d", n, from, to, i, all[i])
				}
			}
			slices.Sort(all)
			for i := range all {
				if all[i] != i {
					t.Fatalf("of %d, %d to %d: %d is lost", n, from, to, i)
				}
			}
		}
	}
}

// A page costs a few looks at each key, wherever it lies.
func TestAPartTakesLessThanTheWhole(t *testing.T) {
	all := rand.Perm(10_000)
	compared := 0
	sortPart(all, 5000, 5050, func(a, b *int) int { compared++; return cmp.Compare(*a, *b) })
	if compared > 8*len(all) {
		t.Errorf("%d comparisons for 50 of %d", compared, len(all))
	}
}

var cases = []string{
	"", "a", "A", "Key 1", "key 1", "KEY 10", "Straße", "STRASSE", "ÅNGSTRÖM", "ångström", "K (Kelvin \u212a)", "İstanbul", "istanbul",
	"Ⱥ", "ΟΔΥΣΣΕΥΣ", "zebra", "Zürich billing", "zürich Billing 2", "12345678é", "1234567É", "日本", "\x7f", "[", "_", "`",
}

func TestCaseIsFoldedAsByTheLibrary(t *testing.T) {
	for _, a := range cases {
		f := newFolded(a)
		if got, want := string(appendFolded([]byte("x"), a)), "x"+strings.ToLower(a); got != want {
			t.Errorf("%q folds to %q, want %q", a, got, want)
		}
		for _, b := range cases {
			if got, want := f.in(b), strings.Contains(strings.ToLower(b), strings.ToLower(a)); got != want {
				t.Errorf("%q in %q: %t, want %t", a, b, got, want)
			}
			want := strings.Compare(strings.ToLower(a), strings.ToLower(b))
			if got := cmp.Compare(compareFolded(a, b), 0); got != want {
				t.Errorf("%q with %q: %d, want %d", a, b, got, want)
			}
			if got := cmp.Compare(beginning(a), beginning(b)); got != 0 && got != want {
				t.Errorf("the beginning of %q with that of %q: %d, want %d", a, b, got, want)
			}
		}
	}
}

func TestASearchOfManyNamesAllocatesNothing(t *testing.T) {
	f := newFolded("Somebody")
	f.in(strings.Repeat("x", 200))
	if n := testing.AllocsPerRun(100, func() { f.in("Key 1234 of Somebody Else") }); n > 0 {
		t.Errorf("%v allocations for each name", n)
	}
}
