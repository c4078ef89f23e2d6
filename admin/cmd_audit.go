package admin

import (
	"context"
	"fmt"
	"path/filepath"
	"strconv"

	"github.com/urfave/cli/v2"
)

func (s *shell) auditList() *cli.Command {
	return s.command(spec{
		name: "list", usage: "list what was done, and by whom",
		about: "The newest come first. The table shows the end of a uid; --json has all there is\n" +
			"of each record. The audit copy, a plain file, has every record that ever was.",
		flags: []cli.Flag{
			&cli.StringFlag{Name: "org", Usage: "only what concerns organization `UID`"},
			&cli.StringFlag{Name: "key", Usage: "only what API key `UID` did, or what was done to it"},
			&cli.StringFlag{Name: "user", Usage: "only what user `UID` did, or what was done to him"},
			&cli.StringFlag{Name: "action", Usage: "only `ACTION`, such as key.revoke, or all that begin with key."},
			&cli.StringFlag{Name: "since", Usage: "only from `TIME` on: RFC 3339 or a date"},
			&cli.StringFlag{Name: "until", Usage: "only before `TIME`: RFC 3339 or a date"},
			&cli.StringFlag{Name: "limit", Usage: "at most `N` records, up to 10000", Value: "100"},
			&cli.BoolFlag{Name: "oldest-first", Usage: "begin with the oldest", DisableDefaultText: true},
		},
		examples: "exante audit list --action key. --since 2026-11-01\n" +
			"exante audit list --key 019aafe2-6b70-7bb0-9d3c-5a3f6f0d6f11 --json",
		codes: append([]int{exitNotFound, exitInvalid}, storeCodes...),
		run: func(ctx context.Context, c *cli.Context) error {
			limit, err := strconv.Atoi(c.String("limit"))
			if err != nil || limit < 1 {
				return usagef("", "flag --limit: %q is not a number from 1", c.String("limit"))
			}
			return s.runAuditList(ctx, AuditRequest{
				Org: c.String("org"), Key: c.String("key"), User: c.String("user"), Action: c.String("action"),
				Since: c.String("since"), Until: c.String("until"), Limit: limit, OldestFirst: c.Bool("oldest-first"),
			})
		},
	})
}

func (s *shell) runAuditList(ctx context.Context, in AuditRequest) error {
	return s.withOps(ctx, false, func(ops Ops) error {
		records, err := ops.AuditRecords(ctx, in)
		if err != nil {
			return err
		}
		if s.json {
			return s.printJSON(records)
		}
		var rows [][]string
		for _, r := range records {
			rows = append(rows, []string{strconv.FormatUint(r.Seq, 10), r.At[:19] + "Z", r.Action, r.Actor.short(), endOf(r.TargetUID)})
		}
		return table(s.stdout, []column{{"SEQ", 6}, {"AT", 20}, {"ACTION", 25}, {"BY", 12}, {"TARGET", 9}}, rows)
	})
}

// short is who it was in a few characters.
func (a *AuditActor) short() string {
	switch {
	case a.KeyUID != nil:
		return "key " + endOf(a.KeyUID)
	case a.UserUID != nil:
		return "user " + endOf(a.UserUID)
	case a.LocalUID != nil:
		return fmt.Sprintf("uid %d", *a.LocalUID)
	}
	return a.Kind
}

// endOf is the end of a uid, which tells more of them apart than the beginning.
func endOf(uid *string) string {
	if uid == nil {
		return "-"
	}
	return (*uid)[max(0, len(*uid)-7):]
}

func (s *shell) auditVerify() *cli.Command {
	return s.command(spec{
		name: "verify", usage: "check that no record of the audit log was changed",
		about: "Reads the whole chain, and holds it line by line against its copy. What was\n" +
			"edited, removed, put elsewhere or replaced is named on standard output, the first\n" +
			"first, and exit code 7 says so.",
		flags:    []cli.Flag{&cli.StringFlag{Name: "copy", Usage: "hold it against `FILE` (default: setting audit.copy)"}},
		examples: "exante audit verify\nexante audit verify --copy /mnt/worm/exante.audit",
		codes:    storeCodes,
		run:      func(ctx context.Context, c *cli.Context) error { return s.runAuditVerify(ctx, c.String("copy")) },
	})
}

func (s *shell) runAuditVerify(ctx context.Context, copyFile string) (err error) {
	if copyFile != "" { // which the server looks for from where it is
		if copyFile, err = filepath.Abs(copyFile); err != nil {
			return err
		}
	}
	return s.withOps(ctx, false, func(ops Ops) error {
		progress, finish := s.progressBar("audit verify")
		report, err := ops.VerifyAudit(ctx, AuditCheck{Copy: copyFile}, progress)
		finish()
		if err != nil {
			return err
		}
		if err := s.printAuditReport(report); err != nil {
			return err
		}
		if n := len(report.Findings); n > 0 {
			return fmt.Errorf("%w: %d findings in the audit log", errFindings, n)
		}
		return nil
	})
}

func (s *shell) printAuditReport(r AuditReport) error {
	if s.json {
		return s.printJSON(r)
	}
	if err := s.printFindings(r.Findings); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(s.stdout, "%d records, %d findings\n", r.Records, len(r.Findings)); err != nil {
		return err
	}
	if r.Copy == nil {
		s.tell("there is no audit copy to hold them against")
		return nil
	}
	s.tell("held against %s: %d lines, %d of them superseded", printable(*r.Copy), r.Lines, r.Superseded)
	return nil
}
