package storage_test

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"exante/auth"
	"exante/storage"
	"exante/storage/input"
)

// show is all of a key but its hash, in one line.
func show(k *auth.Key) string {
	return fmt.Sprintf("%s org %s user %s %q %s tag %x hash %d %s %v %s created %s updated %s expires %s revoked %s retires %s to %s from %s v%d",
		k.ID, k.OrgID, k.UserID, k.Name, k.Snippet, k.Tag, len(k.Hash.PHC()), k.Scopes, k.Networks, k.Limits,
		k.CreatedAt, k.UpdatedAt, k.ExpiresAt, k.RevokedAt, k.RetiresAt, k.RotatedTo, k.RotatedFrom, k.Version)
}

func TestRotationCopiesAllButTheSecret(t *testing.T) {
	v := openVault(t, nil)
	old := v.mint(storage.KeyDraft{
		Name: "erp", Scopes: scopes(t, "invoices:write"), ExpiresAt: v.clock.Now().Add(30 * day),
		Networks: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}, Limits: limits(t, "9/1m"),
	})
	v.clock.Advance(20 * day)
	now := v.clock.Now()
	next := v.rotate(old.ID, 7*day)
	old = v.key(old.ID)

	if next.Name != "erp" || next.Scopes != old.Scopes || next.UserID != old.UserID || next.Limits.String() != "9/1m" ||
		fmt.Sprint(next.Networks) != "[192.0.2.0/24]" {
		t.Errorf("successor %s", show(next))
	}
	if next.Tag == old.Tag || next.Hash.PHC() == old.Hash.PHC() || next.ID == old.ID {
		t.Error("the successor has something of the old secret")
	}
	if !next.ExpiresAt.Equal(now.Add(30 * day)) {
		t.Errorf("the successor ends %s, want as many days from now as the first had", next.ExpiresAt)
	}
	if old.RotatedTo != next.ID || next.RotatedFrom != old.ID || !old.RetiresAt.Equal(now.Add(7*day)) || !old.UpdatedAt.Equal(now) {
		t.Errorf("old key %s", show(old))
	}
	if s := old.State(now); s != auth.Retiring {
		t.Errorf("the old key is %s", s)
	}
	if s := old.State(now.Add(7 * day)); s != auth.Revoked {
		t.Errorf("after its grace the old key is %s", s)
	}
}

func TestRotationWithoutGraceRevokesAtOnce(t *testing.T) {
	v := openVault(t, nil)
	id := v.mint(full("x")).ID
	next := v.rotate(id, 0)
	old := v.key(id)
	if !old.RevokedAt.Equal(v.clock.Now()) || !old.RetiresAt.Equal(old.RevokedAt) || old.RotatedTo != next.ID {
		t.Errorf("old key %s", show(old))
	}
	if !next.ExpiresAt.IsZero() {
		t.Errorf("the successor of a key that never ends ends %s", next.ExpiresAt)
	}
}

func TestOnlyAnActiveKeyIsRotated(t *testing.T) {
	v := openVault(t, nil)
	revoked, retiring := v.mint(full("revoked")), v.mint(full("retiring"))
	expired := v.mint(storage.KeyDraft{Name: "expired", Scopes: auth.FullAccess, ExpiresAt: v.clock.Now().Add(time.Hour)})
	v.revoke(revoked.ID)
	v.rotate(retiring.ID, day)
	v.clock.Advance(time.Hour)
	for _, k := range []*auth.Key{revoked, retiring, expired} {
		_, _, err := v.RotateKey(t.Context(), v.by, k.ID, 0, 0)
		refused(t, err, storage.ErrKeyNotActive, "api key is not active")
	}
	for _, grace := range []time.Duration{-1, 30*day + 1} {
		_, _, err := v.RotateKey(t.Context(), v.by, revoked.ID, grace, 0)
		refused(t, err, input.ErrInvalid, "invalid: [grace_days: must be from 0 to 30]")
	}
}

func TestRotationReachesNoFurtherThanTheKeyThatAsks(t *testing.T) {
	v := openVault(t, nil)
	home := netip.MustParsePrefix("192.0.2.0/24")
	caller := v.mint(storage.KeyDraft{
		Name: "caller", Scopes: scopes(t, "invoices:write", "api_keys:write"), ExpiresAt: v.clock.Now().Add(10 * day),
		Networks: []netip.Prefix{home}, Limits: limits(t, "5/1s,100/1m"),
	})
	fits := storage.KeyDraft{
		Name: "fits", Scopes: scopes(t, "invoices:read"), Networks: []netip.Prefix{home}, Limits: limits(t, "5/1s,50/1m,1000/1d"),
	}
	for _, c := range []struct {
		change func(*storage.KeyDraft)
		want   string
	}{
		{func(d *storage.KeyDraft) { d.Scopes = auth.FullAccess }, "scopes"},
		{func(d *storage.KeyDraft) { d.Networks = nil }, "allowed_cidrs"},
		{func(d *storage.KeyDraft) { d.Limits = nil }, "rate_limits"},
		{func(d *storage.KeyDraft) { d.Limits = limits(t, "5/1s,101/1m") }, "rate_limits"},
		{func(d *storage.KeyDraft) { d.Limits = limits(t, "5/1s") }, "rate_limits"},
	} {
		d := fits
		c.change(&d)
		k := v.mint(d)
		_, _, err := v.RotateKey(t.Context(), using(caller), k.ID, 0, 0)
		refused(t, err, auth.ErrScope, "api key lacks the scope: "+c.want+": wider than those of the key that asks")
		if v.key(k.ID).Version != 1 {
			t.Error("a refused rotation changed the key")
		}
	}
	old := v.mint(fits)
	next, _, err := v.RotateKey(t.Context(), using(caller), old.ID, 0, 0)
	if err != nil || !next.ExpiresAt.Equal(caller.ExpiresAt) {
		t.Errorf("the successor ends %s (%v), want no later than the key that asks, %s", next.ExpiresAt, err, caller.ExpiresAt)
	}
}

func TestRotatedKeyEndsNoLaterThanTheBound(t *testing.T) {
	v := openVault(t, nil)
	id := v.mint(full("made before there was a bound")).ID
	v.options.MaxExpiryDays = 30
	v.reopen()
	if next := v.rotate(id, 0); !next.ExpiresAt.Equal(v.clock.Now().Add(30 * day)) {
		t.Errorf("the successor ends %s", next.ExpiresAt)
	}
}
