package auth

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"exante/auth/uid"
)

// Key is what is recorded of one API key. The secret is not part of it. A Key
// handed out by a Keyring is shared: treat it as read-only.
// A zero time means "never", a zero ID "none".
type Key struct {
	ID     uid.ID
	OrgID  uid.ID
	UserID uid.ID // whom it belongs to

	Name     string
	Snippet  string // "ex_live_...9AbC"
	Tag      Tag    // finds the key by its token
	Hash     Hash
	Scopes   Scopes
	Networks []netip.Prefix // callers must come from one of these; empty: from anywhere
	Limits   Limits         // set by an operator; nil: the instance's default

	CreatedAt time.Time
	UpdatedAt time.Time
	ExpiresAt time.Time
	RevokedAt time.Time
	RetiresAt time.Time // rotated: counts as revoked from this instant on

	RotatedTo   uid.ID
	RotatedFrom uid.ID

	Version uint64 // grows with every change of the record
}

// State is a key's standing at an instant.
type State string

// The four states. Expired and revoked are final.
const (
	Active   State = "active"
	Retiring State = "retiring"
	Expired  State = "expired"
	Revoked  State = "revoked"
)

// State judges the key at now. Revocation outranks expiry: it is a decision.
func (k *Key) State(now time.Time) State {
	switch {
	case !k.RevokedBy(now).IsZero():
		return Revoked
	case !k.ExpiresAt.IsZero() && !now.Before(k.ExpiresAt):
		return Expired
	case !k.RetiresAt.IsZero():
		return Retiring
	}
	return Active
}

// RevokedBy is the instant of revocation if that has come by now, else zero.
// A rotated key is revoked when its grace time ends, with no job that must run.
func (k *Key) RevokedBy(now time.Time) time.Time {
	switch {
	case !k.RevokedAt.IsZero():
		return k.RevokedAt
	case !k.RetiresAt.IsZero() && !now.Before(k.RetiresAt) &&
		(k.ExpiresAt.IsZero() || !k.ExpiresAt.Before(k.RetiresAt)):
		return k.RetiresAt
	}
	return time.Time{}
}

// Usable returns nil, ErrRevoked or ErrExpired.
func (k *Key) Usable(now time.Time) error {
	switch k.State(now) {
	case Revoked:
		return ErrRevoked
	case Expired:
		return ErrExpired
	case Active, Retiring:
	}
	return nil
}

// AllowsAddr reports whether a caller at addr may use the key.
func (k *Key) AllowsAddr(addr netip.Addr) bool {
	if len(k.Networks) == 0 {
		return true
	}
	addr = addr.Unmap().WithZone("") // a prefix contains no address with a zone
	for _, n := range k.Networks {
		if n.Contains(addr) {
			return true
		}
	}
	return false
}

// Grant is what a new key will be able to do.
type Grant struct {
	Scopes    Scopes
	Networks  []netip.Prefix
	ExpiresAt time.Time
}

// MayGrant refuses, with a *ScopeError, a grant that reaches further than the
// key itself in scopes, networks or time.
func (k *Key) MayGrant(g Grant) error {
	switch {
	case !k.Scopes.Covers(g.Scopes):
		return &ScopeError{Need: APIKeysWrite, Detail: "scopes: wider than those of the key that asks"}
	case !NetworksInside(g.Networks, k.Networks):
		return &ScopeError{Need: APIKeysWrite, Detail: "allowed_cidrs: wider than those of the key that asks"}
	case !k.lastInstant().IsZero() && (g.ExpiresAt.IsZero() || g.ExpiresAt.After(k.lastInstant())):
		return &ScopeError{Need: APIKeysWrite, Detail: "expires_in_days: later than the end of the key that asks"}
	}
	return nil
}

// lastInstant is when the key ends by itself, by expiry or retirement.
func (k *Key) lastInstant() time.Time {
	if k.ExpiresAt.IsZero() || !k.RetiresAt.IsZero() && k.RetiresAt.Before(k.ExpiresAt) {
		return k.RetiresAt
	}
	return k.ExpiresAt
}

// NetworksInside reports whether inner has no address that outer has not. Empty is
// anywhere.
func NetworksInside(inner, outer []netip.Prefix) bool {
	if len(outer) == 0 {
		return true
	}
	return len(inner) > 0 && !slices.ContainsFunc(inner, func(in netip.Prefix) bool {
		return !slices.ContainsFunc(outer, func(out netip.Prefix) bool {
			return out.Bits() <= in.Bits() && out.Contains(in.Addr())
		})
	})
}

// ParseNetworks reads CIDR blocks of IPv4 and IPv6. Host bits must be zero: a
// block that says more than it means is a mistake. At most 100.
func ParseNetworks(texts []string) ([]netip.Prefix, error) {
	if len(texts) > 100 {
		return nil, fmt.Errorf("%w: more than 100", ErrBadNetworks)
	}
	var out []netip.Prefix
	for _, t := range texts {
		p, err := netip.ParsePrefix(t)
		if err != nil || p != p.Masked() || p.Addr().Is4In6() {
			return nil, fmt.Errorf("%w: %q", ErrBadNetworks, t)
		}
		out = append(out, p)
	}
	return out, nil
}
