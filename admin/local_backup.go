package admin

import (
	"context"
	"fmt"
	"io"

	"exante/admin/config"
	"exante/admin/sealed"
	"exante/storage"
)

// Backup implements Ops.
func (l Local) Backup(ctx context.Context, out io.Writer, progress Progress) (BackupReport, error) {
	key, err := macKey(&l.config)
	if err != nil {
		return BackupReport{}, err
	}
	// What can't be written is counts of use alone, and a store that takes no writes
	// is one that needs a backup.
	_ = l.flush(ctx)
	sized := &sizedWriter{to: out}
	b, err := l.store.Backup(ctx, sized, storage.BackupOptions{MACKey: key, Program: buildVersion().Version}, progress)
	if err != nil {
		return BackupReport{}, err
	}
	return BackupReport{
		Bytes: sized.size, Entries: b.Entries, DatabaseUID: b.Database.String(), Sequence: b.Sequence,
		TakenAt: instant(b.TakenAt), Authenticated: b.Authenticated,
	}, nil
}

// writeBackup writes a backup to out, encrypted if it is to anybody.
func writeBackup(ctx context.Context, ops Ops, out io.Writer, to []sealed.Recipient, progress Progress) (done BackupReport, err error) {
	file := &sizedWriter{to: out}
	err = sealFor(file, to, func(plain io.Writer) error {
		done, err = ops.Backup(ctx, plain, progress)
		return err
	})
	done.Bytes, done.Encrypted = file.size, len(to) > 0
	return done, err
}

// sealFor has write write to out, encrypted if it is to anybody.
func sealFor(out io.Writer, to []sealed.Recipient, write func(plain io.Writer) error) error {
	if len(to) == 0 {
		return write(out)
	}
	w, err := sealed.Writer(out, to)
	if err != nil {
		return err
	}
	if err := write(w); err != nil {
		return err
	}
	return w.Close()
}

// sizedWriter counts what goes by.
type sizedWriter struct {
	to   io.Writer
	size int64
}

func (s *sizedWriter) Write(p []byte) (int, error) {
	n, err := s.to.Write(p)
	s.size += int64(n)
	return n, err
}

// A key is as strong as its hash takes; a file much longer was not meant as one.
const (
	leastMACKey = 32
	mostMACKey  = 4 << 10
)

// macKey reads the key that authenticates backups; none if no file is named. Whose the
// data directory is may have it: he has the store, whoever reads the key for him.
func macKey(c *config.Config) ([]byte, error) {
	path := c.Backup.MACKeyFile
	if path == "" {
		return nil, nil
	}
	refuse := func(format string, args ...any) error {
		return &config.Error{Key: "backup.mac_key_file", Reason: fmt.Sprintf(format, args...)}
	}
	var users []int
	if owner, err := ownerOf(c.Storage.Dir); err == nil {
		users = []int{owner}
	}
	file, err := openSecret(path, users...)
	if err != nil {
		return nil, refuse("%v", err)
	}
	defer file.Close()
	key, err := io.ReadAll(io.LimitReader(file, mostMACKey+1))
	switch {
	case err != nil:
		return nil, refuse("%v", err)
	case len(key) < leastMACKey || len(key) > mostMACKey:
		return nil, refuse("%s must have %d to %d bytes; make one with: head -c 32 /dev/urandom", path, leastMACKey, mostMACKey)
	}
	return key, nil
}
