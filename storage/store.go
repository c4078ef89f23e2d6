package storage

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"log/slog"
	"time"

	"exante/auth"
	"exante/auth/uid"
	"exante/storage/kv"
)

// Options say where a store is and what it needs.
type Options struct {
	Dir    string
	Create bool // make a store where the directory is absent or empty; else ErrNoStore

	Hasher        *auth.Hasher // hashes new keys and passwords
	Environment   auth.Environment
	NumberPattern string // "": DefaultNumberPattern
	CacheBytes    int64  // rendered bodies kept in memory; 0: 64 MiB; negative: none

	Now  func() time.Time // nil: time.Now
	Rand io.Reader        // nil: crypto/rand.Reader; uids and secrets come from here
	Log  *slog.Logger     // nil: discard
}

// Store is one open database and the memory that mirrors it. Its methods are
// safe for concurrent use. An exported method that writes is one transaction:
// when it returns nil the change is durable, with its audit record; when it
// returns an error other than ErrUnknown nothing has changed.
type Store struct {
	db      kv.DB
	ids     *uid.Source
	options Options
	keyring *auth.Keyring
	// H-invoices adds: lists *index.Index, bodies *bodyCache
}

// Open opens or creates the store in o.Dir and loads the keyring and the lists.
// Errors: ErrInUse, ErrNoStore, ErrCorrupt, ErrNewer.
func Open(o Options) (*Store, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Rand == nil {
		o.Rand = rand.Reader
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return nil, errors.New("not built yet")
}

// Keyring is the live view of all API keys.
func (s *Store) Keyring() *auth.Keyring { return s.keyring }

// Close finishes what was accepted and closes the database.
func (s *Store) Close() error { return s.db.Close() }

// tx is one write: a transaction, its one instant, and who asked for it.
type tx struct {
	kv.Txn
	store *Store
	now   time.Time // UTC, whole milliseconds: what is written is what was decided by
	by    auth.Principal
}

// update runs fn as one durable transaction. fn may run again: it touches only
// tx and its own locals, and leaves changes of memory to tx.OnCommit.
func (s *Store) update(ctx context.Context, by auth.Principal, fn func(*tx) error) error {
	now := s.now()
	err := s.db.Update(ctx, func(t kv.Txn) error {
		return fn(&tx{Txn: t, store: s, now: now, by: by})
	})
	if errors.Is(err, kv.ErrTooLarge) {
		return errors.Join(ErrTooLarge, err)
	}
	return err
}

func (s *Store) now() time.Time { return s.options.Now().UTC().Truncate(time.Millisecond) }
