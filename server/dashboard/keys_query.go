package dashboard

import (
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

	find  folded // Find as it is compared
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
	k.find = newFolded(k.Find)
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
