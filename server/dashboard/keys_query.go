package dashboard

import (
	"cmp"
	"encoding/binary"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"exante/auth"
	"exante/auth/uid"
)

// keyQuery is which keys a list shows, and in what order. All of it stands in the
// address, so that a list can be kept and sent on; what can't be read there counts as
// not said.
type keyQuery struct {
	Find    string
	State   standing         // "": any; ended: expired or revoked
	Finding auth.FindingKind // "": any; some: any at all
	Owner   string           // uid; "": anybody
	Sort    string
	page    int

	find  string // as it is compared
	owner uid.ID
}

const (
	keysPath = "/settings/api-keys"

	stateEnded  standing         = "ended" // expired or revoked
	findingSome auth.FindingKind = "any"   // whatever it is
	newestFirst                  = "-created"
	maxFind                      = 200 // bytes of a search
)

// keySorts are the orders that a list can have. A minus turns them round.
var keySorts = []string{"name", "created", "last_used", "expires"}

func readKeyQuery(q url.Values) keyQuery {
	k := keyQuery{
		Find: strings.TrimSpace(q.Get("find")), State: standing(q.Get("state")), Finding: auth.FindingKind(q.Get("finding")),
		Owner: q.Get("owner"), Sort: q.Get("sort"),
	}
	k.Find = strings.ToValidUTF8(k.Find[:min(len(k.Find), maxFind)], "")
	k.find = strings.ToLower(k.Find)
	if k.State != stateEnded && !slices.Contains(standings, k.State) {
		k.State = ""
	}
	if k.Finding != findingSome && !slices.ContainsFunc(advices, func(a advice) bool { return a.Kind == k.Finding }) {
		k.Finding = ""
	}
	var err error
	if k.owner, err = uid.Parse(k.Owner); err != nil {
		k.Owner = ""
	}
	if !slices.Contains(keySorts, strings.TrimPrefix(k.Sort, "-")) {
		k.Sort = newestFirst
	}
	k.page, _ = strconv.Atoi(q.Get("page")) // 0: the first
	return k
}

// Filtered reports whether some keys may be left out.
func (k keyQuery) Filtered() bool {
	return k.Find != "" || k.State != "" || k.Finding != "" || k.Owner != ""
}

// Sorted reports whether the order is another than the usual one.
func (k keyQuery) Sorted() bool { return k.Sort != newestFirst }

// path is the address of the list as k has it.
func (k keyQuery) path() string {
	q := url.Values{}
	for name, value := range map[string]string{
		"find": k.Find, "state": string(k.State), "finding": string(k.Finding), "owner": k.Owner, "sort": k.Sort, "page": strconv.Itoa(k.page),
	} {
		if value != "" && !(name == "sort" && value == newestFirst) && !(name == "page" && k.page < 2) {
			q.Set(name, value)
		}
	}
	if len(q) == 0 {
		return keysPath
	}
	return keysPath + "?" + q.Encode()
}

// ByState, ByFinding, Page, SortedBy and Order lead to other lists.

// ByState is the list of the keys in one state, whatever else they are.
func (k keyQuery) ByState(s standing) string { return keyQuery{State: s, Sort: k.Sort}.path() }

// ByFinding is the list of the keys of which something was found.
func (k keyQuery) ByFinding(f auth.FindingKind) string {
	return keyQuery{Finding: f, Sort: k.Sort}.path()
}

// byOwner is the list of the keys of one user.
func (k keyQuery) byOwner(id uid.ID) string { return keysPath + "?owner=" + id.String() }

// Page is another page of the same list.
func (k keyQuery) Page(n int) string {
	k.page = n
	return k.path()
}

// SortedBy is the same list in another order: times begin with the latest, names with
// A, and what is sorted so already is turned round.
func (k keyQuery) SortedBy(field string) string {
	first, second := "-"+field, field
	if field == "name" {
		first, second = second, first
	}
	k.page = 0
	if k.Sort == first {
		first = second
	}
	k.Sort = first
	return k.path()
}

// Order is the value of aria-sort in the head of a column.
func (k keyQuery) Order(field string) string {
	switch k.Sort {
	case field:
		return "ascending"
	case "-" + field:
		return "descending"
	}
	return "none"
}

// selects reports whether a key is to be shown. A search is for a part of the name, the
// snippet, the owner's address or that of the last use.
func (k *keyQuery) selects(key *auth.Standing, is standing, found []auth.Finding, emails map[uid.ID]string) bool {
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
	return k.find == "" ||
		strings.Contains(strings.ToLower(key.Key.Name), k.find) ||
		strings.Contains(strings.ToLower(key.Key.Snippet), k.find) ||
		strings.Contains(emails[key.Key.UserID], k.find) ||
		key.Last.Addr.IsValid() && strings.Contains(key.Last.Addr.String(), k.find)
}

// sortedKey is a key with what it is sorted by.
type sortedKey struct {
	key  *auth.Key
	at   int64  // milliseconds, or the beginning of text
	text string // where at is equal
	n    int    // its place by creation
}

func (k *keyQuery) sorted(key *auth.Standing, n int) sortedKey {
	s := sortedKey{key: key.Key, n: n}
	switch strings.TrimPrefix(k.Sort, "-") {
	case "name":
		s.text = strings.ToLower(key.Key.Name)
		s.at = beginning(s.text)
	case "last_used":
		s.at = key.Last.At.UnixMilli() // never is before all
	case "expires":
		if s.at = key.Key.ExpiresAt.UnixMilli(); key.Key.ExpiresAt.IsZero() {
			s.at = math.MaxInt64 // never is after all
		}
	}
	return s
}

// beginning is the first 8 bytes of a text as a number of the same order: most texts are
// told apart without a look at them.
func beginning(text string) int64 {
	var b [8]byte
	copy(b[:], text)
	return int64(binary.BigEndian.Uint64(b[:]) ^ 1<<63)
}

// keyOrder takes keys by creation and has them in the order of a query. What is equal
// stays by creation.
type keyOrder struct {
	query  *keyQuery
	keys   []*auth.Key
	sorted []sortedKey // instead, if the order is another
}

func (o *keyOrder) add(key *auth.Standing) {
	if o.query.byCreation() {
		o.keys = append(o.keys, key.Key)
		return
	}
	o.sorted = append(o.sorted, o.query.sorted(key, len(o.sorted)))
}

func (k *keyQuery) byCreation() bool { return strings.TrimPrefix(k.Sort, "-") == "created" }

func (o *keyOrder) ordered() []*auth.Key {
	slices.SortFunc(o.sorted, func(a, b sortedKey) int {
		if a.at != b.at {
			return cmp.Compare(a.at, b.at)
		}
		if a.text != b.text {
			return strings.Compare(a.text, b.text)
		}
		return a.n - b.n
	})
	for _, s := range o.sorted {
		o.keys = append(o.keys, s.key)
	}
	if strings.HasPrefix(o.query.Sort, "-") {
		slices.Reverse(o.keys)
	}
	return o.keys
}
