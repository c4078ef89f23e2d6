package admin

import (
	"context"
	"fmt"

	"github.com/urfave/cli/v2"
)

func (s *shell) sessionsList() *cli.Command {
	return s.command(spec{
		name: "list", usage: "list the browsers that users have signed in",
		flags: []cli.Flag{
			&cli.StringFlag{Name: "org", Usage: "only those of organization `UID`"},
			&cli.StringFlag{Name: "user", Usage: "only those of the user with uid or e-mail address `USER`"},
		},
		examples: "exante sessions list --user ada@example.com\nexante sessions list --json | jq -r '.[] | .address'",
		codes:    append([]int{exitNotFound}, storeCodes...),
		run: func(ctx context.Context, c *cli.Context) error {
			return s.runSessionsList(ctx, SessionsRef{Org: c.String("org"), User: c.String("user")})
		},
	})
}

func (s *shell) runSessionsList(ctx context.Context, in SessionsRef) error {
	return s.withOps(ctx, false, func(ops Ops) error {
		sessions, err := ops.Sessions(ctx, in)
		if err != nil {
			return err
		}
		if s.json {
			return s.printJSON(sessions)
		}
		var rows [][]string
		for _, n := range sessions {
			rows = append(rows, []string{n.UID, n.LastSeenAt, n.UserEmail})
		}
		return table(s.stdout, []column{{"UID", 36}, {"LAST SEEN", 20}, {"USER", 20}}, rows)
	})
}

func (s *shell) sessionsEnd() *cli.Command {
	return s.command(spec{
		name: "end", usage: "sign a browser out, or a user everywhere", optional: "UID",
		about: "When the command is done, the next request of that browser asks for a password.",
		flags: []cli.Flag{
			&cli.StringFlag{Name: "user", Usage: "end all sessions of the user with uid or e-mail address `USER`"},
			&cli.BoolFlag{Name: "yes", Usage: "do not ask", DisableDefaultText: true},
		},
		examples: "exante sessions end 019aafe2-6b70-7bb0-9d3c-5a3f6f0d6f11 --yes\nexante sessions end --user ada@example.com --yes",
		codes:    append([]int{exitNotFound}, storeCodes...),
		run: func(ctx context.Context, c *cli.Context) error {
			one, all := c.Args().First(), c.String("user")
			switch {
			case (c.NArg() == 0) == (all == ""):
				return usagef("see: exante sessions end --help", "give either the UID of a session or --user")
			case all != "":
				return s.runSessionsEndAll(ctx, UserRef{all}, c.Bool("yes"))
			}
			return s.runSessionsEnd(ctx, SessionRef{one}, c.Bool("yes"))
		},
	})
}

func (s *shell) runSessionsEnd(ctx context.Context, in SessionRef, yes bool) error {
	return s.withOps(ctx, false, func(ops Ops) error {
		if err := s.confirm(yes, fmt.Sprintf("end session %s?", printable(in.UID))); err != nil {
			return err
		}
		ended, err := ops.EndSession(ctx, in)
		if err != nil {
			return err
		}
		if s.json {
			return s.printJSON(ended)
		}
		_, err = fmt.Fprintf(s.stdout, "ended session %s of %s\n", ended.UID, printable(ended.UserEmail))
		return err
	})
}

func (s *shell) runSessionsEndAll(ctx context.Context, in UserRef, yes bool) error {
	return s.withOps(ctx, false, func(ops Ops) error {
		if err := s.confirm(yes, fmt.Sprintf("end all sessions of %s?", printable(in.User))); err != nil {
			return err
		}
		ended, err := ops.EndSessions(ctx, in)
		if err != nil {
			return err
		}
		if s.json {
			return s.printJSON(ended)
		}
		_, err = fmt.Fprintf(s.stdout, "ended %d sessions of %s\n", len(ended), printable(in.User))
		return err
	})
}
