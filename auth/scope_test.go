package auth_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"exante/auth"
)

func scopes(tb testing.TB, names ...string) auth.Scopes {
	tb.Helper()
	s, err := auth.ParseScopes(names)
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

func TestScopesParse(t *testing.T) {
	for _, c := range []struct{ in, want, err string }{
		{"*", "*", ""},
		{"invoices:read", "invoices:read", ""},
		{"api_keys:write,invoices:read", "invoices:read,api_keys:write", ""},
		{"invoices:read,invoices:read", "invoices:read", ""},
		{"invoices:read,invoices:write,parties:read,parties:write,api_keys:read,api_keys:write",
			"invoices:read,invoices:write,parties:read,parties:write,api_keys:read,api_keys:write", ""},
		{"", "", `unknown or empty scopes: ""`},
		{"*,invoices:read", "", `unknown or empty scopes: "*"`},
		{"invoices:delete", "", `unknown or empty scopes: "invoices:delete"`},
		{"Invoices:read", "", `unknown or empty scopes: "Invoices:read"`},
		{" invoices:read", "", `unknown or empty scopes: " invoices:read"`},
		{"invoices:read,bad\n", "", `unknown or empty scopes: "bad\n"`},
	} {
		got, err := auth.ParseScopes(strings.Split(c.in, ","))
		if errText(err) != c.err || err == nil && got.String() != c.want {
			t.Errorf("ParseScopes(%q) = %s, %v, want %s%s", c.in, got, err, c.want, c.err)
		}
		if err != nil && !errors.Is(err, auth.ErrBadScopes) {
			t.Errorf("ParseScopes(%q): %v is not ErrBadScopes", c.in, err)
		}
	}
	if s, err := auth.ParseScopes(nil); s != auth.FullAccess || err != nil {
		t.Errorf("ParseScopes(nil) = %s, %v, want full access", s, err)
	}
	if _, err := auth.ParseScopes([]string{}); errText(err) != "unknown or empty scopes: at least one scope is needed" {
		t.Errorf("ParseScopes of nothing: %v", err)
	}
}

// The whole table, written out: who may do what.
func TestScopesAllow(t *testing.T) {
	everything := []string{"invoices:read", "invoices:write", "parties:read", "parties:write", "api_keys:read", "api_keys:write"}
	for have, want := range map[string][]string{
		"*":                           everything,
		"invoices:read":               {"invoices:read"},
		"invoices:write":              {"invoices:read", "invoices:write"},
		"parties:read":                {"parties:read"},
		"parties:write":               {"parties:read", "parties:write"},
		"api_keys:read":               {"api_keys:read"},
		"api_keys:write":              {"api_keys:read", "api_keys:write"},
		"invoices:write,parties:read": {"invoices:read", "invoices:write", "parties:read"},
	} {
		set := scopes(t, strings.Split(have, ",")...)
		for _, need := range auth.AllScopes() {
			if got := set.Allows(need); got != slices.Contains(want, need.String()) {
				t.Errorf("%s allows %s: %t", have, need, got)
			}
		}
		if !set.Allows(auth.AnyKey) {
			t.Errorf("%s does not open what every key may", have)
		}
	}
	if auth.Scopes(0).Allows(auth.InvoicesRead) || !auth.Scopes(0).Allows(auth.AnyKey) {
		t.Error("no scopes allow something")
	}
	if names := auth.AllScopes(); len(names) != len(everything) || names[0].String() != everything[0] {
		t.Errorf("AllScopes() = %v", names)
	}
}

func TestScopesCover(t *testing.T) {
	all := "invoices:read,invoices:write,parties:read,parties:write,api_keys:read,api_keys:write"
	for _, c := range []struct {
		have, grant string
		want        bool
	}{
		{"*", "*", true},
		{"*", all, true},
		{all, "*", false}, // "*" holds the scopes of later versions too
		{all, all, true},
		{"invoices:write", "invoices:read", true},
		{"invoices:read", "invoices:write", false},
		{"invoices:write", "invoices:read,invoices:write", true},
		{"invoices:write", "parties:read", false},
		{"invoices:write,parties:write", "invoices:read,parties:read", true},
		{"api_keys:write", "api_keys:read,invoices:read", false},
	} {
		have, grant := scopes(t, strings.Split(c.have, ",")...), scopes(t, strings.Split(c.grant, ",")...)
		if got := have.Covers(grant); got != c.want {
			t.Errorf("%s covers %s: %t, want %t", have, grant, got, c.want)
		}
	}
}

// Both allows what each of the two allows, and is covered by both.
func TestBothAgreesWithAllows(t *testing.T) {
	all := auth.AllScopes()
	var sets []auth.Scopes
	for set := range auth.Scopes(1 << (len(all) + 1)) {
		if set&1 == 0 { // the bit of AnyKey is never set
			sets = append(sets, set)
		}
	}
	sets = append(sets, auth.FullAccess)
	for _, one := range sets {
		for _, other := range sets {
			both := one.Both(other)
			for _, need := range all {
				if got, want := both.Allows(need), one.Allows(need) && other.Allows(need); got != want {
					t.Fatalf("%s and %s allow %s: %t, want %t", one, other, need, got, want)
				}
			}
			if !one.Covers(both) || !other.Covers(both) {
				t.Fatalf("%s and %s: %s is wider", one, other, both)
			}
		}
	}
}

// Covering is exactly: whatever the grant allows, the granter allows.
func TestCoversAgreesWithAllows(t *testing.T) {
	all := auth.AllScopes()
	for have := range auth.Scopes(1 << (len(all) + 1)) {
		for grant := range auth.Scopes(1 << (len(all) + 1)) {
			want := true
			for _, need := range all {
				want = want && (!grant.Allows(need) || have.Allows(need))
			}
			if have&1 != 0 || grant&1 != 0 { // the bit of AnyKey is never set
				continue
			}
			if got := have.Covers(grant); got != want {
				t.Fatalf("%s covers %s: %t, want %t", have, grant, got, want)
			}
		}
	}
}
