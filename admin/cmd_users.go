package admin

import (
	"context"
	"fmt"

	"github.com/urfave/cli/v2"
)

func (s *shell) usersCreate() *cli.Command {
	return s.command(spec{
		name: "create", usage: "make a user of an organization",
		about: "Prints the uid and, on standard error, a link with which he chooses his password:\n" +
			"once, within 15 minutes. Another one: exante users password --link.",
		flags: []cli.Flag{
			&cli.StringFlag{Name: "email", Usage: "his address `EMAIL`, which no other user may have (needed)"},
			&cli.StringFlag{Name: "name", Usage: "his name `NAME`"},
			&cli.StringFlag{Name: "role", Usage: "make him `ROLE`: owner, admin or viewer", Value: "viewer"},
			orgFlag(),
		},
		needs:    []string{"email"},
		examples: "exante users create --email ada@example.com --role admin",
		codes:    append([]int{exitNotFound, exitInvalid}, storeCodes...),
		run: func(ctx context.Context, c *cli.Context) error {
			return s.runUsersCreate(ctx, UserRequest{
				Org: c.String("org"), Email: c.String("email"), Name: c.String("name"), Role: c.String("role"),
			})
		},
	})
}

func orgFlag() cli.Flag {
	return &cli.StringFlag{Name: "org", Usage: "in organization `UID` (needed if there are several)"}
}

func (s *shell) runUsersCreate(ctx context.Context, in UserRequest) error {
	return s.withOps(ctx, false, func(ops Ops) error {
		user, err := ops.CreateUser(ctx, in)
		if err != nil {
			return err
		}
		if s.json {
			return s.printJSON(user)
		}
		s.tell("user %s:", printable(user.Email))
		if _, err = fmt.Fprintln(s.stdout, user.UID); err == nil && user.SetupURL != nil {
			s.tellLink(user)
			s.tell("%s", user.SetupURL.Reveal())
		}
		return err
	})
}

// tellLink says what the setup link is for that comes next.
func (s *shell) tellLink(u NewUser) {
	s.tell("%s chooses a password with this link, once, until %s:", printable(u.Email), *u.SetupExpiresAt)
}

// standing says in a word whether a user is enabled.
func standing(u User) string {
	if u.DisabledAt != nil {
		return "disabled"
	}
	return "enabled"
}

func (s *shell) usersList() *cli.Command {
	return s.command(spec{
		name: "list", usage: "list users",
		flags:    []cli.Flag{&cli.StringFlag{Name: "org", Usage: "only those of organization `UID`"}},
		examples: "exante users list",
		codes:    append([]int{exitNotFound}, storeCodes...),
		run:      func(ctx context.Context, c *cli.Context) error { return s.runUsersList(ctx, c.String("org")) },
	})
}

func (s *shell) runUsersList(ctx context.Context, org string) error {
	return s.withOps(ctx, false, func(ops Ops) error {
		users, err := ops.Users(ctx, OrgRef{org})
		if err != nil {
			return err
		}
		if s.json {
			return s.printJSON(users)
		}
		var rows [][]string
		for _, u := range users {
			rows = append(rows, []string{u.UID, u.Role, standing(u), u.Email})
		}
		return table(s.stdout, []column{{"UID", 36}, {"ROLE", 6}, {"STATE", 8}, {"E-MAIL", 24}}, rows)
	})
}
