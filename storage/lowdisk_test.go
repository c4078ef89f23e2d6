package storage_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"exante/auth"
	"exante/storage"
	"exante/storage/billing"
	"exante/storage/kv/disk"
	"exante/storage/kv/disk/disktest"
	"exante/storage/storagetest"
)

const mib = 1 << 20

// lowStore is a store on a file system of 160 MiB, with an organization. Its soft
// limit is 64 MiB, its hard limit 16 MiB.
func lowStore(t *testing.T) (*storage.Store, string, auth.Principal) {
	t.Helper()
	dir := disktest.Mount(t, 160*mib)
	s, _ := storagetest.Open(t, func(o *storage.Options) { o.Dir, o.MinFree = dir, 64*mib })
	_, by := storagetest.Org(t, s, "Acme")
	waitUntil(t, "the ballast is made", func() bool { return s.Disk().Ballast > 0 })
	return s, dir, by
}

func waitUntil(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within 10 s", what)
		}
	}
}

func newKey(t *testing.T, s *storage.Store, by auth.Principal, name string) auth.Key {
	t.Helper()
	users, err := s.Users(t.Context(), by.OrgID)
	if err != nil {
		t.Fatal(err)
	}
	k, _, err := s.CreateKey(t.Context(), by, storage.KeyDraft{Name: name, UserID: users[0].ID, Scopes: auth.FullAccess})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestRevocationsUseTheReserve(t *testing.T) {
	s, dir, by := lowStore(t)
	a, b := newKey(t, s, by, "a"), newKey(t, s, by, "b")
	empty := disktest.Fill(t, dir, 30*mib)
	name := "Client"
	_, err := s.CreateParty(t.Context(), by, billing.PartyPatch{Name: &name})
	var low *disk.LowError
	if !errors.Is(err, storage.ErrLowDisk) || !errors.As(err, &low) || low.Missing < 34*mib || low.Missing > 43*mib {
		t.Errorf("a new party: %v", err)
	}
	if _, err := s.RevokeKey(t.Context(), by, a.ID, 0); err != nil {
		t.Errorf("a revocation between the limits: %v", err)
	}
	read, _ := auth.ParseScopes([]string{"invoices:read"})
	if _, err := s.UpdateKey(t.Context(), by, b.ID, storage.KeyPatch{Scopes: &read}); err != nil {
		t.Errorf("a key with less scopes between the limits: %v", err)
	}
	if k, _ := s.Keyring().Get(a.ID); k == nil || k.RevokedAt.IsZero() {
		t.Error("the revocation does not bind")
	}
	rest := disktest.Fill(t, dir, 10*mib)
	if _, err := s.RevokeKey(t.Context(), by, b.ID, 0); !errors.Is(err, storage.ErrLowDisk) {
		t.Errorf("a revocation below the hard limit: %v", err)
	}
	if _, err := s.RevokeKey(t.Context(), by, a.ID, 0); err != nil {
		t.Errorf("a revocation that was made before: %v", err)
	}
	if _, err := s.Verify(t.Context(), nil); err != nil {
		t.Errorf("verify on a full disk: %v", err)
	}
	rest()
	empty()
	waitUntil(t, "space is back", func() bool { return !s.Disk().Low })
	if _, err := s.CreateParty(t.Context(), by, billing.PartyPatch{Name: &name}); err != nil {
		t.Errorf("a new party when space is back: %v", err)
	}
}

// What is written of the use of keys, at each height of the disk.
func TestUseOfKeysOnALowDisk(t *testing.T) {
	s, dir, by := lowStore(t)
	k := newKey(t, s, by, "a")
	limits, err := auth.ParseLimits("600/1m")
	if err != nil {
		t.Fatal(err)
	}
	lease := auth.Use{KeyID: k.ID, OrgID: by.OrgID, Meters: []auth.MeterState{{Window: limits[0], Leased: 30, LeaseEnd: storagetest.Begin}}}
	count := auth.Use{KeyID: k.ID, OrgID: by.OrgID, Buckets: []auth.Bucket{{Hour: storagetest.Begin.Truncate(time.Hour), Requests: 1}}}
	final := count
	final.Final = true
	for _, c := range []struct {
		leave               int64
		lease, count, final bool
	}{{80, true, true, true}, {50, true, false, true}, {30, false, false, true}, {10, false, false, false}} {
		empty := disktest.Fill(t, dir, c.leave*mib)
		waitUntil(t, "the level is seen", func() bool {
			d := s.Disk()
			return d.Free <= c.leave*mib && d.Low == (c.leave < 64)
		})
		for what, u := range map[string]struct {
			use  auth.Use
			want bool
		}{"a lease": {lease, c.lease}, "a count": {count, c.count}, "the last report": {final, c.final}} {
			if err := s.RecordUse(t.Context(), []auth.Use{u.use}); (err == nil) != u.want || err != nil && !errors.Is(err, storage.ErrLowDisk) {
				t.Errorf("%s with %d MiB free: %v", what, c.leave, err)
			}
		}
		empty()
		waitUntil(t, "space is back", func() bool { return !s.Disk().Low })
	}
}

// The anchor can't follow the store on a full disk. That is said, keeps nobody
// waiting, and is no reason to refuse the next start.
func TestAnchorWithoutRoom(t *testing.T) {
	dir := disktest.Mount(t, 160*mib)
	o := storagetest.Options(t, nil)
	o.Dir, o.MinFree = dir, 64*mib
	s, err := storage.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	_, by := storagetest.Org(t, s, "Acme")
	k := newKey(t, s, by, "a")
	waitUntil(t, "the ballast is made", func() bool { return s.Disk().Ballast > 0 })
	empty := disktest.Fill(t, dir, 30*mib)
	use := auth.Use{KeyID: k.ID, OrgID: by.OrgID, Last: auth.LastUse{At: storagetest.Begin}, Final: true}
	if err := s.RecordUse(t.Context(), []auth.Use{use}); err != nil {
		t.Fatal(err)
	}
	rest := disktest.Fill(t, dir, 0)
	waitUntil(t, "the anchor is behind", func() bool { return slices.Contains(s.Troubles(), "anchor") })
	began := time.Now()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("Close took %v", took)
	}
	s, err = storage.Open(o)
	if err != nil {
		t.Fatalf("a start on the full disk: %v", err)
	}
	rest()
	empty()
	waitUntil(t, "nothing is lacking", func() bool { return len(s.Troubles()) == 0 })
	storagetest.Close(t, s)
}
