package dashboard

import (
	"strings"

	"exante/auth"
)

// standing is how a key is doing, in a word for people. It tells two things more than
// auth.State: that an active key ends soon, and that whose it is has been disabled.
type standing string

const (
	active    standing = "active"
	expiring  standing = "expiring"
	retiring  standing = "retiring"
	suspended standing = "suspended"
	expired   standing = "expired"
	revoked   standing = "revoked"
)

// standings are all, in the order in which they are offered.
var standings = []standing{active, expiring, retiring, suspended, expired, revoked}

// ended reports whether that is final.
func (s standing) ended() bool { return s == expired || s == revoked }

// Title is the word at the beginning of something.
func (s standing) Title() string { return strings.ToUpper(string(s[:1])) + string(s[1:]) }

// Tone is the class of its badge.
func (s standing) Tone() string {
	return map[standing]string{active: "good", expiring: "warn", retiring: "info", suspended: "bad", revoked: "bad"}[s]
}

// standingOf is that of a key in a state, whose user may be disabled, and about which
// found was found.
func standingOf(state auth.State, disabled bool, found []auth.Finding) standing {
	switch {
	case state == auth.Revoked:
		return revoked
	case state == auth.Expired:
		return expired
	case disabled:
		return suspended
	case state == auth.Retiring:
		return retiring
	}
	for _, f := range found {
		if f.Kind == auth.Expiring {
			return expiring
		}
	}
	return active
}

// standing is that of one key, about which found was found.
func (v *visit) standing(k *auth.Key, found []auth.Finding) standing {
	return standingOf(k.State(v.now), v.store.Keyring().Disabled(k.UserID), found)
}

// advice is what is said of a kind of finding, and what to do about it.
type advice struct {
	Kind   auth.FindingKind
	Short  string // on a badge
	Action string // label of the link
	Path   string // below that of the key
}

// advices are of every kind, the most urgent first.
var advices = []advice{
	{auth.Expiring, "Ends soon", "Rotate", "rotate"},
	{auth.TooBroad, "Broader than used", "Narrow", "narrow"},
	{auth.NoExpiry, "Never ends", "Set an end", "edit"},
	{auth.Idle, "Not used for 90 days", "Revoke", "revoke"},
	{auth.NeverUsed, "Never used", "Revoke", "revoke"},
}

// adviceOn is the advice for a finding. Of a key that needed no scope at all, none is
// left to narrow it to.
func adviceOn(f auth.Finding) advice {
	for _, a := range advices {
		if a.Kind != f.Kind {
			continue
		}
		if f.Kind == auth.TooBroad && f.Narrower == 0 {
			a.Action, a.Path = "Revoke", "revoke"
		}
		return a
	}
	return advice{Kind: f.Kind, Short: string(f.Kind)}
}
