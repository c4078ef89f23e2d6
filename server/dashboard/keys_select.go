package dashboard

import (
	"encoding/binary"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"exante/auth"
	"exante/auth/uid"
)

// selects reports whether a key is to be shown. A search is for a part of the name, the
// snippet, the owner's address or that of the last use; owners are those it is in the
// address of.
func (k *keyQuery) selects(key *auth.Standing, is standing, found []auth.Finding, owners map[uid.ID]bool) bool {
	switch {
	case k.State == stateEnded && !is.ended(),
		k.State != "" && k.State != stateEnded && is != k.State,
		k.Finding == findingSome && len(found) == 0,
		k.Owner != "" && key.Key.UserID != k.owner:
		return false
	}
	if k.Finding != "" && k.Finding != findingSome && !slices.ContainsFunc(found, func(f auth.Finding) bool { return f.Kind == k.Finding }) {
		return false
	}
	return k.Find == "" ||
		len(owners) > 0 && owners[key.Key.UserID] ||
		k.find.in(key.Key.Name) ||
		k.find.in(key.Key.Snippet) ||
		key.Last.Addr.IsValid() && k.find.inAddr(key.Last.Addr)
}

// keyOrder takes keys by creation and has a page of them in the order of a query. What is
// equal stays by creation. Of each key it keeps a number to sort by, and it sorts no more
// than the page.
type keyOrder struct {
	query *keyQuery
	keys  []sortedKey
}

// sortedKey is a key with what it is sorted by.
type sortedKey struct {
	key *auth.Key
	at  int64 // milliseconds, or the beginning of the name
	n   int   // its place by creation
}

func (o *keyOrder) add(key *auth.Standing) {
	s := sortedKey{key: key.Key, n: len(o.keys)}
	switch strings.TrimPrefix(o.query.Sort, "-") {
	case "name":
		s.at = beginning(key.Key.Name)
	case "last_used":
		s.at = key.Last.At.UnixMilli() // never is before all
	case "expires":
		if s.at = key.Key.ExpiresAt.UnixMilli(); key.Key.ExpiresAt.IsZero() {
			s.at = math.MaxInt64 // never is after all
		}
	}
	o.keys = append(o.keys, s)
}

// beginning is the first 8 bytes of a name in lower case, as a number of the same order:
// most names are told apart without a look at them.
func beginning(name string) int64 {
	var b [8]byte
	for i := range min(len(name), len(b)) {
		if name[i] >= utf8.RuneSelf {
			copy(b[i:], strings.ToLower(name[i:]))
			break
		}
		b[i] = lower(name[i])
	}
	return int64(binary.BigEndian.Uint64(b[:]) ^ 1<<63)
}

// page is the keys from one place in the order to before another.
func (o *keyOrder) page(from, to int) []*auth.Key {
	sortPart(o.keys, from, to, o.compare())
	page := make([]*auth.Key, 0, to-from)
	for _, s := range o.keys[from:to] {
		page = append(page, s.key)
	}
	return page
}

// compare is the order of two keys. No two are equal.
func (o *keyOrder) compare() func(a, b *sortedKey) int {
	field, down := strings.CutPrefix(o.query.Sort, "-")
	byName := field == "name"
	return func(a, b *sortedKey) int {
		if down {
			a, b = b, a
		}
		switch {
		case a.at < b.at:
			return -1
		case a.at > b.at:
			return 1
		case byName:
			if c := compareFolded(a.key.Name, b.key.Name); c != 0 {
				return c
			}
		}
		return a.n - b.n
	}
}
