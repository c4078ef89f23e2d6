package admin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
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
			"restored, and what was changed after the backup was taken is lost. But what was taken\n" +
			"away since stays so where the audit copy is at hand, in its place or as --audit-log:\n" +
			"keys that were revoked, rotated or narrowed, users that were disabled or lowered,\n" +
			"passwords that were replaced. Without it keys that were revoked since work again,\n" +
			"unless --revoke-all-keys revokes every one.\n" +
			"--dry-run does all of it in a directory that it removes, while the server goes on: a\n" +
			"backup that was not restored is not a backup.",
		flags: []cli.Flag{
			&cli.StringFlag{Name: "input", Usage: "read `FILE`, or standard input if it is -"},
			&cli.StringFlag{Name: "age-identity", Usage: "decrypt with the age identity in `FILE`"},
			&cli.StringFlag{Name: "audit-log", Usage: "take away again what `FILE`, an audit copy, says was taken away (default: setting audit.copy, if it is there)"},
			&cli.BoolFlag{Name: "dry-run", Usage: "only prove that the backup can be restored", DisableDefaultText: true},
			&cli.BoolFlag{Name: "revoke-all-keys", Usage: "revoke every key of the restored store", DisableDefaultText: true},
			&cli.BoolFlag{Name: "yes", Usage: "do not ask", DisableDefaultText: true},
		},
		needs: []string{"input"},
		examples: "exante restore --input exante.backup --dry-run\n" +
			"exante restore --input exante.backup.age --age-identity key.txt --data-dir /var/lib/exante\n" +
			"exante restore --input exante.backup --audit-log /mnt/worm/exante.audit\n" +
			"ssh elsewhere 'cat exante.backup' | exante restore --input -",
		codes: []int{exitInvalid, exitInUse, exitDamaged},
		run: func(ctx context.Context, c *cli.Context) error {
			return s.runRestore(ctx, restoreOptions{
				input: c.String("input"), identity: c.String("age-identity"), auditLog: c.String("audit-log"),
				dryRun: c.Bool("dry-run"), revoke: c.Bool("revoke-all-keys"), yes: c.Bool("yes"),
			})
		},
	})
}

type restoreOptions struct {
	input, identity, auditLog string
	dryRun, revoke, yes       bool
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
	if !o.dryRun {
		s.warnOfRestore(o, done)
	}
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
	of, err := s.checkBackup(ctx, in, options)
	if err != nil {
		return done, err
	}
	finish()
	if err := s.confirmRestore(o, of); err != nil {
		return done, err
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
	if b.from == nil && o.input == "-" { // it may keep us waiting
		b.source = io.NopCloser(s.input)
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
func (s *shell) checkBackup(ctx context.Context, in backupFile, o storage.RestoreOptions) (of storage.Backup, err error) {
	if in.from == nil {
		return of, nil
	}
	stream, err := in.stream()
	if err != nil {
		return of, err
	}
	return storage.CheckBackup(ctx, stream, o)
}

// confirmRestore asks before what can't be taken back. A script has said what it
// wants, but for the revocation of every key.
func (s *shell) confirmRestore(o restoreOptions, of storage.Backup) error {
	switch {
	case o.dryRun:
		return nil
	case o.revoke:
		return s.confirm(o.yes, "Revoke every key of the restored store?")
	case s.hasAuditLog(o) || of.TakenAt.IsZero() || !isTerminal(s.stdin):
		return nil
	}
	return s.confirm(o.yes, fmt.Sprintf("There is no audit copy: keys that were revoked after %s will work again. Restore all the same?", instant(of.TakenAt)))
}

// hasAuditLog reports whether there is something that tells of the time after the
// backup.
func (s *shell) hasAuditLog(o restoreOptions) bool {
	info, err := os.Stat(s.config.AuditCopy())
	return o.auditLog != "" || err == nil && info.Size() > 0
}

func (s *shell) restoreOptions(o restoreOptions, key []byte) (storage.RestoreOptions, error) {
	c := &s.config.Config
	hasher, err := auth.NewHasher(auth.HasherOptions{Params: c.Argon2()})
	return storage.RestoreOptions{
		Store: storeOptions(c, hasher, false, s.log), MACKey: key, DryRun: o.dryRun, RevokeKeys: o.revoke, AuditLog: o.auditLog,
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
