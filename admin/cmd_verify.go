package admin

import (
	"context"
	"fmt"

	"github.com/urfave/cli/v2"
)

func (s *shell) verifyCommand() *cli.Command {
	return s.command(spec{
		name: "verify", usage: "check every record and index of the store",
		about: "Reads all there is: checksums, references, totals, invoice numbers, the audit\n" +
			"chain. It changes nothing. Findings go to standard output, and exit code 7 says so.",
		examples: "exante verify --data-dir /var/lib/exante",
		codes:    storeCodes,
		run:      func(ctx context.Context, _ *cli.Context) error { return s.runVerify(ctx) },
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
		if err := s.printReport(report); err != nil {
			return err
		}
		if n := len(report.Findings); n > 0 {
			return fmt.Errorf("%w: %d findings", errFindings, n)
		}
		return nil
	})
}

func (s *shell) printReport(r VerifyReport) error {
	if s.json {
		return s.printJSON(r)
	}
	for _, f := range r.Findings {
		if _, err := fmt.Fprintf(s.stdout, "%s: %s\n", printable(f.Key), printable(f.Problem)); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(s.stdout, "%d records, %d findings\n", r.Records, len(r.Findings))
	return err
}
