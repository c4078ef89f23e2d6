package admin

import (
	"context"
	"fmt"

	"github.com/urfave/cli/v2"
)

func (s *shell) orgsCreate() *cli.Command {
	return s.command(spec{
		name: "create", usage: "make an organization and its owner",
		about: "Prints its uid. Everything belongs to one organization, and none sees another's.",
		flags: []cli.Flag{
			&cli.StringFlag{Name: "name", Usage: "call it `NAME` (needed)"},
			&cli.StringFlag{Name: "owner-email", Usage: "make `EMAIL` its owner (default: a placeholder)"},
		},
		needs:    []string{"name"},
		examples: "exante orgs create --name 'Blue Harbor' --owner-email owner@example.com",
		codes:    append([]int{exitInvalid}, storeCodes...),
		run: func(ctx context.Context, c *cli.Context) error {
			return s.runOrgsCreate(ctx, OrgRequest{Name: c.String("name"), OwnerEmail: c.String("owner-email")})
		},
	})
}

func (s *shell) runOrgsCreate(ctx context.Context, in OrgRequest) error {
	return s.withOps(ctx, true, func(ops Ops) error {
		org, err := ops.CreateOrg(ctx, in)
		if err != nil {
			return err
		}
		return s.printOrg(org)
	})
}

func (s *shell) printOrg(org Organization) error {
	if s.json {
		return s.printJSON(org)
	}
	s.tell("organization %q:", org.Name)
	_, err := fmt.Fprintln(s.stdout, org.UID)
	return err
}

func (s *shell) orgsList() *cli.Command {
	return s.command(spec{
		name: "list", usage: "list the organizations",
		examples: "exante orgs list --json",
		codes:    storeCodes,
		run:      func(ctx context.Context, _ *cli.Context) error { return s.runOrgsList(ctx) },
	})
}

func (s *shell) runOrgsList(ctx context.Context) error {
	return s.withOps(ctx, false, func(ops Ops) error {
		orgs, err := ops.Orgs(ctx)
		if err != nil {
			return err
		}
		if s.json {
			return s.printJSON(orgs)
		}
		var rows [][]string
		for _, o := range orgs {
			rows = append(rows, []string{o.UID, o.CreatedAt, o.Name})
		}
		return table(s.stdout, []column{{"UID", 36}, {"CREATED", 20}, {"NAME", 20}}, rows)
	})
}
