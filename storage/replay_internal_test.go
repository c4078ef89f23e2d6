package storage

import (
	"strings"
	"testing"

	"exante/auth"
)

// A copy that tells of another past than the backup gives no scope, and a key with
// nothing left is revoked: that is what an error leads to.
func TestScopesAreTakenAgainFromWhatThereIs(t *testing.T) {
	for _, c := range []struct{ has, then, want string }{
		{"*", "invoices:read", "invoices:read"},
		{"invoices:write", "invoices:read", "invoices:read"},
		{"invoices:read,parties:write", "invoices:write,parties:read", "invoices:read,parties:read"},
		{"invoices:read", "invoices:write", "no change"},
		{"invoices:read", "*", "no change"},
		{"*", "*", "no change"},
		{"invoices:write", "invoices:read,invoices:write", "no change"},
		{"invoices:read", "parties:read", "none that it has now"},
		{"invoices:read", "invoices:eat", `unknown or empty scopes: "invoices:eat"`},
		{"*", "", `unknown or empty scopes: ""`},
	} {
		key := &auth.Key{Scopes: must(auth.ParseScopes(strings.Split(c.has, ",")))}
		patch, narrower, err := scopesAgain(c.then, key)
		got := patch.Scopes.String()
		switch {
		case err != nil:
			got = err.Error()
		case !narrower:
			got = "no change"
		}
		if got != c.want {
			t.Errorf("%s, and %s in the end: %s, want %s", c.has, c.then, got, c.want)
		}
	}
}
