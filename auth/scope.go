package auth

import (
	"fmt"
	"strings"
)

// Scope is one permission, such as "invoices:read".
type Scope uint8

// Every scope there is. AnyKey is no permission: a route that asks for it is
// open to every valid key.
const (
	AnyKey Scope = iota
	InvoicesRead
	InvoicesWrite
	PartiesRead
	PartiesWrite
	APIKeysRead
	APIKeysWrite
	scopeCount
)

var scopeNames = [scopeCount]string{
	InvoicesRead: "invoices:read", InvoicesWrite: "invoices:write",
	PartiesRead: "parties:read", PartiesWrite: "parties:write",
	APIKeysRead: "api_keys:read", APIKeysWrite: "api_keys:write",
}

// String is the wire name, or "" for AnyKey.
func (s Scope) String() string { return scopeNames[s] }

// AllScopes lists every scope in the order in which they are documented.
func AllScopes() []Scope {
	all := make([]Scope, 0, scopeCount-1)
	for s := InvoicesRead; s < scopeCount; s++ {
		all = append(all, s)
	}
	return all
}

// Scopes is a set of permissions. FullAccess holds every scope, those of later
// versions too; it is not the same as the list of today's scopes.
type Scopes uint16

// FullAccess is the set shown as ["*"].
const FullAccess Scopes = 1 << 15

// only is the set of one scope; empty for AnyKey.
func (s Scope) only() Scopes { return 1 << s &^ (1 << AnyKey) }

// today is the set of every scope of this version.
const today Scopes = 1<<scopeCount - 1<<InvoicesRead

// effective is all that s permits, of the scopes there are today.
func (s Scopes) effective() Scopes {
	if s&FullAccess != 0 {
		return today
	}
	return s.withReads()
}

// ParseScopes reads wire names. nil means FullAccess; ["*"] spells it out. An
// empty list, an unknown name or "*" beside other names is ErrBadScopes.
func ParseScopes(names []string) (Scopes, error) {
	if names == nil {
		return FullAccess, nil
	}
	if len(names) == 0 {
		return 0, fmt.Errorf("%w: at least one scope is needed", ErrBadScopes)
	}
	if len(names) == 1 && names[0] == "*" {
		return FullAccess, nil
	}
	var set Scopes
next:
	for _, name := range names {
		for s := InvoicesRead; s < scopeCount; s++ {
			if scopeNames[s] == name {
				set |= 1 << s
				continue next
			}
		}
		return 0, fmt.Errorf("%w: %q", ErrBadScopes, name)
	}
	return set, nil
}

// Names lists the set as it was granted, ["*"] for FullAccess.
func (s Scopes) Names() []string {
	if s&FullAccess != 0 {
		return []string{"*"}
	}
	names := []string{}
	for sc := InvoicesRead; sc < scopeCount; sc++ {
		if s&(1<<sc) != 0 {
			names = append(names, scopeNames[sc])
		}
	}
	return names
}

// String is the names joined by commas.
func (s Scopes) String() string { return strings.Join(s.Names(), ",") }

// Allows reports whether the set permits need. A write scope includes its read scope.
func (s Scopes) Allows(need Scope) bool {
	return need == AnyKey || s&FullAccess != 0 || s.withReads()&(1<<need) != 0
}

// Covers reports whether whoever holds s may grant other: every permission in
// other is in s, and FullAccess is covered by FullAccess alone.
func (s Scopes) Covers(other Scopes) bool {
	return s&FullAccess != 0 || other&^s.withReads() == 0
}

// Both is what s and other permit alike.
func (s Scopes) Both(other Scopes) Scopes {
	switch {
	case s.Covers(other):
		return other
	case other.Covers(s):
		return s
	}
	return s.withReads() & other.withReads()
}

// withReads adds the read scope of every write scope: each pair lies side by side.
func (s Scopes) withReads() Scopes {
	const writes = 1<<InvoicesWrite | 1<<PartiesWrite | 1<<APIKeysWrite
	return s | s&writes>>1
}
