package storage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"slices"

	"exante/auth"
	"exante/auth/uid"
	"exante/storage/archive"
	"exante/storage/kv"
)

// A restore is for a process of its own: after one that failed the engine's memory
// is not fit for use, and it must never meet a store that is being served.

// RestoreOptions say what to do with a backup.
type RestoreOptions struct {
	Store      Options // of the restored store; Dir is where it goes, absent or empty
	MACKey     []byte  // the backup must be made with it; empty: without one
	DryRun     bool    // do everything in a directory beside Dir, which is not touched, and remove it
	RevokeKeys bool    // revoke every key that is not revoked
	AuditLog   string  // audit copy that is only read, beside that of Store: what both have beyond the backup is replayed; "": only that of Store
	By         auth.Principal

	// Progress is told how far each stage is; nil: nobody is.
	Progress func(stage string, done, total int)
}

// The stages of a restore, in their order. How much there is to load is not known
// before its end.
const (
	StageCheck  = "check"
	StageLoad   = "load"
	StageReplay = "replay"
	StageRevoke = "revoke"
	StageVerify = "verify"
)

// Restored is what a restore did.
type Restored struct {
	Backup
	After           Aftermath
	SessionsDropped int
	KeysRevoked     int
	RecordsVerified int
}

func (o *RestoreOptions) progress(stage string) func(done, total int) {
	if o.Progress == nil {
		return func(int, int) {}
	}
	return func(done, total int) { o.Progress(stage, done, total) }
}

// leftBehind are the global families that are not restored. A session that was
// ended after the backup was taken must not come back to life, nor a setup link that
// was used. Whoever adds one sees to it that no count of the store includes its
// records.
var leftBehind = map[byte]bool{famSession: true, famSetup: true}

func isLeftBehind(key []byte) bool {
	return len(key) >= globalKeyHead && key[0] == spaceGlobal && leftBehind[key[globalKeyHead-1]]
}

// CheckBackup reads a backup to its end and changes nothing. Errors: those of
// package archive, and ErrNewer.
func CheckBackup(ctx context.Context, in io.Reader, o RestoreOptions) (Backup, error) {
	from, err := openBackup(ctx, in, o.MACKey, o.progress(StageCheck))
	for err == nil {
		_, _, err = from.next()
	}
	if errors.Is(err, io.EOF) {
		return from.backup(), nil
	}
	return Backup{}, err
}

// Restore makes a store of a backup. It loads it into a fresh directory, opens that,
// takes away again what the audit copy says was taken away since, verifies all of
// it, and only then moves it into place: killed at any instant it leaves the whole
// store, or nothing that opens.
//
// The audit log goes on with a record of the restore, which supersedes what the
// audit copy has beyond the backup. The copy gets it last, or when the store is next
// opened: a restore that did not come to its end has left no trace in it.
//
// After an error the directory is as it was before, unless the error says that it
// was restored. Errors: those of package archive; ErrNewer, ErrOccupied, ErrInUse,
// ErrForeignCopy, ErrBrokenCopy; ErrCorrupt if the verification has findings.
func Restore(ctx context.Context, in io.Reader, o RestoreOptions) (done Restored, err error) {
	from, err := openBackup(ctx, in, o.MACKey, o.progress(StageLoad))
	if err != nil {
		return done, err
	}
	if err := o.Store.complete(); err != nil {
		return done, err
	}
	done, err = from.restore(ctx, o)
	if err != nil || o.DryRun || o.Store.AuditCopy == "" {
		return done, err
	}
	return done, bringCopyUp(o.Store)
}

// restore makes the store and moves it into place.
func (i *incoming) restore(ctx context.Context, o RestoreOptions) (done Restored, err error) {
	into, err := claim(o.Store.Dir, o.DryRun)
	if err != nil {
		return done, err
	}
	defer func() { err = errors.Join(err, into.release()) }()
	if err := i.load(into.fresh, o.Store.Log); err != nil {
		return done, err
	}
	done.Backup, done.SessionsDropped = i.backup(), i.dropped[famSession]
	if err := writeFile(into.fresh, nameFile, done.Database.String()); err != nil {
		return done, err
	}
	after, err := readAftermath(ctx, into.fresh, o)
	if err != nil {
		return done, err
	}
	if err := done.prove(ctx, into.fresh, o, after); err != nil || o.DryRun {
		return done, err
	}
	return done, into.finish()
}

// bringCopyUp lets the audit copy follow a store that is in its place. Whoever opens
// the store does so too: he may have come first.
func bringCopyUp(o Options) error {
	o.Create = false
	s, err := Open(o)
	if errors.Is(err, ErrInUse) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("restored, but it does not open: %w", err)
	}
	return s.Close()
}

// prove opens the store in dir as it will be served, but for the audit copy, and
// looks at all of it.
func (d *Restored) prove(ctx context.Context, dir string, o RestoreOptions, after *aftermath) error {
	o.Store.Dir, o.Store.Create, o.Store.AuditCopy = dir, false, ""
	o.Store.Restored, o.Store.superseded = true, after.superseded
	o.Store.BeforeMigration = nil // the backup is there
	s, err := Open(o.Store)
	if err != nil {
		return fmt.Errorf("open the restored store: %w", err)
	}
	err = d.proveOpen(ctx, s, o, after)
	return errors.Join(err, s.Close())
}

func (d *Restored) proveOpen(ctx context.Context, s *Store, o RestoreOptions, after *aftermath) (err error) {
	if d.After, err = s.replay(ctx, after, o.progress(StageReplay)); err != nil {
		return fmt.Errorf("take away again what was taken away after the backup: %w", err)
	}
	if o.RevokeKeys {
		if d.KeysRevoked, err = s.revokeAll(ctx, o.By, o.progress(StageRevoke)); err != nil {
			return fmt.Errorf("revoke the keys of the restored store: %w", err)
		}
	}
	report, err := s.Verify(ctx, o.progress(StageVerify))
	if err != nil {
		return fmt.Errorf("verify the restored store: %w", err)
	}
	d.RecordsVerified = report.Records
	if n := len(report.Findings); n > 0 {
		first := report.Findings[0]
		return fmt.Errorf("%w: the restored store has %d findings, the first: %s: %s", ErrCorrupt, n, first.Key, first.Problem)
	}
	return nil
}

// incoming is a backup that is being read.
type incoming struct {
	ctx      context.Context // ends the reading
	from     *archive.Reader
	progress func(done, total int)
	kept     archive.Digest
	dropped  map[byte]int // what was left behind, by family
}

func openBackup(ctx context.Context, in io.Reader, key []byte, progress func(done, total int)) (*incoming, error) {
	from, err := archive.NewReader(in, key)
	if err != nil {
		return nil, err
	}
	switch h := from.Header(); {
	case h.Schema > schemaVersion:
		return nil, fmt.Errorf("%w: schema %d, this one knows %d (it was written by exante %s)", ErrNewer, h.Schema, schemaVersion, h.Program)
	case h.Sequence == 0 || uid.ID(h.Database).IsZero():
		return nil, fmt.Errorf("%w: it names no store", archive.ErrDamaged)
	}
	return &incoming{ctx: ctx, from: from, progress: progress, kept: archive.NewDigest(), dropped: map[byte]int{}}, nil
}

func (i *incoming) backup() Backup {
	h := i.from.Header()
	return Backup{h.Database, h.Sequence, h.TakenAt, h.Schema, h.Program, i.from.Totals().Entries, h.Authenticated}
}

// next is the next entry that is restored.
func (i *incoming) next() (key, value []byte, err error) {
	for {
		if key, value, err = i.from.Next(); err != nil {
			return nil, nil, err
		}
		if n := int(i.from.Totals().Entries); n%1000 == 0 {
			if err := i.ctx.Err(); err != nil {
				return nil, nil, err
			}
			i.progress(n, n)
		}
		if !isLeftBehind(key) {
			i.kept.Add(key, value)
			return key, value, nil
		}
		i.dropped[key[globalKeyHead-1]]++
	}
}

// load makes a database of what is restored, then reads it back: what the engine
// returns must be what was in the backup.
func (i *incoming) load(dir string, log *slog.Logger) error {
	if err := kv.Load(dir, i.from.Header().Sequence, log, i.next); err != nil {
		return err
	}
	db, err := kv.Open(kv.Options{Dir: dir, Log: log})
	if err != nil {
		return err
	}
	stored, err := digest(i.ctx, db)
	if err == nil && stored != i.kept.Sum() {
		err = fmt.Errorf("%w: what was restored to %s reads otherwise", ErrCorrupt, filepath.Clean(dir))
	}
	return errors.Join(err, db.Close())
}

// digest is the fingerprint of everything in a database.
func digest(ctx context.Context, db kv.DB) (sum [32]byte, err error) {
	d := archive.NewDigest()
	err = db.View(ctx, func(r kv.Reader) error {
		return r.Scan(kv.Range{}, kv.ScanOptions{}, func(key, value []byte) (bool, error) {
			d.Add(key, value)
			return true, nil
		})
	})
	return d.Sum(), err
}

// revokeAtOnce is how many keys one transaction of revokeAll revokes: each is two
// records.
const revokeAtOnce = 400

// revokeAll revokes every key of every organization that is not revoked.
func (s *Store) revokeAll(ctx context.Context, by auth.Principal, progress func(done, total int)) (revoked int, err error) {
	orgs, err := s.Orgs(ctx)
	if err != nil {
		return 0, err
	}
	for _, org := range orgs {
		var ids []uid.ID
		for _, k := range s.Keys(org.ID) {
			if k.State(s.now()) != auth.Revoked {
				ids = append(ids, k.ID)
			}
		}
		for some := range slices.Chunk(ids, revokeAtOnce) {
			err := s.withdraw(ctx, by.In(org.ID), func(t *tx) error { return t.revoke(some, nil) })
			if err != nil {
				return revoked, err
			}
			revoked += len(some)
			progress(revoked, max(revoked, s.keyring.Len()))
		}
	}
	return revoked, nil
}
