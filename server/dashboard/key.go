package dashboard

import (
	"net/http"
	"time"

	"exante/auth"
	"exante/auth/uid"
	"exante/storage"
)

// keyPage is all that there is to know about one API key.
type keyPage struct {
	*auth.Key
	Standing standing
	Ended    time.Time // when that was; zero: it has not ended
	Owner    string    // his address
	Last     auth.LastUse
	Advice   []advice
	Choices  []scopeChoice // what it may do
	Limits   limitFacts
	Activity activity
	Recent   []auth.RecentRequest // the newest first
	Chain    []keyLink            // the keys that rotation made of each other, the oldest first; nil: none
	Deeds    keyDeeds
}

// limitFacts are the rate limits of a key.
type limitFacts struct {
	Windows string // "600/1m,20000/1d"; "": none
	Own     bool   // set for this key
}

func showKey(v *visit) error {
	k, err := v.store.Key(v.org.ID, v.pathID())
	if err != nil {
		return err
	}
	p := v.keyFacts(k)
	if p.Activity, err = v.activityOf(k, spanNamed(v.req.Query.Get("span"))); err != nil {
		return err
	}
	names, err := v.store.Names(v.req.Context, v.org.ID, []uid.ID{k.UserID})
	if err != nil {
		return err
	}
	p.Owner = names.Users[k.UserID]
	if p.Deeds, err = v.deedsOf(k, p.Last); err != nil {
		return err
	}
	return v.show(http.StatusOK, "key", k.Name, p)
}

// keyFacts are what the memory knows of a key.
func (v *visit) keyFacts(k *auth.Key) keyPage {
	last := v.store.Keyring().LastUse(k.ID)
	found := auth.Hygiene(k, last, v.now)
	p := keyPage{
		Key: k, Standing: v.standing(k, found), Last: last, Choices: scopeChoices(k.Scopes, 0),
		Limits: limitFacts{v.Auth.LimitsOf(k).String(), len(k.Limits) > 0},
		Recent: v.Auth.Recent(k.ID), Chain: v.chainOf(k),
	}
	switch p.Standing {
	case revoked:
		p.Ended = k.RevokedBy(v.now)
	case expired:
		p.Ended = k.ExpiresAt
	default:
	}
	for _, f := range found {
		p.Advice = append(p.Advice, adviceOn(f))
	}
	return p
}

// Live reports whether there is anything left to do about the key.
func (p keyPage) Live() bool { return !p.Standing.ended() }

// Full reports whether it may do all that there is and will be.
func (p keyPage) Full() bool { return p.Scopes&auth.FullAccess != 0 }

// keyLink is a key in a chain of rotations.
type keyLink struct {
	*auth.Key
	This     bool
	Standing standing
}

// maxChain is how many keys before and after one are shown: nobody looks further, and
// a chain grows for as long as a key is rotated.
const maxChain = 5

// chainOf follows the rotations of a key to both sides.
func (v *visit) chainOf(k *auth.Key) []keyLink {
	var before, after []*auth.Key
	for other := v.neighbour(k.RotatedFrom); other != nil && len(before) < maxChain; other = v.neighbour(other.RotatedFrom) {
		before = append(before, other)
	}
	for other := v.neighbour(k.RotatedTo); other != nil && len(after) < maxChain; other = v.neighbour(other.RotatedTo) {
		after = append(after, other)
	}
	if len(before)+len(after) == 0 {
		return nil
	}
	var chain []keyLink
	link := func(k *auth.Key, this bool) {
		found := auth.Hygiene(k, v.store.Keyring().LastUse(k.ID), v.now)
		chain = append(chain, keyLink{k, this, v.standing(k, found)})
	}
	for i := range before {
		link(before[len(before)-1-i], false)
	}
	link(k, true)
	for _, other := range after {
		link(other, false)
	}
	return chain
}

// neighbour is another key of the organization; nil: there is none.
func (v *visit) neighbour(id uid.ID) *auth.Key {
	k, err := v.store.Key(v.org.ID, id)
	if err != nil {
		return nil
	}
	return k
}

// keyDeeds are what the audit log says of a key.
type keyDeeds struct {
	Entries []deed
	More    bool // there may be older ones
}

const (
	keyDeedsShown = 20
	keyDeedsReach = 1000 // records of the log, of whatever else
)

// deedsOf is what was done with a key and to it lately. The log is read back from
// where the key was last used or changed, so an idle key is found as fast as a busy one.
func (v *visit) deedsOf(k *auth.Key, last auth.LastUse) (keyDeeds, error) {
	end := k.UpdatedAt
	if last.At.After(end) {
		end = last.At
	}
	found, err := v.store.AuditBack(v.req.Context, storage.AuditQuery{
		OrgID: v.org.ID, KeyID: k.ID, Since: k.CreatedAt, Until: end.Add(time.Second), Limit: keyDeedsShown, Reach: keyDeedsReach,
	})
	if err != nil {
		return keyDeeds{}, err
	}
	entries, err := v.deeds(found.Entries)
	return keyDeeds{entries, found.Before != 0}, err
}
