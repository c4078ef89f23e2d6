package admin

import (
	"context"
	"io"
	"path/filepath"
	"strconv"

	"github.com/urfave/cli/v2"

	"exante/admin/sealed"
)

func (s *shell) backupCommand() *cli.Command {
	return s.command(spec{
		name: "backup", usage: "write a backup of the whole store",
		about: "The backup is of one instant, and is taken while the server goes on. It has\n" +
			"everything: keys (as hashes), invoices, attachments, the audit log. Damage in it is\n" +
			"found; to be told of forgery set [backup] mac_key_file. The file is there once it\n" +
			"is complete, for its owner alone. Prove it with: exante restore --dry-run",
		flags: []cli.Flag{
			&cli.StringFlag{Name: "output", Usage: "write to `FILE`, or to standard output if it is -"},
			&cli.BoolFlag{Name: "force", Usage: "replace FILE if it exists", DisableDefaultText: true},
			&cli.StringSliceFlag{Name: "to-age", Usage: "encrypt for age `RECIPIENT`, age1...; may be given several times"},
		},
		needs: []string{"output"},
		examples: "exante backup --output exante.backup\n" +
			"exante backup --to-age age1... --output /mnt/safe/exante.backup.age\n" +
			"exante backup --output - | ssh elsewhere 'cat > exante.backup'",
		codes: storeCodes,
		run: func(ctx context.Context, c *cli.Context) error {
			return s.runBackup(ctx, backupOptions{c.String("output"), c.Bool("force"), c.StringSlice("to-age")})
		},
	})
}

type backupOptions struct {
	output  string
	force   bool
	sealFor []string
}

func (s *shell) runBackup(ctx context.Context, o backupOptions) error {
	to, err := sealed.Recipients(o.sealFor)
	switch {
	case err != nil:
		return err
	case o.output == "-" && isTerminal(s.stdout):
		return usagef("", "a backup is not for the eyes: send standard output to a file or a program")
	case o.output != "-" && !o.force:
		if err := checkAbsent(o.output); err != nil {
			return err
		}
	}
	return s.withOps(ctx, false, func(ops Ops) error {
		var done BackupReport
		take := func(out io.Writer) (err error) {
			done, err = s.takeBackup(ctx, ops, out, to)
			return err
		}
		if o.output == "-" {
			if err := take(s.stdout); err != nil {
				return err
			}
			return s.printBackup(s.stderr, done)
		}
		if err := writeWhole(o.output, o.force, take); err != nil {
			return err
		}
		if path, err := filepath.Abs(o.output); err == nil {
			done.File = &path
		}
		return s.printBackup(s.stdout, done)
	})
}

// takeBackup writes a backup to out, encrypted if it is to anybody.
func (s *shell) takeBackup(ctx context.Context, ops Ops, out io.Writer, to []sealed.Recipient) (BackupReport, error) {
	progress, finish := s.progressBar("backup")
	done, err := writeBackup(ctx, ops, out, to, progress)
	finish()
	if err == nil && !done.Authenticated && s.config.Backup.MACKeyFile != "" {
		s.tell("the backup is not authenticated: the server was started without backup.mac_key_file")
	}
	return done, err
}

// printBackup prints what a backup is of: beside the data where that is the backup.
func (s *shell) printBackup(w io.Writer, b BackupReport) error {
	if s.json {
		return printJSONTo(w, b)
	}
	return fields(w, [][2]string{
		{"file", orDash(b.File)}, {"bytes", strconv.FormatInt(b.Bytes, 10)}, {"entries", strconv.FormatUint(b.Entries, 10)},
		{"database", b.DatabaseUID}, {"sequence", strconv.FormatUint(b.Sequence, 10)}, {"taken at", b.TakenAt},
		{"encrypted", yesNo(b.Encrypted)}, {"authenticated", yesNo(b.Authenticated)},
	})
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
