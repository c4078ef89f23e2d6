package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"github.com/urfave/cli/v2"

	"exante/admin/sealed"
	"exante/auth"
	"exante/storage"
)

func (s *shell) restoreCommand() *cli.Command {
	return s.command(spec{
		name: "restore", usage: "make a store of a backup",
		about: "The data directory must be absent or empty, and gets the whole store or nothing: it\n" +
			"is loaded beside, verified in full, and moved into place last. Sessions are not\n" +
			"restored. What was changed after the backup was taken is not in it: keys that were\n" +
			"revoked since work again, unless --revoke-all-keys revokes every one.\n" +
			"--dry-run does all of it in a directory that it removes, while the server goes on: a\n" +
			"backup that was not restored is not a backup.",
		flags: []cli.Flag{
			&cli.StringFlag{Name: "input", Usage: "read `FILE`, or standard input if it is -"},
			&cli.StringFlag{Name: "age-identity", Usage: "decrypt with the age identity in `FILE`"},
			&cli.BoolFlag{Name: "dry-run", Usage: "only prove that the backup can be restored", DisableDefaultText: true},
			&cli.BoolFlag{Name: "revoke-all-keys", Usage: "revoke every key of the restored store", DisableDefaultText: true},
			&cli.BoolFlag{Name: "yes", Usage: "do not ask before all keys are revoked", DisableDefaultText: true},
		},
		needs: []string{"input"},
		examples: "exante restore --input exante.backup --dry-run\n" +
			"exante restore --input exante.backup.age --age-identity key.txt --data-dir /var/lib/exante\n" +
			"ssh elsewhere 'cat exante.backup' | exante restore --input -",
		codes: []int{exitInvalid, exitInUse, exitDamaged},
		run: func(ctx context.Context, c *cli.Context) error {
			return s.runRestore(ctx, restoreOptions{
				input: c.String("input"), identity: c.String("age-identity"),
				dryRun: c.Bool("dry-run"), revoke: c.Bool("revoke-all-keys"), yes: c.Bool("yes"),
			})
		},
	})
}

type restoreOptions struct {
	input, identity     string
	dryRun, revoke, yes bool
}

func (s *shell) runRestore(ctx context.Context, o restoreOptions) error {
	begun := time.Now()
	in, err := s.openBackup(o)
	if err != nil {
		return err
	}
	defer in.source.Close()
	if !o.dryRun { // which is in nobody's directory
		if err := enterDirectory(s.config.Storage.Dir, s.config.AuditCopy()); err != nil {
			return err
		}
	}
	done, err := s.restore(ctx, o, in)
	if errors.Is(err, storage.ErrInUse) {
		return fmt.Errorf("%w%s", err, lockHolder(s.config.Storage.Dir))
	}
	if err != nil {
		return err
	}
	s.warnOfRestore(o, done)
	return s.printRestore(o, done, time.Since(begun))
}

// restore checks a backup and makes a store of it, if the operator agrees.
func (s *shell) restore(ctx context.Context, o restoreOptions, in backupFile) (done storage.Restored, err error) {
	options, err := s.restoreOptions(o, in.key)
	if err != nil {
		return done, err
	}
	progress, finish := s.stages()
	defer finish()
	options.Progress = progress
	if err := s.checkBackup(ctx, in, options); err != nil {
		return done, err
	}
	if finish(); o.revoke && !o.dryRun {
		if err := s.confirm(o.yes, "Revoke every key of the restored store?"); err != nil {
			return done, err
		}
	}
	stream, err := in.stream()
	if err != nil {
		return done, err
	}
	return storage.Restore(ctx, stream, options)
}

// backupFile is a backup and what opens it.
type backupFile struct {
	source io.ReadCloser
	from   io.Seeker // nil: it can be read only once
	start  int64
	ids    sealed.Identities
	key    []byte
}

// openBackup opens all that a restore reads, before the process gives up root.
func (s *shell) openBackup(o restoreOptions) (b backupFile, err error) {
	if b.key, err = macKey(&s.config.Config); err != nil {
		return b, err
	}
	if o.identity != "" {
		if b.ids, err = sealed.ReadIdentities(o.identity); err != nil {
			return b, err
		}
	}
	b.source = io.NopCloser(s.stdin)
	if o.input != "-" {
		if b.source, err = os.Open(o.input); err != nil {
			return b, err
		}
	} else if stdin, isFile := s.stdin.(*os.File); isFile {
		b.source = stdin
	}
	if file, isFile := b.source.(*os.File); isFile {
		err = b.rewindable(file)
	}
	if err != nil {
		return b, errors.Join(err, b.source.Close())
	}
	return b, nil
}

func (b *backupFile) rewindable(file *os.File) error {
	info, err := file.Stat()
	switch {
	case err != nil:
		return err
	case info.IsDir():
		return fmt.Errorf("%s is a directory", file.Name())
	case info.Mode().IsRegular():
		b.from = file
		b.start, err = file.Seek(0, io.SeekCurrent)
	}
	return err
}

// stream is the plain backup, from its beginning.
func (b *backupFile) stream() (io.Reader, error) {
	if b.from != nil {
		if _, err := b.from.Seek(b.start, io.SeekStart); err != nil {
			return nil, err
		}
	}
	return sealed.Reader(b.source, b.ids)
}

// checkBackup reads all of a file before anything is written. What can be read only
// once is checked while it is loaded.
func (s *shell) checkBackup(ctx context.Context, in backupFile, o storage.RestoreOptions) error {
	if in.from == nil {
		return nil
	}
	stream, err := in.stream()
	if err != nil {
		return err
	}
	_, err = storage.CheckBackup(ctx, stream, o)
	return err
}

func (s *shell) restoreOptions(o restoreOptions, key []byte) (storage.RestoreOptions, error) {
	c := &s.config.Config
	hasher, err := auth.NewHasher(auth.HasherOptions{Params: c.Argon2()})
	return storage.RestoreOptions{
		Store: storeOptions(c, hasher, false, s.log), MACKey: key, DryRun: o.dryRun, RevokeKeys: o.revoke,
		By: auth.Principal{Shell: true, LocalUID: s.uid},
	}, err
}

// stages is a progress bar for one stage after the other.
func (s *shell) stages() (progress func(stage string, done, total int), finish func()) {
	stage, bar, wipe := "", Progress(nil), func() {}
	return func(now string, done, total int) {
		if now != stage {
			wipe()
			stage = now
			bar, wipe = s.progressBar(now)
		}
		if bar != nil {
			bar(done, total)
		}
	}, func() { wipe() }
}

// warnOfRestore says what an operator may not think of. Whoever has the audit log of
// the time after the backup need not be told.
func (s *shell) warnOfRestore(o restoreOptions, done storage.Restored) {
	switch {
	case o.dryRun:
	case o.revoke:
		s.tell("every key is revoked: make new ones with: exante keys create")
	default:
		s.tell("changes made after %s are not in this backup. Keys that were revoked since then work again:", instant(done.TakenAt))
		s.tell("look through: exante keys list, and revoke them anew with: exante keys revoke UID")
	}
}

func (s *shell) printRestore(o restoreOptions, done storage.Restored, took time.Duration) error {
	r := RestoreReport{
		TakenAt: instant(done.TakenAt), DatabaseUID: done.Database.String(), Sequence: done.Sequence, Entries: done.Entries,
		RecordsVerified: done.RecordsVerified, KeysRevoked: done.KeysRevoked, SessionsDropped: done.SessionsDropped,
		Seconds: json.Number(fmt.Sprintf("%d.%03d", took.Milliseconds()/1000, took.Milliseconds()%1000)), DryRun: o.dryRun,
	}
	if s.json {
		return s.printJSON(r)
	}
	what := "restored to " + s.config.Storage.Dir
	if o.dryRun {
		what = "can be restored; nothing was kept"
	}
	return fields(s.stdout, [][2]string{
		{"backup", what}, {"taken at", r.TakenAt}, {"database", r.DatabaseUID}, {"sequence", strconv.FormatUint(r.Sequence, 10)},
		{"entries", strconv.FormatUint(r.Entries, 10)}, {"records verified", strconv.Itoa(r.RecordsVerified)},
		{"keys revoked", strconv.Itoa(r.KeysRevoked)}, {"sessions dropped", strconv.Itoa(r.SessionsDropped)},
		{"seconds", r.Seconds.String()},
	})
}
