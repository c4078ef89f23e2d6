package dashboard

import (
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
	emails, err := v.owners(&p)
	if err != nil {
		return err
	}
	found := v.selectKeys(&p, emails)
	p.Found, p.Pages = len(found), max(1, (len(found)+keysPerPage-1)/keysPerPage)
	p.Page = min(max(1, p.Query.page), p.Pages)
	found = found[min(len(found), (p.Page-1)*keysPerPage):min(len(found), p.Page*keysPerPage)]
	if p.Rows, err = v.keyRows(&p.Query, found); err != nil {
		return err
	}
	return v.show(http.StatusOK, "keys", "API keys", p)
}

// owners are the addresses by which keys are searched: those of all users, whom p then
// offers to choose from. Where they are too many, a search is for a whole address.
func (v *visit) owners(p *keysPage) (map[uid.ID]string, error) {
	figures, err := v.store.OrgFigures(v.req.Context, v.org.ID)
	if err != nil {
		return nil, err
	}
	emails := map[uid.ID]string{}
	if figures.Users > maxOwners {
		id, err := v.userAt(p.Query.Find)
		if !id.IsZero() {
			emails[id] = p.Query.find
		}
		return emails, err
	}
	p.Owners, err = v.store.Users(v.req.Context, v.org.ID)
	for _, u := range p.Owners {
		emails[u.ID] = u.Email
	}
	return emails, err
}

// selectKeys are the keys that the query of p selects, in its order. On the way it
// counts all that there are.
func (v *visit) selectKeys(p *keysPage, emails map[uid.ID]string) []*auth.Key {
	var (
		selected = keyOrder{query: &p.Query}
		found    []auth.Finding
		counts   = make([]int, len(advices))
	)
	for k := range v.store.Keyring().Standings(v.org.ID, v.now) {
		found = auth.AppendHygiene(found[:0], k.Key, k.Last, v.now)
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
		if p.Query.selects(&k, is, found, emails) {
			selected.add(&k)
		}
	}
	for i, n := range counts {
		if n > 0 {
			p.Advice = append(p.Advice, adviceCount{advices[i], n})
		}
	}
	return selected.ordered()
}

func adviceIndex(kind auth.FindingKind) int {
	return slices.IndexFunc(advices, func(a advice) bool { return a.Kind == kind })
}
