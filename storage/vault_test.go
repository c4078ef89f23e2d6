package storage_test

import (
	"testing"
	"time"

	"exante/auth"
	"exante/auth/uid"
	"exante/storage"
	"exante/storage/storagetest"
)

// vault is a store with one organization, and an operator who keeps its keys.
type vault struct {
	tb testing.TB
	*storage.Store
	options storage.Options
	clock   *storagetest.Clock
	org     storage.Organization
	by      auth.Principal
}

func openVault(tb testing.TB, change func(*storage.Options)) *vault {
	tb.Helper()
	v := &vault{tb: tb, clock: storagetest.NewClock()}
	v.options = storagetest.Options(tb, v.clock)
	if change != nil {
		change(&v.options)
	}
	v.Store = storagetest.Reopen(tb, v.options)
	v.org, v.by = storagetest.Org(tb, v.Store, "Acme")
	return v
}

// reopen closes the store, verified, and opens it again.
func (v *vault) reopen() {
	v.tb.Helper()
	storagetest.Close(v.tb, v.Store)
	v.Store = storagetest.Reopen(v.tb, v.options)
}

// full is a draft of a key that may do everything for ever.
func full(name string) storage.KeyDraft { return storage.KeyDraft{Name: name, Scopes: auth.FullAccess} }

func scopes(tb testing.TB, names ...string) auth.Scopes {
	tb.Helper()
	s, err := auth.ParseScopes(names)
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

func limits(tb testing.TB, text string) auth.Limits {
	tb.Helper()
	l, err := auth.ParseLimits(text)
	if err != nil {
		tb.Fatal(err)
	}
	return l
}

func (v *vault) mint(d storage.KeyDraft) *auth.Key {
	v.tb.Helper()
	k, _, err := v.CreateKey(v.tb.Context(), v.by, d)
	if err != nil {
		v.tb.Fatalf("create api key %q: %v", d.Name, err)
	}
	return &k
}

func (v *vault) revoke(id uid.ID) *auth.Key {
	v.tb.Helper()
	k, err := v.RevokeKey(v.tb.Context(), v.by, id, 0)
	if err != nil {
		v.tb.Fatalf("revoke api key %s: %v", id, err)
	}
	return k
}

func (v *vault) rotate(id uid.ID, grace time.Duration) *auth.Key {
	v.tb.Helper()
	k, _, err := v.RotateKey(v.tb.Context(), v.by, id, grace, 0)
	if err != nil {
		v.tb.Fatalf("rotate api key %s: %v", id, err)
	}
	return &k
}

// key is the live record.
func (v *vault) key(id uid.ID) *auth.Key {
	v.tb.Helper()
	k, err := v.Key(v.org.ID, id)
	if err != nil {
		v.tb.Fatalf("api key %s: %v", id, err)
	}
	return k
}

// using is the principal of a request with k, as it was admitted.
func using(k *auth.Key) auth.Principal {
	return auth.Principal{OrgID: k.OrgID, UserID: k.UserID, Key: k}
}

// trail is what the audit log has after the first n records.
func (v *vault) trail(n uint64) []storage.AuditEntry {
	v.tb.Helper()
	entries, err := v.Audit(v.tb.Context(), storage.AuditQuery{After: n, Limit: 1000})
	if err != nil {
		v.tb.Fatalf("read the audit log: %v", err)
	}
	return entries
}
