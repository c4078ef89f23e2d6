package admin

import (
	"context"
	"fmt"

	"github.com/urfave/cli/v2"

	"exante/auth"
	"exante/storage"
	"exante/storage/kv/disk"
)

func (s *shell) compactCommand() *cli.Command {
	return s.command(spec{
		name: "compact", usage: "give back the disk space of what was deleted",
		about: "Merges the files of a store that no server has open, without what was deleted or\n" +
			"replaced, and makes sure that it reads as before. It needs some free space for\n" +
			"that, and says how much if there is too little. It may be killed at any time.\n" +
			"Sizes are blocks on the disk: the files are sparse, so ls shows more.",
		examples: "exante compact --data-dir /var/lib/exante",
		codes:    []int{exitInUse, exitUnreachable, exitDamaged},
		run:      func(ctx context.Context, _ *cli.Context) error { return s.runCompact(ctx) },
	})
}

// CompactReport is what a store occupied, in bytes of blocks.
type CompactReport struct {
	Before int64 `json:"bytes_before"`
	After  int64 `json:"bytes_after"`
}

func (s *shell) runCompact(ctx context.Context) error {
	c := &s.config.Config
	dir := c.Storage.Dir
	up, err := serverAt(c.SocketPath())
	switch {
	case err != nil:
		return err
	case up:
		return fmt.Errorf("%w: %s: a server runs on it%s: stop it, compact, and start it again", storage.ErrInUse, dir, lockHolder(dir))
	}
	if err := enterDirectory(dir, c.AuditCopy()); err != nil {
		return err
	}
	hasher, err := auth.NewHasher(auth.HasherOptions{Params: c.Argon2()})
	if err != nil {
		return err
	}
	progress, finish := s.progressBar("compact")
	report, err := storage.Compact(ctx, storeOptions(c, hasher, false, s.log), progress)
	finish()
	if err != nil {
		return inDirectory(dir, err)
	}
	return s.printCompact(CompactReport(report))
}

func (s *shell) printCompact(r CompactReport) error {
	if s.json {
		return s.printJSON(r)
	}
	_, err := fmt.Fprintf(s.stdout, "%s before, %s after\n", disk.Size(r.Before), disk.Size(r.After))
	return err
}
