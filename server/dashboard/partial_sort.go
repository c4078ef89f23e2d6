package dashboard

import (
	"math/rand/v2"
	"slices"
)

// sortPart puts in place what belongs into all[from:to] when all is sorted, and leaves
// the rest in any order: it is quicksort that goes only where that part is (Chambers,
// "Partial sorting", CACM 14, 1971), in time n + k log k for k of n. The pivots are drawn,
// so no order that somebody made is a slow one. Of what is equal there may be little.
func sortPart[T any](all []T, from, to int, compare func(a, b *T) int) {
	const few = 32
	for len(all) > few && from < to {
		less := partition(all, compare)
		if to <= less {
			all = all[:less]
			continue
		}
		if from < less {
			sortPart(all[:less], from, less, compare)
		}
		all, from, to = all[less+1:], max(0, from-less-1), to-less-1
	}
	if from < to {
		slices.SortFunc(all, func(a, b T) int { return compare(&a, &b) })
	}
}

// partition draws a pivot and returns its place: before it is less, after it the rest.
func partition[T any](all []T, compare func(a, b *T) int) int {
	last := len(all) - 1
	drawn := rand.IntN(len(all))
	all[drawn], all[last] = all[last], all[drawn]
	less := 0
	for i := range last {
		if compare(&all[i], &all[last]) < 0 {
			all[i], all[less] = all[less], all[i]
			less++
		}
	}
	all[less], all[last] = all[last], all[less]
	return less
}
