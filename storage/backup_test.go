package storage_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"exante/auth"
	"exante/auth/uid"
	"exante/storage"
	"exante/storage/billing"
	"exante/storage/storagetest"
)

// fill makes of the books a store that has records of every family.
func (b *books) fill() (key auth.Key, token auth.Token) {
	b.Helper()
	must := func(err error) {
		b.Helper()
		if err != nil {
			b.Fatal(err)
		}
	}
	for _, s := range billing.Statuses() {
		b.reading(s)
	}
	var lines []billing.LinePatch
	for i := range 600 { // long enough for chunks
		lines = append(lines, product(fmt.Sprintf("part %d", i), billing.Cents(i)))
	}
	long := b.create(billing.InvoicePatch{Lines: &lines})
	b.attach(long.ID, file("photo.png", string(noise(200<<10))), file("note.txt", "hello"))
	key, token, err := b.CreateKey(b.Context(), b.by, full("erp"))
	must(err)
	_, _, err = b.RotateKey(b.Context(), b.by, key.ID, time.Hour, 0)
	must(err)
	must(b.RecordUse(b.Context(), []auth.Use{{
		KeyID: key.ID, OrgID: b.org.ID, Buckets: []auth.Bucket{{Hour: storagetest.Begin.Truncate(time.Hour), Requests: 5}},
		Last: auth.LastUse{At: b.clock.Now(), Addr: netip.MustParseAddr("192.0.2.1")},
	}}))
	m, err := b.BeginImport(b.Context(), b.by, storage.ImportOptions{ID: [32]byte{1}})
	must(err)
	_, err = m.Put(b.Context(), []storage.ImportLine{{
		Patch: billing.InvoicePatch{PartyID: &b.party.ID, Number: new("OLD-1"), Lines: &[]billing.LinePatch{product("work", 1)}},
		End:   storage.ImportMark{Lines: 1, Bytes: 10},
	}})
	must(err)
	storagetest.Org(b.TB, b.Store, "Rival")
	return key, token
}

// taken is a backup of a store as bytes.
func taken(tb testing.TB, s *storage.Store, key []byte) (storage.Backup, []byte) {
	tb.Helper()
	var out bytes.Buffer
	b, err := s.Backup(tb.Context(), &out, storage.BackupOptions{MACKey: key, Program: "test"}, nil)
	if err != nil {
		tb.Fatalf("back up: %v", err)
	}
	return b, out.Bytes()
}

// into are the options of a restore into a directory that does not exist.
func into(tb testing.TB, clock *storagetest.Clock) storage.RestoreOptions {
	tb.Helper()
	o := storagetest.Options(tb, clock)
	o.Create = false
	return storage.RestoreOptions{Store: o, By: storagetest.Shell}
}

func restored(tb testing.TB, backup []byte, o storage.RestoreOptions) (storage.Restored, *storage.Store) {
	tb.Helper()
	done, err := storage.Restore(tb.Context(), bytes.NewReader(backup), o)
	if err != nil {
		tb.Fatalf("restore: %v", err)
	}
	return done, storagetest.Reopen(tb, o.Store)
}

func digestOf(tb testing.TB, s *storage.Store) [32]byte {
	tb.Helper()
	sum, err := s.Digest(tb.Context())
	if err != nil {
		tb.Fatal(err)
	}
	return sum
}

func TestARestoredStoreIsTheSame(t *testing.T) {
	b := openBooks(t)
	key, token := b.fill()
	had, first := taken(t, b.Store, nil)
	if had.Entries == 0 || had.TakenAt != b.clock.Now() || had.Program != "test" || had.Authenticated {
		t.Errorf("the backup is of %+v", had)
	}
	done, again := restored(t, first, into(t, b.clock))
	if done.Backup != had || done.RecordsVerified == 0 || done.KeysRevoked != 0 || done.SessionsDropped != 0 {
		t.Errorf("restored %+v of %+v", done, had)
	}
	if digestOf(t, again) != digestOf(t, b.Store) {
		t.Error("the restored store holds something else")
	}
	k, err := again.FindKey(key.ID)
	if err != nil {
		t.Fatal(err)
	}
	if ok, err := storagetest.Hasher(t).Matches(t.Context(), token, k.Hash); !ok || err != nil {
		t.Errorf("the key is not known by its token any more: %v", err)
	}
	// A backup of the restored store restores to the same, and it grows on from there.
	second, same := taken(t, again, nil)
	if second.Sequence <= had.Sequence || second.Entries != had.Entries+1 || second.Database != had.Database {
		t.Errorf("a backup of the restored store is of %+v, was %+v: want one record more, of the restore", second, had)
	}
	_, third := restored(t, same, into(t, b.clock))
	if digestOf(t, third) != digestOf(t, b.Store) {
		t.Error("restored twice it holds something else")
	}
}

func TestRevokeAllKeys(t *testing.T) {
	b := openBooks(t)
	b.fill()
	_, other := storagetest.Org(t, b.Store, "Third")
	for range 3 {
		if _, _, err := b.CreateKey(t.Context(), other, full("x")); err != nil {
			t.Fatal(err)
		}
	}
	gone, _, err := b.CreateKey(t.Context(), other, full("gone"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.RevokeKey(t.Context(), other, gone.ID, 0); err != nil {
		t.Fatal(err)
	}
	_, backup := taken(t, b.Store, nil)
	b.clock.Advance(time.Minute)
	o := into(t, b.clock)
	o.RevokeKeys = true
	done, s := restored(t, backup, o)
	if done.KeysRevoked != 5 {
		t.Errorf("%d keys revoked, want 5: the old one, its successor and three", done.KeysRevoked)
	}
	for _, org := range []uid.ID{b.org.ID, other.OrgID} {
		for _, k := range s.Keys(org) {
			if k.State(b.clock.Now()) != auth.Revoked {
				t.Errorf("key %s is %s", k.Name, k.State(b.clock.Now()))
			}
		}
	}
	if k, _ := s.FindKey(gone.ID); k.RevokedAt != storagetest.Begin {
		t.Errorf("the first revocation does not stand: %v", k.RevokedAt)
	}
	entries, err := s.Audit(t.Context(), storage.AuditQuery{})
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, e := range entries {
		if e.Action == "key.revoke" && e.At.Equal(b.clock.Now()) {
			found++
		}
	}
	if found != 5 {
		t.Errorf("%d revocations in the audit log, want 5", found)
	}
}

// stalled is a stream that takes nothing until it is released.
type stalled struct {
	reached chan struct{}
	release chan struct{}
	once    sync.Once
}

func (s *stalled) Write(p []byte) (int, error) {
	s.once.Do(func() { close(s.reached) })
	<-s.release
	return len(p), nil
}

func TestWritersDoNotWaitForABackup(t *testing.T) {
	b := openBooks(t)
	out := &stalled{reached: make(chan struct{}), release: make(chan struct{})}
	ended := make(chan error, 1)
	go func() {
		_, err := b.Backup(context.Background(), out, storage.BackupOptions{}, nil)
		ended <- err
	}()
	<-out.reached
	for i := range 50 {
		b.newParty(fmt.Sprint(i))
	}
	if _, err := b.Backup(t.Context(), out, storage.BackupOptions{}, nil); !errors.Is(err, storage.ErrBackupRunning) {
		t.Errorf("a second backup at once: %v", err)
	}
	close(out.release)
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if _, err := b.Backup(t.Context(), out, storage.BackupOptions{}, nil); err != nil {
		t.Errorf("a backup after it: %v", err)
	}
}

func TestABackupThatFailsSaysSo(t *testing.T) {
	b := openBooks(t)
	b.fill()
	_, whole := taken(t, b.Store, nil)
	broken := errors.New("broken pipe")
	for _, room := range []int{0, 1, 100, len(whole) / 2, len(whole) - 1} {
		if _, err := b.Backup(t.Context(), &narrow{room, broken}, storage.BackupOptions{Program: "test"}, nil); !errors.Is(err, broken) {
			t.Errorf("with room for %d of %d bytes: %v", room, len(whole), err)
		}
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if _, err := b.Backup(ended, &bytes.Buffer{}, storage.BackupOptions{}, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
}

// narrow takes so many bytes and then fails.
type narrow struct {
	room int
	err  error
}

func (n *narrow) Write(p []byte) (int, error) {
	if n.room -= len(p); n.room < 0 {
		return 0, n.err
	}
	return len(p), nil
}

func TestTheDryRunLeavesNothing(t *testing.T) {
	b := openBooks(t)
	b.fill()
	_, backup := taken(t, b.Store, nil)
	o := into(t, b.clock)
	o.DryRun, o.RevokeKeys = true, true
	done, err := storage.Restore(t.Context(), bytes.NewReader(backup), o)
	if err != nil || done.RecordsVerified == 0 || done.KeysRevoked == 0 {
		t.Errorf("dry run: %+v, %v", done, err)
	}
	if left := below(t, filepath.Dir(o.Store.Dir)); len(left) > 0 {
		t.Errorf("the dry run left %v", left)
	}
	// A store that is being served may be beside it, or be what it is named after.
	o.Store.Dir = filepath.Join(filepath.Dir(filepath.Dir(o.Store.Dir)), "served")
	if _, err := storage.Restore(t.Context(), bytes.NewReader(backup[:len(backup)-1]), o); err == nil {
		t.Error("a cut backup can be restored")
	}
}
