package index

import (
	"bytes"
	"cmp"
	"slices"

	"exante/auth/uid"
)

// entry is a row with the value it is sorted by.
type entry[K cmp.Ordered] struct {
	key K
	id  uid.ID
}

// pageOf is the ids of rows[offset:offset+limit] in the order of key, ties by
// uid. A page past the end is empty.
func pageOf[K cmp.Ordered](rows []uint32, offset, limit int, desc bool, id func(n uint32) uid.ID, key func(n uint32) K) []uid.ID {
	from := min(max(offset, 0), len(rows))
	to := from + min(max(limit, 0), len(rows)-from)
	if from == to {
		return nil
	}
	entries := make([]entry[K], len(rows))
	for i, n := range rows {
		entries[i] = entry[K]{key(n), id(n)}
	}
	sortBetween(entries, from, to, ordering[K](desc))
	page := make([]uid.ID, to-from)
	for i := range page {
		page[i] = entries[from+i].id
	}
	return page
}

// ordering compares by key, then by uid, which is creation: an order without
// ties, so that pages neither overlap nor skip. Descending turns both round, so
// that newest first is so within one millisecond too.
func ordering[K cmp.Ordered](desc bool) func(a, b entry[K]) int {
	sign := 1
	if desc {
		sign = -1
	}
	return func(a, b entry[K]) int {
		switch {
		case a.key < b.key:
			return -sign
		case a.key > b.key:
			return sign
		}
		return sign * bytes.Compare(a.id[:], b.id[:])
	}
}

// sortBetween puts into s[from:to] what a full sort would put there. It is a
// quicksort that leaves parts alone which hold none of the range (Hoare's
// selection, CACM 4, algorithm 65); after too many bad pivots it sorts what is
// left in full, so its time stays that of a sort.
func sortBetween[E any](s []E, from, to int, compare func(a, b E) int) {
	for rounds := 40; len(s) > 64 && rounds > 0 && (from > 0 || to < len(s)); rounds-- {
		split := partition(s, compare)
		switch {
		case to <= split:
			s = s[:split]
		case from >= split:
			s, from, to = s[split:], from-split, to-split
		default:
			sortBetween(s[:split], from, split, compare)
			s, from, to = s[split:], 0, to-split
		}
	}
	slices.SortFunc(s, compare)
}

// partition moves what is smaller than a middling element before the rest and
// returns where the rest begins; both sides have at least one element.
func partition[E any](s []E, compare func(a, b E) int) int {
	a, b, c := s[len(s)/4], s[len(s)/2], s[3*len(s)/4]
	pivot := b
	switch {
	case compare(a, b) > 0 == (compare(a, c) < 0):
		pivot = a
	case compare(c, a) > 0 == (compare(c, b) < 0):
		pivot = c
	}
	i, j := 0, len(s)-1
	for {
		for compare(s[i], pivot) < 0 {
			i++
		}
		for compare(s[j], pivot) > 0 {
			j--
		}
		if i >= j {
			break
		}
		s[i], s[j] = s[j], s[i]
		i, j = i+1, j-1
	}
	return max(i, 1)
}
