package admin

import (
	"context"
	"fmt"

	"github.com/urfave/cli/v2"

	"exante/auth"
	"exante/storage"
)

func (s *shell) verifyCommand() *cli.Command {
	return s.command(spec{
		name: "verify", usage: "check every record and index of the store",
		about: "Reads all there is: checksums, references, totals, invoice numbers, the audit\n" +
			"chain. It changes nothing. Findings go to standard output, and exit code 7 says so.\n" +
			"With --accept, on a stopped server, a store without findings is taken as it is\n" +
			"although its anchor or its audit copy say otherwise; the audit log says who did that.",
		flags: []cli.Flag{
			&cli.BoolFlag{Name: "accept", Usage: "take a store without findings as it is", DisableDefaultText: true},
			&cli.BoolFlag{Name: "yes", Usage: "with --accept: do not ask", DisableDefaultText: true},
		},
		examples: "exante verify --data-dir /var/lib/exante",
		codes:    storeCodes,
		run: func(ctx context.Context, c *cli.Context) error {
			switch {
			case c.Bool("accept"):
				return s.runAccept(ctx, c.Bool("yes"))
			case c.Bool("yes"):
				return usagef("", "flag --yes is for --accept")
			}
			return s.runVerify(ctx)
		},
	})
}

func (s *shell) runVerify(ctx context.Context) error {
	return s.withOps(ctx, false, func(ops Ops) error {
		progress, finish := s.progressBar("verify")
		report, err := ops.Verify(ctx, progress)
		finish()
		if err != nil {
			return err
		}
		return s.tellReport(report)
	})
}

// runAccept is for a store that is refused although the operator knows better.
func (s *shell) runAccept(ctx context.Context, yes bool) error {
	dir := s.config.Storage.Dir
	up, err := serverAt(s.config.SocketPath())
	switch {
	case err != nil:
		return err
	case up:
		return fmt.Errorf("%w: %s: a server runs on it, so nothing is to be accepted", storage.ErrInUse, dir)
	}
	if err := enterDirectory(dir, s.config.AuditCopy()); err != nil {
		return err
	}
	hasher, err := auth.NewHasher(auth.HasherOptions{Params: s.config.Argon2()})
	if err != nil {
		return err
	}
	progress, finish := s.progressBar("verify")
	report, err := storage.Accept(ctx, storeOptions(&s.config.Config, hasher, false, s.log), storage.Acceptance{
		By: auth.Principal{Shell: true, LocalUID: s.uid}, Progress: progress,
		Confirm: func(anchor string) error {
			finish()
			return s.confirm(yes, fmt.Sprintf("take the store in %s as it is? Its anchor says: %s.", dir, printable(anchor)))
		},
	})
	finish()
	if err != nil {
		return inDirectory(dir, err)
	}
	return s.tellReport(findingsOf(report))
}

func (s *shell) tellReport(r VerifyReport) error {
	if err := s.printReport(r); err != nil {
		return err
	}
	if n := len(r.Findings); n > 0 {
		return fmt.Errorf("%w: %d findings", errFindings, n)
	}
	return nil
}

func (s *shell) printReport(r VerifyReport) error {
	if s.json {
		return s.printJSON(r)
	}
	if err := s.printFindings(r.Findings); err != nil {
		return err
	}
	_, err := fmt.Fprintf(s.stdout, "%d records, %d findings\n", r.Records, len(r.Findings))
	return err
}

func (s *shell) printFindings(findings []VerifyFinding) error {
	for _, f := range findings {
		if _, err := fmt.Fprintf(s.stdout, "%s: %s\n", printable(f.Key), printable(f.Problem)); err != nil {
			return err
		}
	}
	return nil
}
