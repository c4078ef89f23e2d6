package admin

import (
	"context"
	"fmt"

	"github.com/urfave/cli/v2"
)

// userArg names a user in every command.
const userArg = "UID|EMAIL"

func (s *shell) usersDisable() *cli.Command {
	return s.command(spec{
		name: "disable", usage: "lock a user out", args: []string{userArg},
		about: "Ends his sessions and suspends his keys: when the command is done, no later\n" +
			"request with one of them is accepted. The last enabled owner of an organization\n" +
			"stays.",
		examples: "exante users disable ada@example.com",
		codes:    append([]int{exitNotFound, exitInvalid}, storeCodes...),
		run: func(ctx context.Context, c *cli.Context) error {
			return s.runUserChange(ctx, func(ops Ops) (User, error) { return ops.DisableUser(ctx, UserRef{c.Args().First()}) })
		},
	})
}

func (s *shell) usersEnable() *cli.Command {
	return s.command(spec{
		name: "enable", usage: "let a disabled user back in", args: []string{userArg},
		about:    "Those of his keys work again that have neither expired nor been revoked meanwhile.",
		examples: "exante users enable ada@example.com",
		codes:    append([]int{exitNotFound}, storeCodes...),
		run: func(ctx context.Context, c *cli.Context) error {
			return s.runUserChange(ctx, func(ops Ops) (User, error) { return ops.EnableUser(ctx, UserRef{c.Args().First()}) })
		},
	})
}

func (s *shell) usersRole() *cli.Command {
	return s.command(spec{
		name: "role", usage: "give a user another role", args: []string{userArg, "ROLE"},
		about: "The roles are owner, admin and viewer. Ends his sessions: he signs in anew. The last\n" +
			"enabled owner of an organization stays.",
		examples: "exante users role ada@example.com admin",
		codes:    append([]int{exitNotFound, exitInvalid}, storeCodes...),
		run: func(ctx context.Context, c *cli.Context) error {
			in := RoleRequest{User: c.Args().First(), Role: c.Args().Get(1)}
			return s.runUserChange(ctx, func(ops Ops) (User, error) { return ops.SetRole(ctx, in) })
		},
	})
}

func (s *shell) usersPassword() *cli.Command {
	return s.command(spec{
		name: "password", usage: "give a user a password", args: []string{userArg},
		about: "Best with --link: it prints a link with which he chooses the password himself, so\n" +
			"that nobody else knows it. The link works once, within 15 minutes, and replaces\n" +
			"one that he has; until then nothing changes. Without --link it asks for the\n" +
			"password twice on the terminal, or reads one line with --stdin. A password has 8\n" +
			"to 256 characters of any kind, and is none that everybody tries first. A new one\n" +
			"ends his sessions.",
		flags: []cli.Flag{
			&cli.BoolFlag{Name: "link", Usage: "print a link with which he chooses it", DisableDefaultText: true},
			&cli.BoolFlag{Name: "stdin", Usage: "read it from standard input", DisableDefaultText: true},
		},
		examples: "exante users password ada@example.com --link\npwgen 20 1 | exante users password ada@example.com --stdin",
		codes:    append([]int{exitNotFound, exitInvalid}, storeCodes...),
		run: func(ctx context.Context, c *cli.Context) error {
			switch {
			case c.Bool("link") && c.Bool("stdin"):
				return usagef("", "--link and --stdin exclude each other")
			case c.Bool("link"):
				return s.runUsersLink(ctx, UserRef{c.Args().First()})
			}
			password, err := s.askPassword(ctx, c.Bool("stdin"))
			if err != nil {
				return err
			}
			in := PasswordRequest{User: c.Args().First(), Password: password}
			return s.runUserChange(ctx, func(ops Ops) (User, error) { return ops.SetPassword(ctx, in) })
		},
	})
}

// runUsersLink prints a setup link, alone on stdout unless as JSON.
func (s *shell) runUsersLink(ctx context.Context, in UserRef) error {
	return s.withOps(ctx, false, func(ops Ops) error {
		user, err := ops.LinkUser(ctx, in)
		if err != nil {
			return err
		}
		if s.json {
			return s.printJSON(user)
		}
		s.tellLink(user)
		_, err = fmt.Fprintln(s.stdout, user.SetupURL.Reveal())
		return err
	})
}

// runUserChange changes a user and says how he stands then.
func (s *shell) runUserChange(ctx context.Context, change func(Ops) (User, error)) error {
	return s.withOps(ctx, false, func(ops Ops) error {
		u, err := change(ops)
		if err != nil {
			return err
		}
		if s.json {
			return s.printJSON(u)
		}
		password := "none"
		if u.HasPassword {
			password = "set"
		}
		return fields(s.stdout, [][2]string{
			{"uid", u.UID}, {"organization", u.OrganizationUID}, {"e-mail", u.Email}, {"name", orDash(u.Name)},
			{"role", u.Role}, {"state", standing(u)}, {"password", password},
		})
	})
}
