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

func TestKeyDraftIsRefused(t *testing.T) {
	v := openVault(t, func(o *storage.Options) { o.MaxExpiryDays = 90 })
	soon := v.clock.Now().Add(day)
	stranger, _ := storagetest.Org(t, v.Store, "Rival")
	foreigner, err := v.OwnerOf(t.Context(), stranger.ID)
	if err != nil {
		t.Fatal(err)
	}
	records := len(v.trail(0))
	for _, c := range []struct {
		change func(*storage.KeyDraft)
		want   string
	}{
		{func(d *storage.KeyDraft) { d.Name = "" }, "invalid: [name: must have 1 to 200 characters]"},
		{func(d *storage.KeyDraft) { d.Scopes = 0 }, "invalid: [scopes: at least one scope is needed]"},
		{func(d *storage.KeyDraft) { d.ExpiresAt = v.clock.Now() }, "invalid: [expires_in_days: must be in the future]"},
		{func(d *storage.KeyDraft) { d.ExpiresAt = time.Time{} }, "invalid: [expires_in_days: must be at most 90 days away]"},
		{func(d *storage.KeyDraft) { d.ExpiresAt = v.clock.Now().Add(90*day + time.Second) }, "invalid: [expires_in_days: must be at most 90 days away]"},
		{func(d *storage.KeyDraft) { d.UserID = foreigner.ID }, "invalid: [user_uid: no such user in this organization]"},
		{func(d *storage.KeyDraft) { d.Networks = make([]netip.Prefix, 1) }, "invalid: [allowed_cidrs: must be networks]"},
		{func(d *storage.KeyDraft) { d.Limits = auth.Limits{{Limit: 0, Every: time.Second}} },
			`invalid: [rate_limits: malformed rate limit: "0/1s" is not N/D with N 1..1000000000 and D 1s..31d]`},
	} {
		d := full("x")
		d.ExpiresAt = soon
		c.change(&d)
		_, token, err := v.CreateKey(t.Context(), v.by, d)
		refused(t, err, input.ErrInvalid, c.want)
		if !token.IsZero() {
			t.Errorf("%s: there is a token", c.want)
		}
	}
	runs := v.options.Hasher.Runs()
	if _, _, err := v.CreateKey(t.Context(), storagetest.Shell.In(uid.ID{1}), full("x")); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("in an organization that does not exist: %v", err)
	}
	if v.options.Hasher.Runs() != runs || runs != 0 {
		t.Errorf("what is refused cost %d hashes", v.options.Hasher.Runs())
	}
	if len(v.Keys(v.org.ID)) != 0 || len(v.trail(0)) != records {
		t.Error("a refused key left something behind")
	}
}

func TestKeyGrantsNoMoreThanItHas(t *testing.T) {
	v := openVault(t, nil)
	office := netip.MustParsePrefix("192.0.2.0/24")
	caller := v.mint(storage.KeyDraft{
		Name: "caller", Scopes: scopes(t, "invoices:write", "api_keys:write"), ExpiresAt: v.clock.Now().Add(10 * day),
		Networks: []netip.Prefix{office}, Limits: limits(t, "5/1s"),
	})
	fits := storage.KeyDraft{
		Name: "child", Scopes: scopes(t, "invoices:read"), ExpiresAt: caller.ExpiresAt,
		Networks: []netip.Prefix{netip.MustParsePrefix("192.0.2.7/32")},
	}
	for _, c := range []struct {
		change func(*storage.KeyDraft)
		want   string
	}{
		{func(d *storage.KeyDraft) { d.Scopes = auth.FullAccess }, "api key lacks the scope: scopes: wider than those of the key that asks"},
		{func(d *storage.KeyDraft) { d.Networks = nil }, "api key lacks the scope: allowed_cidrs: wider than those of the key that asks"},
		{func(d *storage.KeyDraft) { d.ExpiresAt = time.Time{} }, "api key lacks the scope: expires_in_days: later than the end of the key that asks"},
	} {
		d := fits
		c.change(&d)
		_, _, err := v.CreateKey(t.Context(), using(caller), d)
		refused(t, err, auth.ErrScope, c.want)
	}
	d := fits
	d.Limits = limits(t, "1/1s")
	_, _, err := v.CreateKey(t.Context(), using(caller), d)
	refused(t, err, input.ErrInvalid, "invalid: [rate_limits: only an operator sets them]")

	child, _, err := v.CreateKey(t.Context(), using(caller), fits)
	if err != nil || child.Limits.String() != "5/1s" || child.UserID != caller.UserID {
		t.Errorf("child %+v (%v), want the limits and the user of the key that asks", child, err)
	}
}

// A key can be revoked while the secret of another one is being hashed for it.
func TestRevokedKeyGrantsNothing(t *testing.T) {
	v := openVault(t, nil)
	admitted := using(v.mint(full("stolen")))
	other := v.mint(full("other"))
	v.revoke(admitted.Key.ID)
	if _, _, err := v.CreateKey(t.Context(), admitted, full("heir")); !errors.Is(err, auth.ErrRevoked) {
		t.Errorf("create: %v, want %v", err, auth.ErrRevoked)
	}
	if _, _, err := v.RotateKey(t.Context(), admitted, other.ID, 0, 0); !errors.Is(err, auth.ErrRevoked) {
		t.Errorf("rotate: %v, want %v", err, auth.ErrRevoked)
	}
	if n := len(v.Keys(v.org.ID)); n != 2 {
		t.Errorf("there are %d keys, want 2", n)
	}
}
