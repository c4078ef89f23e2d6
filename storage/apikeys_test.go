package storage_test

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"exante/auth"
	"exante/auth/uid"
	"exante/storage"
	"exante/storage/input"
	"exante/storage/storagetest"
)

const day = 24 * time.Hour

func TestCreatedKeyIsLiveBeforeTheAnswer(t *testing.T) {
	v := openVault(t, nil)
	d := storage.KeyDraft{
		Name: "zapier", Scopes: scopes(t, "invoices:read"), ExpiresAt: v.clock.Now().Add(day),
		Networks: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}, Limits: limits(t, "5/1s,20/1m"),
	}
	key, token, err := v.CreateKey(t.Context(), v.by, d)
	if err != nil {
		t.Fatal(err)
	}
	live := v.key(key.ID)
	if live.Name != "zapier" || live.Scopes != d.Scopes || live.Limits.String() != "5/1s,20/1m" || !live.ExpiresAt.Equal(d.ExpiresAt) ||
		!slices.Equal(live.Networks, d.Networks) || live.Tag != token.Tag() || live.Snippet != token.Snippet() || live.Version != 1 {
		t.Errorf("the keyring has %+v", live)
	}
	if ok, err := v.options.Hasher.Matches(t.Context(), token, live.Hash); !ok || err != nil {
		t.Errorf("the token does not match the hash: %v", err)
	}
	owner, err := v.OwnerOf(t.Context(), v.org.ID)
	if err != nil || live.UserID != owner.ID {
		t.Errorf("the key belongs to %s, want the owner, %s (%v)", live.UserID, owner.ID, err)
	}
	d.Networks[0] = netip.MustParsePrefix("0.0.0.0/0")
	if v.key(key.ID).Networks[0].Bits() != 24 {
		t.Error("the caller's slice is part of the record")
	}
}

func TestKeysSurviveARestart(t *testing.T) {
	v := openVault(t, nil)
	v.clock.Advance(123_456_789) // what the disk does not keep is in no answer either
	v.mint(storage.KeyDraft{
		Name: "narrow", Scopes: scopes(t, "parties:write"), ExpiresAt: v.clock.Now().Add(day),
		Networks: []netip.Prefix{netip.MustParsePrefix("2001:db8::/32")}, Limits: limits(t, "7/1d"),
	})
	rotated := v.mint(full("rotated"))
	v.rotate(rotated.ID, 3*day)
	v.revoke(v.mint(full("revoked")).ID)
	before := v.Keys(v.org.ID)
	v.reopen()
	after := v.Keys(v.org.ID)
	if len(before) != 4 || len(after) != 4 {
		t.Fatalf("%d keys before, %d after, want 4", len(before), len(after))
	}
	for i := range before {
		if b, a := show(before[i]), show(after[i]); a != b {
			t.Errorf("before %s\nafter  %s", b, a)
		}
	}
}

func TestRevocationBindsBeforeTheAnswer(t *testing.T) {
	v := openVault(t, nil)
	var all sync.WaitGroup
	for range 8 {
		keys := []*auth.Key{v.mint(full("a")), v.mint(full("b")), v.mint(full("c"))}
		all.Go(func() {
			for _, k := range keys {
				if _, err := v.RevokeKey(context.Background(), v.by, k.ID, 0); err != nil {
					t.Error(err)
				}
				if live, known := v.Keyring().Get(k.ID); !known || !errors.Is(live.Usable(v.clock.Now()), auth.ErrRevoked) {
					t.Error("a revoked key is still good in the keyring")
				}
			}
		})
	}
	all.Wait()
}

func TestFirstRevocationStands(t *testing.T) {
	v := openVault(t, nil)
	id := v.mint(full("x")).ID
	first := v.revoke(id)
	if !first.RevokedAt.Equal(v.clock.Now()) || first.Version != 2 {
		t.Errorf("revoked at %s, version %d", first.RevokedAt, first.Version)
	}
	records := uint64(len(v.trail(0)))
	v.clock.Advance(time.Hour)
	if again := v.revoke(id); show(again) != show(first) {
		t.Errorf("a second revocation made of %s\n%s", show(first), show(again))
	}
	if more := v.trail(records); len(more) != 0 {
		t.Errorf("a second revocation wrote %v", more)
	}
}

func TestRevocationOfAKeyThatHasEnded(t *testing.T) {
	v := openVault(t, nil)
	expired := storage.KeyDraft{Name: "expired", Scopes: auth.FullAccess, ExpiresAt: v.clock.Now().Add(day)}
	expires, retires, retired := v.mint(expired), v.mint(full("retires")), v.mint(full("retired"))
	v.rotate(retires.ID, 5*day)
	v.rotate(retired.ID, day)
	v.clock.Advance(2 * day)
	now := v.clock.Now()
	if k := v.revoke(expires.ID); !k.RevokedAt.Equal(now) || k.State(now) != auth.Revoked {
		t.Errorf("an expired key: %s", show(k))
	}
	if k := v.revoke(retires.ID); !k.RevokedAt.Equal(now) {
		t.Errorf("a retiring key: %s", show(k))
	}
	if k := v.revoke(retired.ID); !k.RevokedAt.IsZero() || !k.RevokedBy(now).Equal(k.RetiresAt) {
		t.Errorf("a retired key has been revoked already: %s", show(k))
	}
}

func TestForeignKeyIsAbsent(t *testing.T) {
	v := openVault(t, nil)
	mine := v.mint(full("mine"))
	_, rival := storagetest.Org(t, v.Store, "Rival")
	records := uint64(len(v.trail(0)))
	for _, id := range []uid.ID{mine.ID, {1, 2, 3}, {}} {
		_, err := v.Key(rival.OrgID, id)
		refused(t, err, storage.ErrNotFound, "no such record")
		_, err = v.RevokeKey(t.Context(), rival, id, 0)
		refused(t, err, storage.ErrNotFound, "no such record")
		_, _, err = v.RotateKey(t.Context(), rival, id, 0, 0)
		refused(t, err, storage.ErrNotFound, "no such record")
		_, err = v.Activity(t.Context(), rival.OrgID, id, v.clock.Now(), v.clock.Now())
		refused(t, err, storage.ErrNotFound, "no such record")
	}
	if len(v.Keys(rival.OrgID)) != 0 {
		t.Error("another organization lists the key")
	}
	if v.key(mine.ID).Version != 1 || len(v.trail(records)) != 0 {
		t.Error("another organization changed the key")
	}
	if found, err := v.FindKey(mine.ID); err != nil || found.OrgID != v.org.ID {
		t.Errorf("the shell finds %v (%v)", found, err)
	}
	_, err := v.FindKey(uid.ID{1})
	refused(t, err, storage.ErrNotFound, "no such record")
}

func TestHashIsUpgradedOnlyIfNothingElseChanged(t *testing.T) {
	v := openVault(t, nil)
	k, token, err := v.CreateKey(t.Context(), v.by, full("x"))
	if err != nil {
		t.Fatal(err)
	}
	better, err := v.options.Hasher.Hash(t.Context(), token)
	if err != nil {
		t.Fatal(err)
	}
	if err := v.UpgradeHash(t.Context(), k.ID, k.Version, better); err != nil {
		t.Fatal(err)
	}
	if now := v.key(k.ID); now.Hash.PHC() != better.PHC() || now.Version != 2 {
		t.Errorf("version %d, and the hash is another one: %t", now.Version, now.Hash.PHC() != better.PHC())
	}
	v.revoke(k.ID)
	err = v.UpgradeHash(t.Context(), k.ID, 2, k.Hash)
	refused(t, err, storage.ErrConflict, "version does not match")
	if now := v.key(k.ID); now.Usable(v.clock.Now()) == nil || now.Hash.PHC() != better.PHC() {
		t.Error("a late upgrade undid a revocation")
	}
	err = v.UpgradeHash(t.Context(), uid.ID{1}, 1, better)
	refused(t, err, storage.ErrNotFound, "no such record")
}

func TestBusyGateIsReportedAsItIs(t *testing.T) {
	hasher, err := auth.NewHasher(auth.HasherOptions{
		Params: auth.Params{MemoryKiB: 64 << 10, Iterations: 10, Parallelism: 1}, Slots: 1, Queue: 1, MaxWait: time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	v := openVault(t, func(o *storage.Options) { o.Hasher = hasher })
	var all sync.WaitGroup
	busy := make(chan error, 4)
	for range cap(busy) {
		all.Go(func() {
			_, _, err := v.CreateKey(context.Background(), v.by, full("x"))
			busy <- err
		})
	}
	all.Wait()
	close(busy)
	made, refusedBusy := 0, 0
	for err := range busy {
		var b *auth.BusyError
		switch {
		case err == nil:
			made++
		case errors.As(err, &b) && b.RetryAfter > 0:
			refusedBusy++
		default:
			t.Errorf("got %v", err)
		}
	}
	if made == 0 || refusedBusy == 0 || len(v.Keys(v.org.ID)) != made {
		t.Errorf("%d made, %d refused, %d there", made, refusedBusy, len(v.Keys(v.org.ID)))
	}
}

// dry is a source of randomness that has failed.
type dry struct{}

func (dry) Read([]byte) (int, error) { return 0, errors.New("the source is dry") }

func TestNoKeyWithoutRandomness(t *testing.T) {
	v := openVault(t, nil)
	old := v.mint(full("old"))
	v.options.Rand = dry{}
	v.reopen()
	for what, err := range map[string]error{
		"create key":          lastOf(v.CreateKey(t.Context(), v.by, full("x"))),
		"rotate key":          lastOf(v.RotateKey(t.Context(), v.by, old.ID, 0, 0)),
		"create organization": lastOf(v.CreateOrg(t.Context(), v.by, storage.OrgDraft{Name: "x"})),
	} {
		if err == nil || err.Error() != "read randomness for a uid: the source is dry" {
			t.Errorf("%s: %v", what, err)
		}
	}
	if len(v.Keys(v.org.ID)) != 1 || v.key(old.ID).Version != 1 {
		t.Error("something changed")
	}
}

func lastOf[A, B any](_ A, _ B, err error) error { return err }

// A secret that was minted elsewhere opens the key that it was brought for, and
// never a second one.
func TestKeyWithASecretOfItsOwn(t *testing.T) {
	v := openVault(t, nil)
	token, err := auth.Mint(auth.Live, nil)
	if err != nil {
		t.Fatal(err)
	}
	d := full("declared")
	d.Token = token
	key, shown, err := v.CreateKey(t.Context(), auth.System(v.org.ID), d)
	if err != nil || shown.Reveal() != token.Reveal() || key.Tag != token.Tag() || key.Snippet != token.Snippet() {
		t.Fatalf("CreateKey = %+v, %v", key, err)
	}
	if ok, err := v.options.Hasher.Matches(t.Context(), token, v.key(key.ID).Hash); !ok || err != nil {
		t.Errorf("the token does not match the hash: %v", err)
	}
	if _, _, err := v.CreateKey(t.Context(), auth.System(v.org.ID), d); !errors.Is(err, storage.ErrExists) {
		t.Errorf("a second key with the same secret: %v", err)
	}
	asks := v.mint(full("asks"))
	if d.Token, err = auth.Mint(auth.Live, nil); err != nil {
		t.Fatal(err)
	}
	by := auth.Principal{OrgID: v.org.ID, UserID: asks.UserID, Key: asks}
	if _, _, err := v.CreateKey(t.Context(), by, d); !errors.Is(err, input.ErrInvalid) {
		t.Errorf("a key that chooses the secret of another: %v", err)
	}
}
