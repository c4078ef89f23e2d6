package storage

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"exante/auth"
	"exante/auth/uid"
	"exante/storage/billing"
	"exante/storage/bodies"
	"exante/storage/index"
	"exante/storage/kv"
	"exante/storage/kv/disk"
)

// Options say where a store is and what it needs.
type Options struct {
	Dir    string
	Create bool // make a store where the directory is absent or empty; else ErrNoStore

	Hasher        *auth.Hasher // hashes new keys
	Environment   auth.Environment
	Limits        auth.Limits // of keys that have none of their own; nil: such keys are not limited
	MaxExpiryDays int         // no new key lives longer; 0: no bound
	NumberPattern string      // "": billing.DefaultNumberPattern
	CacheBytes    int64       // rendered bodies kept in memory; 0: 64 MiB; negative: none
	MinFree       int64       // free bytes of the file system below which writes are refused, at least disk.LeastMinFree; disk.Auto; 0: not watched

	AuditCopy  string // file that the audit chain is copied to; "": none
	Unanchored bool   // take the store as it is, whatever its anchor and audit copy say
	Restored   bool   // likewise, and begin with a store.restore that supersedes what the audit copy has beyond it

	// BeforeMigration is called before a store of an older schema is changed, which an
	// older program can't open any more after that. If it returns an error the store
	// is left as it is, and Open returns ErrNotBackedUp. nil: nobody is asked.
	BeforeMigration func(Migration) error

	superseded Detail      // of the record that Restored begins with, where there is no audit copy to read it from
	accept     *acceptance // nil: the store is not being accepted

	Now  func() time.Time // nil: time.Now
	Rand io.Reader        // nil: crypto/rand.Reader; uids and secrets come from here
	Log  *slog.Logger     // nil: discard
}

const defaultCacheBytes = 64 << 20

// complete checks the options and fills in what was left to us.
func (o *Options) complete() error {
	if o.Hasher == nil || !o.Environment.Valid() || o.MaxExpiryDays < 0 {
		return errors.New("open store: a hasher and an environment are required, and no negative expiry")
	}
	if o.NumberPattern == "" {
		o.NumberPattern = billing.DefaultNumberPattern
	}
	if o.CacheBytes == 0 {
		o.CacheBytes = defaultCacheBytes
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Rand == nil {
		o.Rand = rand.Reader
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return nil
}

// Store is one open database and the memory that mirrors it. Its methods are
// safe for concurrent use. An exported method that writes is one transaction:
// when it returns nil the change is durable, with its audit record; when it
// returns an error other than ErrUnknown nothing has changed.
type Store struct {
	db      kv.DB
	id      uid.ID
	ids     *uid.Source
	options Options
	numbers billing.NumberPattern
	keyring *auth.Keyring
	lists   *index.Index // invoices
	parties *index.Names
	bodies  *bodies.Cache
	once    *desk
	signing auth.SigningKey
	sweeper *sweeper
	backups sync.Mutex // held while a backup is taken

	copy     *copier // nil: none, or not yet
	mooring  *mooring
	anchored atomic.Uint64 // the sequence that the anchor names
	guarding atomic.Uint64 // snapshots that were opened to write the anchor and the copy

	superseded Detail // of the branch with which the store is taken as it is
}

// Open opens or creates the store in o.Dir and loads the keyring and the lists.
// Errors: ErrInUse, ErrNoStore, ErrCorrupt, ErrNewer, ErrFullDisk, ErrNotBackedUp.
func Open(o Options) (*Store, error) {
	if err := o.complete(); err != nil {
		return nil, err
	}
	numbers, err := billing.ParseNumberPattern(o.NumberPattern)
	if err != nil {
		return nil, err
	}
	name, err := findStore(o.Dir, o.AuditCopy, o.Create)
	if err != nil {
		return nil, err
	}
	s := newStore(o, numbers)
	way := &opening{name: name}
	db, err := kv.Open(kv.Options{
		Dir: o.Dir, MinFree: o.MinFree, Log: o.Log, Judge: func(seq uint64, r kv.Reader) error { return s.judge(way, seq, r) },
	})
	if errors.Is(err, kv.ErrDamaged) {
		return nil, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	if err != nil {
		return nil, err
	}
	s.db = &watched{DB: db, dir: o.Dir, log: o.Log}
	if err := s.start(way); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	go s.sweeper.run(s)
	return s, nil
}

// newStore is a store without its database.
func newStore(o Options, numbers billing.NumberPattern) *Store {
	return &Store{
		ids: uid.NewSource(o.Now, o.Rand), options: o, numbers: numbers,
		keyring: auth.NewKeyring(),
		lists: index.New(index.Rule{
			Overdue:  uint8(billing.Overdue),
			FallsDue: func(s uint8) bool { return billing.Status(s).FallsDue() },
			Name:     func(s uint8) string { return billing.Status(s).String() },
		}),
		parties: index.NewNames(),
		bodies:  bodies.New(o.CacheBytes),
		once:    newDesk(),
		sweeper: newSweeper(),
	}
}

// Keyring is the live view of all API keys.
func (s *Store) Keyring() *auth.Keyring { return s.keyring }

// Failed is closed once the store has met an error that it must not go on from,
// such as an fsync that failed. It takes no more writes; the process is expected
// to stop. Health says why.
func (s *Store) Failed() <-chan struct{} { return s.db.Failed() }

// Health is nil until Failed is closed, and the reason from then on.
func (s *Store) Health() error { return s.db.Health() }

// Disk is how much room the store has, and whether writes are refused for want of it.
func (s *Store) Disk() disk.State { return s.db.Disk() }

// Views is how many snapshots of the database have been opened for reading, but
// for what guards it in the background.
func (s *Store) Views() uint64 { return s.db.Views() - s.guarding.Load() }

// Close finishes what was accepted and closes the database.
func (s *Store) Close() error {
	s.sweeper.stop()
	s.copy.close()
	s.mooring.close()
	return s.db.Close()
}

// tx is one write: a transaction, its one instant, and who asked for it.
type tx struct {
	kv.Txn
	store *Store
	now   time.Time // UTC, whole milliseconds: what is written is what was decided by
	by    auth.Principal

	withdraws bool // it takes a right away: what refuses other changes lets it pass

	counts *counts        // of a batch, which writes them at its end; nil: each change is written
	recent map[string]any // records that a batch has read, by key, so that each is read once; nil: none
}

// update runs fn as one durable transaction. fn may run again: it touches only
// tx and its own locals, and leaves changes of memory to tx.OnCommit. What it
// sets outside itself it sets anew each time.
//
// While disk space is low it is ErrLowDisk, with nothing written, for all that
// writes: imports, the chunks of an upload and answers kept for an idempotency key
// included, which are what could fill the rest. What reads, or finds in the
// transaction that there is nothing to do, is carried out.
func (s *Store) update(ctx context.Context, by auth.Principal, fn func(*tx) error) error {
	return s.change(ctx, s.db.Update, &tx{by: by}, fn)
}

// change runs fn in a transaction of the engine, by its Update or one that is
// allowed more. what says who asks, and for what.
func (s *Store) change(ctx context.Context, write func(context.Context, func(kv.Txn) error) error, what *tx, fn func(*tx) error) error {
	err := write(ctx, func(t kv.Txn) error {
		return fn(&tx{Txn: t, store: s, now: s.now(), by: what.by, withdraws: what.withdraws})
	})
	if errors.Is(err, kv.ErrTooLarge) {
		return fmt.Errorf("%w: %w", ErrTooLarge, err)
	}
	if err == nil {
		s.mooring.nudge()
	}
	return err
}

// withdraw is update for what takes a right away, such as a revocation. What
// refuses other changes lets it pass. Before it returns the anchor names it, and
// the audit copy has its record: neither a rollback nor a restore can undo it
// unseen. One that can't be written does not fail what is durable already. It may
// use the disk space that is kept back from others.
func (s *Store) withdraw(ctx context.Context, by auth.Principal, fn func(*tx) error) error {
	var head auditHeadRecord
	err := s.change(ctx, s.db.UpdateReserved, &tx{by: by, withdraws: true}, func(t *tx) (err error) {
		if err := fn(t); err != nil {
			return err
		}
		head, err = auditHead(t)
		return err
	})
	if err != nil {
		return err
	}
	if err := s.copy.hold(head.Seq); err != nil {
		s.options.Log.Error("a right was taken away, and the audit copy does not have it yet: a restore could give it back", "audit", head.Seq, "error", err)
	}
	if err := s.mooring.hold(); err != nil {
		s.options.Log.Error("a right was taken away, and the anchor does not name it yet: a rollback could give it back unseen", "audit", head.Seq, "error", err)
	}
	return nil
}

// Troubles names what the store lacks now: "low_disk", or what guards it and can't
// be written, "anchor" or "audit_copy". The store is usable meanwhile; the log says why.
func (s *Store) Troubles() []string {
	names := []string{}
	if s.Disk().Low {
		names = append(names, "low_disk")
	}
	if s.mooring.trouble() != nil {
		names = append(names, "anchor")
	}
	if s.copy.refusal() != nil {
		names = append(names, "audit_copy")
	}
	return names
}

// settle waits until memory has followed every commit before the call.
func (s *Store) settle(ctx context.Context) error {
	return s.db.Update(ctx, func(kv.Txn) error { return nil })
}

// now is the time as it is written.
func (s *Store) now() time.Time { return whole(s.options.Now()) }

// whole drops what the disk does not keep: a value is judged as it will be read.
func whole(t time.Time) time.Time { return t.UTC().Truncate(time.Millisecond) }
