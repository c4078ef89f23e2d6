package storage_test

import (
	"errors"
	"net/netip"
	"testing"
	"time"

	"exante/auth"
	"exante/auth/uid"
	"exante/storage"
	"exante/storage/input"
	"exante/storage/storagetest"
)

func TestKeyChangesAtOnceInWhatIsGiven(t *testing.T) {
	v := openVault(t, nil)
	k, r := v.keyFor(uid.ID{})
	gate := v.gate()
	admit := func() error {
		_, err := gate.Admit(t.Context(), r)
		return err
	}
	r.Addr = netip.MustParseAddr("192.0.2.1")
	if err := admit(); err != nil {
		t.Fatal(err)
	}
	v.clock.Advance(time.Second)
	before := uint64(len(v.trail(0)))
	inside := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	got, err := v.UpdateKey(t.Context(), v.by, k.ID, storage.KeyPatch{Networks: &inside})
	if err != nil || got.Version != 2 || got.Name != "k" || !got.UpdatedAt.Equal(v.clock.Now()) {
		t.Fatalf("%s, %v", show(got), err)
	}
	if err := admit(); !errors.Is(err, auth.ErrNetwork) {
		t.Errorf("from outside the networks: %v", err)
	}
	one := limits(t, "1/1h")
	if _, err := v.UpdateKey(t.Context(), v.by, k.ID, storage.KeyPatch{Networks: &[]netip.Prefix{}, Limits: &one, Name: new(" Erp ")}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []error{nil, auth.ErrLimited} {
		if err := admit(); !errors.Is(err, want) {
			t.Errorf("under the new limit: %v, want %v", err, want)
		}
	}
	v.reopen()
	if k := v.key(k.ID); k.Name != "Erp" || len(k.Networks) != 0 || k.Limits.String() != "1/1h" {
		t.Errorf("after a restart: %s", show(k))
	}
	same, err := v.UpdateKey(t.Context(), v.by, k.ID, storage.KeyPatch{Limits: &one, Name: new("Erp")})
	if err != nil || same.Version != 3 {
		t.Errorf("no change: %s, %v", show(same), err)
	}
	if _, err := v.UpdateKey(t.Context(), v.by, k.ID, storage.KeyPatch{Limits: new(auth.Limits)}); err != nil {
		t.Fatal(err)
	}
	more := v.trail(before)
	if len(more) != 3 || more[0].Action != "key.update" || more[0].Detail["fields"] != "allowed_cidrs" || more[0].Detail["allowed_cidrs"] != "10.0.0.0/8" ||
		more[1].Detail["fields"] != "name allowed_cidrs rate_limits" || more[1].Detail["rate_limits"] != "1/1h" ||
		more[2].Detail["rate_limits_before"] != "1/1h" || more[2].Detail["rate_limits"] != "" {
		t.Errorf("audit log: %+v", more)
	}
}

func TestKeyThatHasEndedStaysAsItIs(t *testing.T) {
	v := openVault(t, nil)
	patch := storage.KeyPatch{Name: new("x")}
	gone := v.mint(full("gone")).ID
	v.revoke(gone)
	_, err := v.UpdateKey(t.Context(), v.by, gone, patch)
	refused(t, err, storage.ErrKeyEnded, "api key has ended and stays as it is: it is revoked")
	d := full("short")
	d.ExpiresAt = v.clock.Now().Add(time.Hour)
	short := v.mint(d).ID
	old := v.mint(full("old")).ID
	v.rotate(old, day)
	v.clock.Advance(time.Hour)
	_, err = v.UpdateKey(t.Context(), v.by, short, patch)
	refused(t, err, storage.ErrKeyEnded, "api key has ended and stays as it is: it is expired")
	if k, err := v.UpdateKey(t.Context(), v.by, old, patch); err != nil || k.Name != "x" || k.RetiresAt.IsZero() {
		t.Errorf("a retiring key: %v", err)
	}
	_, rival := storagetest.Org(t, v.Store, "Rival")
	_, err = v.UpdateKey(t.Context(), rival, old, patch)
	refused(t, err, storage.ErrNotFound, "no such record")
	_, err = v.UpdateKey(t.Context(), using(v.key(old)), old, patch)
	if !errors.Is(err, input.ErrInvalid) {
		t.Errorf("a key changes itself: %v", err)
	}
	_, err = v.UpdateKey(t.Context(), v.by, old, storage.KeyPatch{Name: new("")})
	if !errors.Is(err, input.ErrInvalid) {
		t.Errorf("no name: %v", err)
	}
}

// A user takes scopes from a key, and can't give any: the next request is judged by
// those that are left, and the audit copy has it before the answer.
func TestUserNarrowsAKey(t *testing.T) {
	v := openWitnessed(t)
	ann := v.user("ann@example.com", storage.Admin)
	by := auth.Principal{OrgID: v.org.ID, UserID: ann.ID}
	k, r := v.keyFor(ann.ID)
	few := limits(t, "5/1m") // of an operator: they are not in the way of a user who changes something else
	v.patch(k.ID, storage.KeyPatch{Limits: &few})
	gate := v.gate()
	narrow := func(names ...string) (*auth.Key, error) {
		set := auth.Scopes(0)
		if len(names) > 0 {
			set = scopes(t, names...)
		}
		return v.UpdateKey(t.Context(), by, k.ID, storage.KeyPatch{Scopes: &set})
	}
	if _, err := gate.Admit(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	before := uint64(len(v.trail(0)))
	got, err := narrow("invoices:write", "parties:read")
	if err != nil || got.Scopes.String() != "invoices:write,parties:read" || got.Limits.String() != "5/1m" {
		t.Fatalf("%s, %v", show(got), err)
	}
	var copied storage.AuditEntry
	if _, err := storage.ReadAuditCopy(v.options.AuditCopy, func(e storage.AuditEntry, _ bool) error { copied = e; return nil }); err != nil {
		t.Fatal(err)
	}
	if last := v.trail(before); len(last) != 1 || copied.Seq != last[0].Seq || copied.Actor.Kind != storage.ByUser || copied.Actor.UserID != ann.ID ||
		copied.Detail["fields"] != "scopes" || copied.Detail["scopes"] != "invoices:write,parties:read" || copied.Detail["scopes_before"] != "*" {
		t.Errorf("the audit copy ends with %+v, the log with %+v", copied, last)
	}
	r.Scope = auth.PartiesWrite
	if _, err := gate.Admit(t.Context(), r); !errors.Is(err, auth.ErrScope) {
		t.Errorf("what it may not do any more: %v", err)
	}
	for _, wider := range [][]string{{"invoices:write", "api_keys:read"}, {"parties:write"}, {"*"}} {
		_, err := narrow(wider...)
		refused(t, err, input.ErrInvalid, "invalid: [scopes: must be within those that it has: a key that may do more is a new key]")
	}
	_, err = narrow()
	refused(t, err, input.ErrInvalid, "invalid: [scopes: at least one scope is needed]")
	if _, err := narrow("invoices:read"); err != nil {
		t.Errorf("what is part of a scope to write: %v", err)
	}
	if k := v.key(k.ID); k.Scopes.String() != "invoices:read" || k.Version != 4 {
		t.Errorf("in the end: %s", show(k))
	}
	v.reopen()
	if k := v.key(k.ID); k.Scopes.String() != "invoices:read" {
		t.Errorf("after a restart: %s", show(k))
	}
}

// A user changes what he could have in a new key; a key changes nothing.
func TestUserChangesAKeyWithinHisOwnRights(t *testing.T) {
	v := openVault(t, func(o *storage.Options) { o.Limits = limits(t, "600/1m") })
	user := auth.Principal{OrgID: v.org.ID, UserID: v.user("ann@example.com", storage.Owner).ID}
	k := v.mint(full("k"))
	read := scopes(t, "invoices:read")
	few, many, more := limits(t, "60/1m,2000/1d"), limits(t, "1000/1s"), limits(t, "900/1m")
	refuse := func(limits auth.Limits) {
		t.Helper()
		_, err := v.UpdateKey(t.Context(), user, k.ID, storage.KeyPatch{Name: new("x"), Limits: &limits})
		refused(t, err, input.ErrInvalid, "invalid: [rate_limits: must not allow more than 600/1m: only an operator lifts that]")
	}
	refuse(many)
	_, _, err := v.CreateKey(t.Context(), user, storage.KeyDraft{Name: "x", Scopes: read, Limits: many})
	refused(t, err, input.ErrInvalid, "invalid: [rate_limits: must not allow more than 600/1m: only an operator lifts that]")
	_, err = v.UpdateKey(t.Context(), using(k), k.ID, storage.KeyPatch{Scopes: &read})
	refused(t, err, input.ErrInvalid, "invalid: [api_key: no key changes it]")
	if got := v.key(k.ID); got.Version != 1 || got.Name != "k" {
		t.Errorf("it was changed: %s", show(got))
	}
	got, err := v.UpdateKey(t.Context(), user, k.ID, storage.KeyPatch{Name: new("x"), Networks: prefixes("10.0.0.0/8"), Limits: &few})
	if err != nil || got.Name != "x" || got.Limits.String() != "60/1m,2000/24h" || len(got.Networks) != 1 {
		t.Errorf("what he may: %s, %v", show(got), err)
	}
	v.patch(k.ID, storage.KeyPatch{Limits: &more}) // by an operator, who lifts it
	if _, err := v.UpdateKey(t.Context(), user, k.ID, storage.KeyPatch{Limits: &more}); err != nil {
		t.Errorf("what it has already: %v", err)
	}
	if _, _, err := v.CreateKey(t.Context(), user, storage.KeyDraft{Name: "y", Scopes: read, Limits: few}); err != nil {
		t.Errorf("a new key with few: %v", err)
	}
	if got, err := v.UpdateKey(t.Context(), v.by, k.ID, storage.KeyPatch{Scopes: &read}); err != nil || got.Scopes != read {
		t.Errorf("an operator narrows it: %v", err)
	}
}

// The end of a key comes sooner, and never later.
func TestKeyIsMadeToEndSooner(t *testing.T) {
	v := openWitnessed(t)
	user := auth.Principal{OrgID: v.org.ID, UserID: v.user("ann@example.com", storage.Admin).ID}
	k := v.mint(full("k"))
	now := v.clock.Now()
	set := func(end time.Time) error {
		_, err := v.UpdateKey(t.Context(), user, k.ID, storage.KeyPatch{ExpiresAt: &end})
		return err
	}
	refused(t, set(now), input.ErrInvalid, "invalid: [expires_at: must be in the future]")
	if err := errors.Join(set(time.Time{}), set(now.Add(90*day)), set(now.Add(30*day)), set(now.Add(30*day))); err != nil {
		t.Fatal(err)
	}
	for _, later := range []time.Time{now.Add(31 * day), {}} {
		refused(t, set(later), input.ErrInvalid, "invalid: [expires_at: must be sooner than it is: a key that lives longer is a new key]")
	}
	if last := v.trail(0); last[len(last)-1].Detail["expires_at_before"] != "2027-02-21T09:30:00.000Z" || last[len(last)-1].Detail["fields"] != "expires_at" {
		t.Errorf("audit log: %v", last[len(last)-1].Detail)
	}
	v.reopen()
	if got := v.key(k.ID); !got.ExpiresAt.Equal(now.Add(30*day)) || got.Version != 3 {
		t.Errorf("in the end: %s", show(got))
	}
	v.clock.Advance(30 * day)
	refused(t, set(now.Add(29*day)), storage.ErrKeyEnded, "api key has ended and stays as it is: it is expired")
}

// A user who has been disabled while he asked leaves no key behind, not even as
// somebody else's.
func TestDisabledUserMakesNoKey(t *testing.T) {
	v := openVault(t, nil)
	ann, ben := v.user("ann@example.com", storage.Admin), v.user("ben@example.com", storage.Admin)
	old, _ := v.keyFor(ben.ID)
	by := auth.Principal{OrgID: v.org.ID, UserID: ann.ID}
	ask := func() (create, rotate error) {
		_, _, create = v.CreateKey(t.Context(), by, storage.KeyDraft{Name: "x", UserID: ben.ID, Scopes: auth.FullAccess})
		_, _, rotate = v.RotateKey(t.Context(), by, old.ID, day, 0)
		return create, rotate
	}
	if _, err := v.DisableUser(t.Context(), v.by, ann.ID); err != nil {
		t.Fatal(err)
	}
	create, rotate := ask()
	refused(t, create, storage.ErrUserDisabled, "user is disabled: ann@example.com")
	refused(t, rotate, storage.ErrUserDisabled, "user is disabled: ann@example.com")
	if n := len(v.Keys(v.org.ID)); n != 1 {
		t.Errorf("%d keys", n)
	}
	if _, err := v.EnableUser(t.Context(), v.by, ann.ID); err != nil {
		t.Fatal(err)
	}
	if create, rotate := ask(); create != nil || rotate != nil {
		t.Errorf("once he is enabled: %v, %v", create, rotate)
	}
}
