package admin_test

import (
	"slices"
	"testing"
	"time"

	"exante/auth"
	"exante/storage"
)

const day = 24 * time.Hour

// openAt makes a store in dir whose clock stands still.
func openAt(t *testing.T, dir string, now time.Time) *storage.Store {
	t.Helper()
	c := configOf(t, dir)
	hasher, err := auth.NewHasher(auth.HasherOptions{Params: c.Argon2()})
	if err != nil {
		t.Fatal(err)
	}
	store, err := storage.Open(storage.Options{
		Dir: dir, Create: true, Hasher: hasher, Environment: c.Auth.Environment, AuditCopy: c.AuditCopy(),
		Now: func() time.Time { return now },
	})
	if err != nil {
		t.Fatal(err)
	}
	return store
}

// neglect makes a store with keys that deserve a second look, each named after why, and
// two that do not.
func neglect(t *testing.T, dir string) {
	t.Helper()
	now := time.Now()
	store := openAt(t, dir, now.Add(-100*day))
	defer store.Close()
	org, _, err := store.CreateOrg(t.Context(), auth.Principal{Shell: true}, storage.OrgDraft{Name: "Blue Harbor"})
	if err != nil {
		t.Fatal(err)
	}
	var uses []auth.Use
	key := func(name string, end time.Time, used, watched time.Duration, scopes ...string) *auth.Key {
		k, _, err := store.CreateKey(t.Context(), auth.Principal{OrgID: org.ID, Shell: true}, storage.KeyDraft{
			Name: name, Scopes: scopesOf(t, "invoices:read", "parties:write"), ExpiresAt: end,
		})
		if err != nil {
			t.Fatal(err)
		}
		if used > 0 {
			last := auth.LastUse{At: now.Add(-used), WatchedSince: now.Add(-watched), Scopes: scopesOf(t, scopes...)}
			uses = append(uses, auth.Use{KeyID: k.ID, OrgID: k.OrgID, Last: last})
		}
		return &k
	}
	later, all := now.Add(200*day), []string{"invoices:read", "parties:write"}
	key("fine", later, day, 40*day, all...)
	key("never used", later, 0, 0)
	key("idle", later, 91*day, 99*day, all...)
	key("eternal", time.Time{}, day, 40*day, all...)
	key("reads-only", later, day, 40*day, "invoices:read")
	key("needs none", later, day, 40*day)
	key("ends soon", now.Add(10*day), day, 40*day, all...)
	key("all at once, with a name too long to show", time.Time{}, 91*day, 99*day, "invoices:read")
	gone := key("gone", time.Time{}, 0, 0)
	if _, err := store.RevokeKey(t.Context(), auth.Principal{OrgID: org.ID, Shell: true}, gone.ID, 0); err != nil {
		t.Fatal(err)
	}
	if err := store.RecordUse(t.Context(), uses); err != nil {
		t.Fatal(err)
	}
}

// scopesOf is the set of the names, be it empty.
func scopesOf(t *testing.T, names ...string) auth.Scopes {
	t.Helper()
	if len(names) == 0 {
		return 0
	}
	set, err := auth.ParseScopes(names)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

var hygiene = slices.Concat([]string{
	"keys list",
	"keys list --finding any",
	"keys list --finding any --json",
}, each("keys list --finding ", auth.FindingKinds()), []string{
	"keys list --finding ugly",
	"keys list --finding any --org tidewater",
	"keys set @reads-only --scopes invoices:read",
	"keys list --finding too_broad",
})

func each(line string, kinds []auth.FindingKind) []string {
	var lines []string
	for _, kind := range kinds {
		lines = append(lines, line+string(kind))
	}
	return lines
}

func TestFindingsOnAStoppedServer(t *testing.T) {
	dir := dataDir(t)
	neglect(t, dir)
	golden(t, "hygiene", transcript(t, dir, nil, hygiene))
}

func TestFindingsOnARunningServer(t *testing.T) {
	dir := dataDir(t)
	neglect(t, dir)
	golden(t, "hygiene", transcript(t, dir, run(t, dir).store, hygiene))
}
