package auth

import "time"

// When a key deserves a second look.
const (
	unusedAfter   = 7 * 24 * time.Hour  // a key that waits so long to be used may be forgotten
	idleAfter     = 90 * 24 * time.Hour // and so may one that was not used for so long
	expiringUnder = 14 * 24 * time.Hour // time enough to rotate
	watchedEnough = 30 * 24 * time.Hour // a monthly job has run once, so what was not needed may not be
)

// FindingKind is what is found about a key, as a word of a closed set.
type FindingKind string

// The findings.
const (
	NeverUsed FindingKind = "never_used"
	Idle      FindingKind = "idle"
	NoExpiry  FindingKind = "no_expiry"
	TooBroad  FindingKind = "too_broad"
	Expiring  FindingKind = "expiring"
)

// FindingKinds lists every kind.
func FindingKinds() []FindingKind {
	return []FindingKind{NeverUsed, Idle, NoExpiry, TooBroad, Expiring}
}

// Finding is a reason to look after a key.
type Finding struct {
	Kind FindingKind

	// TooBroad: what the key may do and never did, and the set that would have done.
	// That is covered by what the key holds; it is empty if the key needed no scope,
	// and then no set would do.
	Unused, Narrower Scopes
}

// Hygiene is what is found about k, whose use is use. It is nil for a key that admits
// no requests; of the suspension of a key it does not know. Only an active key is
// Expiring, at its ExpiresAt: that a retiring one ends is told by its state.
func Hygiene(k *Key, use LastUse, now time.Time) []Finding {
	return appendHygiene(nil, k, k.State(now), &use, now)
}

// AppendHygiene appends what Hygiene finds about the key to found: who judges many keys
// needs no memory for each. now is when the state is of.
func (s *Standing) AppendHygiene(found []Finding, now time.Time) []Finding {
	return appendHygiene(found, s.Key, s.State, &s.Last, now)
}

func appendHygiene(found []Finding, k *Key, state State, use *LastUse, now time.Time) []Finding {
	if state != Active && state != Retiring {
		return found
	}
	switch {
	case use.At.IsZero() && state == Active && now.Sub(k.CreatedAt) >= unusedAfter:
		found = append(found, Finding{Kind: NeverUsed})
	case !use.At.IsZero() && now.Sub(use.At) >= idleAfter:
		found = append(found, Finding{Kind: Idle})
	}
	switch end := k.lastInstant(); {
	case end.IsZero():
		found = append(found, Finding{Kind: NoExpiry})
	case state == Active && end.Sub(now) <= expiringUnder:
		found = append(found, Finding{Kind: Expiring})
	}
	if !use.WatchedSince.IsZero() && now.Sub(use.WatchedSince) >= watchedEnough {
		if unused, narrower := k.Scopes.spare(use.Scopes); unused != 0 {
			found = append(found, Finding{Kind: TooBroad, Unused: unused, Narrower: narrower})
		}
	}
	return found
}

// spare is what s permits beyond used, and the set within s that permits used. Of the
// names in s it keeps those that used includes.
func (s Scopes) spare(used Scopes) (unused, narrower Scopes) {
	used &= s.effective() // the key may have been narrowed since
	return s.effective() &^ used.withReads(), used | s&used.withReads()
}
