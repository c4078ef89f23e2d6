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
