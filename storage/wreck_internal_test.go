package storage

import (
	"context"
	"net/netip"
	"path/filepath"
	"testing"
	"time"

	"exante/auth"
	"exante/auth/uid"
	"exante/storage/kv"
)

// wreck is a store with a bit of everything that accounts have, opened where
// tests can write behind its back.
type wreck struct {
	*testing.T
	store   *Store
	options Options
	org     Organization
	owner   User
	viewer  User
	old     *auth.Key // rotated, retiring
	next    *auth.Key // its successor
	rival   Organization
	hashes  map[uint64][32]byte // of the audit records, where a test needs them once the store is closed
}

var wreckTime = time.Date(2026, 11, 23, 9, 30, 0, 0, time.UTC)

func internalOptions(t *testing.T) Options {
	t.Helper()
	hasher, err := auth.NewHasher(auth.HasherOptions{
		Params: auth.Params{MemoryKiB: 64, Iterations: 1, Parallelism: 1}, MaxWait: time.Minute,
	})
	if err != nil {
		t.Fatal(err)
	}
	return Options{
		Dir: filepath.Join(t.TempDir(), "data"), Create: true, Hasher: hasher, Environment: auth.Live,
		Now: func() time.Time { return wreckTime },
	}
}

func newWreck(t *testing.T) *wreck {
	t.Helper()
	w := &wreck{T: t, options: internalOptions(t)}
	w.open()
	t.Cleanup(func() { w.store.Close() })
	ctx, shell := t.Context(), auth.Principal{Shell: true}
	var err error
	w.org, w.owner, err = w.store.CreateOrg(ctx, shell, OrgDraft{Name: "Acme"})
	w.must(err)
	by := shell.In(w.org.ID)
	w.viewer, err = w.store.CreateUser(ctx, by, UserDraft{Email: "ann@example.com"})
	w.must(err)
	old, _, err := w.store.CreateKey(ctx, by, KeyDraft{Name: "erp", Scopes: auth.FullAccess})
	w.must(err)
	next, _, err := w.store.RotateKey(ctx, by, old.ID, time.Hour, 0)
	w.must(err)
	w.rival, _, err = w.store.CreateOrg(ctx, shell, OrgDraft{Name: "Rival"})
	w.must(err)
	w.old, w.next = &old, &next
	w.must(w.store.RecordUse(ctx, []auth.Use{{
		KeyID: old.ID, OrgID: w.org.ID,
		Buckets: []auth.Bucket{{Hour: hourOf(wreckTime), Requests: 1}},
		Last:    auth.LastUse{At: wreckTime, Addr: netip.MustParseAddr("192.0.2.1")},
	}}))
	return w
}

func (w *wreck) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *wreck) open() {
	w.Helper()
	store, err := Open(w.options)
	w.must(err)
	w.store = store
}

// reopen closes the store and returns the error of opening it again.
func (w *wreck) reopen() error {
	w.Helper()
	w.must(w.store.Close())
	store, err := Open(w.options)
	if err != nil {
		return err
	}
	w.store = store
	return nil
}

// write changes the database past all rules.
func (w *wreck) write(fn func(kv.Txn) error) {
	w.Helper()
	w.must(w.store.db.Update(context.Background(), fn))
}

func (w *wreck) remove(key []byte) {
	w.Helper()
	w.write(func(t kv.Txn) error {
		if _, err := t.Get(key); err != nil {
			return err // a test that removes nothing tests nothing
		}
		return t.Delete(key)
	})
}

// raw replaces the value of key as it lies on the disk.
func (w *wreck) raw(key []byte, change func([]byte) []byte) {
	w.Helper()
	w.write(func(t kv.Txn) error {
		value, err := t.Get(key)
		if err != nil {
			return err
		}
		return t.Put(key, change(value))
	})
}

// flip damages one bit of the payload of key.
func (w *wreck) flip(key []byte) {
	w.Helper()
	w.raw(key, func(v []byte) []byte { v[len(v)-1] ^= 1; return v })
}

// record writes a record as if all were well.
func (w *wreck) record(key []byte, kind byte, rec any) {
	w.Helper()
	w.write(func(t kv.Txn) error { return put(t, key, kind, rec) })
}

// edit changes a record and seals it again.
func edit[R any](w *wreck, key []byte, kind byte, change func(*R)) {
	w.Helper()
	w.write(func(t kv.Txn) error {
		rec := new(R)
		if err := get(t, key, kind, rec); err != nil {
			return err
		}
		change(rec)
		return put(t, key, kind, rec)
	})
}

// setup is the record of a setup link that is in order.
func (w *wreck) setup() *setupRecord {
	return &setupRecord{uid.ID{1}, auth.SetupDigest{2}, stampOf(wreckTime), stampOf(wreckTime.Add(SetupTime))}
}

// session is the record of a session that is in order.
func (w *wreck) session() *sessionRecord {
	return &sessionRecord{
		Digest: auth.SessionDigest{1}, CreatedAt: stampOf(wreckTime), SeenAt: stampOf(wreckTime), EndsAt: stampOf(wreckTime.Add(time.Hour)), Idle: 60_000,
	}
}

// noID names nothing in a wreck.
var noID = uid.ID{0xAA}
