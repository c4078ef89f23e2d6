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

func (s *shell) orgsSet() *cli.Command {
	return s.command(spec{
		name: "set", usage: "change the name or the currency of an organization", optional: "ORG",
		about: "ORG is its uid, and needed if there are several. Only what is given changes. The\n" +
			"currency is that of new invoices and statistics that name none: an amount that is there\n" +
			"keeps its own.",
		flags: []cli.Flag{
			&cli.StringFlag{Name: "name", Usage: "call it `NAME`"},
			&cli.StringFlag{Name: "currency", Usage: "reckon in `CURRENCY`, as an ISO 4217 code such as EUR"},
		},
		examples: "exante orgs set --name 'Blue Harbor'\n" +
			"exante orgs set 019aafe2-6b70-7bb0-9d3c-5a3f6f0d6f11 --currency EUR --json",
		codes: append([]int{exitNotFound, exitInvalid}, storeCodes...),
		run: func(ctx context.Context, c *cli.Context) error {
			in := OrgChange{Org: c.Args().First()}
			if c.IsSet("name") {
				in.Name = new(c.String("name"))
			}
			if c.IsSet("currency") {
				in.Currency = new(c.String("currency"))
			}
			return s.runOrgsSet(ctx, in)
		},
	})
}

func (s *shell) runOrgsSet(ctx context.Context, in OrgChange) error {
	if in.Name == nil && in.Currency == nil {
		return usagef("see: exante orgs set --help", "nothing to change is given: --name or --currency")
	}
	return s.withOps(ctx, false, func(ops Ops) error {
		o, err := ops.SetOrg(ctx, in)
		if err != nil {
			return err
		}
		if s.json {
			return s.printJSON(o)
		}
		return fields(s.stdout, [][2]string{{"uid", o.UID}, {"name", o.Name}, {"currency", o.Currency}, {"created", o.CreatedAt}})
	})
}
