package dashboard

import (
	"bytes"
	"net/http"
	"slices"

	"exante/auth"
	"exante/auth/uid"
	"exante/storage"
)

const (
	keysPerPage = 50  // the length of a page of the list
	maxOwners   = 100 // from how many people one can choose
)

// keysPage is the list of API keys.
type keysPage struct {
	Query  keyQuery
	Rows   []keyRow
	Found  int // that the query selects
	Page   int
	Pages  int
	All    int // of the organization
	Ended  int
	Advice []adviceCount
	Needy  int // keys of which something was found

	Owners []storage.User // to choose from; nil: too many
}

// adviceCount is of how many keys something was found.
type adviceCount struct {
	advice
	Count int
}

// Standings, Advices, Before and After are for the template.

// Standings are what can be filtered by.
func (keysPage) Standings() []standing {
	return append(standings[:len(standings):len(standings)], stateEnded)
}

// Advices are the reasons to look that can be filtered by.
func (keysPage) Advices() []advice { return advices }

// Before is the number of the page before.
func (p keysPage) Before() int { return p.Page - 1 }

// After is the number of the page after.
func (p keysPage) After() int { return p.Page + 1 }

func listKeys(v *visit) error {
	p := keysPage{Query: readKeyQuery(v.req.Query)}
	owners, err := v.lookForOwners(&p)
	if err != nil {
		return err
	}
	found := v.selectKeys(&p, owners)
	p.Found = len(found.keys)
	p.Pages = max(1, (p.Found+keysPerPage-1)/keysPerPage)
	p.Page = min(max(1, p.Query.page), p.Pages)
	shown := found.page((p.Page-1)*keysPerPage, min(p.Found, p.Page*keysPerPage))
	if p.Rows, err = v.keyRows(&p.Query, shown); err != nil {
		return err
	}
	return v.show(http.StatusOK, "keys", "API keys", p)
}

// lookForOwners finds those with what is looked for in their address. Those to choose
// from it reads if they are few.
func (v *visit) lookForOwners(p *keysPage) (map[uid.ID]bool, error) {
	figures, err := v.store.OrgFigures(v.req.Context, v.org.ID)
	if err == nil && figures.Users <= maxOwners {
		p.Owners, err = v.store.Users(v.req.Context, v.org.ID)
	}
	if err != nil || p.Query.Find == "" {
		return nil, err
	}
	return v.store.UsersWith(v.req.Context, v.org.ID, string(p.Query.find.text))
}

// emails are the addresses of the owners of keys.
func (v *visit) emails(keys ...*auth.Key) (map[uid.ID]string, error) {
	ids := make([]uid.ID, len(keys))
	for i, k := range keys {
		ids[i] = k.UserID
	}
	slices.SortFunc(ids, func(a, b uid.ID) int { return bytes.Compare(a[:], b[:]) })
	return v.store.Emails(v.req.Context, v.org.ID, slices.Compact(ids))
}

// selectKeys are the keys that the query of p selects; owners are those whom its search
// finds. On the way it counts all that there are.
func (v *visit) selectKeys(p *keysPage, owners map[uid.ID]bool) keyOrder {
	var (
		selected = keyOrder{query: &p.Query}
		found    []auth.Finding
		counts   = make([]int, len(advices))
	)
	for k := range v.store.Keyring().Standings(v.org.ID, v.now) {
		found = k.AppendHygiene(found[:0], v.now)
		is := standingOf(k.State, k.Suspended, found)
		p.All++
		if is.ended() {
			p.Ended++
		}
		if len(found) > 0 {
			p.Needy++
		}
		for _, f := range found {
			counts[adviceIndex(f.Kind)]++
		}
		if p.Query.selects(k, is, found, owners) {
			selected.add(k)
		}
	}
	for i, n := range counts {
		if n > 0 {
			p.Advice = append(p.Advice, adviceCount{advices[i], n})
		}
	}
	return selected
}

func adviceIndex(kind auth.FindingKind) int {
	return slices.IndexFunc(advices, func(a advice) bool { return a.Kind == kind })
}
