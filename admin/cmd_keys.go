package admin

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"
)

func (s *shell) keysCreate() *cli.Command {
	return s.command(spec{
		name: "create", usage: "make an API key and print it, this once",
		about: "The key alone goes to standard output. In an empty store this makes the default\n" +
			"organization and its owner first.",
		flags: []cli.Flag{
			&cli.StringFlag{Name: "name", Usage: "call it `NAME`, after what it is for (needed)"},
			orgFlag(),
			&cli.StringFlag{Name: "user", Usage: "for the user with uid or e-mail address `USER` (default: the organization's owner)"},
			&cli.StringFlag{Name: "scopes", Usage: "allow only `SCOPES`, joined by commas (default: full access)"},
			&cli.StringFlag{Name: "expires-in-days", Usage: "expire after `DAYS`, 1 to 3650"},
			&cli.StringFlag{Name: "expires-at", Usage: "expire at `TIME`: RFC 3339, a date, or never"},
			&cli.StringFlag{Name: "rate-limit", Usage: "admit `N/D`, as in 600/1m,20000/24h (default: setting rate_limit.windows)"},
			&cli.StringFlag{Name: "allowed-cidrs", Usage: "accept it only from `NETWORKS`, joined by commas (default: from anywhere)"},
		},
		examples: "exante keys create --name zapier --scopes invoices:read,parties:read --expires-in-days 90\n" +
			"exante keys create --name backup --rate-limit 600/1m,20000/24h --json",
		needs: []string{"name"},
		codes: append([]int{exitNotFound, exitInvalid}, storeCodes...),
		run:   s.runKeysCreate,
	})
}

func (s *shell) runKeysCreate(ctx context.Context, c *cli.Context) error {
	in := KeyRequest{
		Name: c.String("name"), Org: c.String("org"), User: c.String("user"),
		Networks: splitList(c.String("allowed-cidrs")), ExpiresAt: c.String("expires-at"), RateLimit: c.String("rate-limit"),
	}
	if c.IsSet("scopes") {
		in.Scopes = append([]string{}, splitList(c.String("scopes"))...)
	}
	if c.IsSet("expires-in-days") {
		days, err := wholeNumber(c, "expires-in-days")
		if err != nil {
			return err
		}
		in.ExpiresInDays = &days
	}
	return s.withOps(ctx, true, func(ops Ops) error {
		key, err := ops.CreateKey(ctx, in)
		if err != nil {
			return err
		}
		return s.printNewKey(key)
	})
}

// printNewKey prints a key's secret, alone on stdout unless as JSON.
func (s *shell) printNewKey(key NewKey) (err error) {
	if s.json {
		err = s.printJSON(key)
	} else {
		s.tell("api key %s (%s), %s. It is shown this once:", key.UID, printable(key.Name), expires(key.APIKey))
		_, err = fmt.Fprintln(s.stdout, printable(key.Key.Reveal()))
	}
	if err != nil {
		return fmt.Errorf("print the key: %w; it was made all the same: revoke %s and make another", err, key.UID)
	}
	return nil
}

func expires(k APIKey) string {
	if k.ExpiresAt == nil {
		return "never expires"
	}
	return "expires " + *k.ExpiresAt
}

func (s *shell) keysRotate() *cli.Command {
	return s.command(spec{
		name: "rotate", usage: "make a key's successor and print it, this once", args: []string{"UID"},
		about: "The successor has the same name, scopes, networks, limits and life. The old key\n" +
			"works on during the days of grace; without any it ends at once.",
		flags: []cli.Flag{
			&cli.StringFlag{Name: "grace-days", Usage: "let the old key work for `DAYS` more, 0 to 30", Value: "0"},
			&cli.BoolFlag{Name: "yes", Usage: "do not ask before a rotation without grace", DisableDefaultText: true},
		},
		examples: "exante keys rotate 019aafe2-6b70-7bb0-9d3c-5a3f6f0d6f11 --grace-days 7",
		codes:    append([]int{exitNotFound, exitInvalid}, storeCodes...),
		run: func(ctx context.Context, c *cli.Context) error {
			days, err := wholeNumber(c, "grace-days")
			if err != nil {
				return err
			}
			return s.runKeysRotate(ctx, RotateRequest{UID: c.Args().First(), GraceDays: days}, c.Bool("yes"))
		},
	})
}

// runKeysRotate asks a person before a rotation that ends the old key at once. A
// script has said what it wants: the successor is in its hands.
func (s *shell) runKeysRotate(ctx context.Context, in RotateRequest, yes bool) error {
	return s.withOps(ctx, false, func(ops Ops) error {
		if in.GraceDays == 0 && isTerminal(s.stdin) {
			if err := s.confirm(yes, fmt.Sprintf("rotate api key %s without grace? The old key stops working at once.", in.UID)); err != nil {
				return err
			}
		}
		key, err := ops.RotateKey(ctx, in)
		if err != nil {
			return err
		}
		return s.printNewKey(key)
	})
}

func (s *shell) keysRevoke() *cli.Command {
	return s.command(spec{
		name: "revoke", usage: "end a key now", args: []string{"UID"},
		about:    "When the command is done, no later request with the key is accepted.",
		flags:    []cli.Flag{&cli.BoolFlag{Name: "yes", Usage: "do not ask", DisableDefaultText: true}},
		examples: "exante keys revoke 019aafe2-6b70-7bb0-9d3c-5a3f6f0d6f11 --yes",
		codes:    append([]int{exitNotFound}, storeCodes...),
		run: func(ctx context.Context, c *cli.Context) error {
			return s.runKeysRevoke(ctx, KeyRef{c.Args().First()}, c.Bool("yes"))
		},
	})
}

func (s *shell) runKeysRevoke(ctx context.Context, in KeyRef, yes bool) error {
	return s.withOps(ctx, false, func(ops Ops) error {
		key, err := ops.APIKey(ctx, in)
		if err != nil {
			return err
		}
		question := fmt.Sprintf("revoke api key %s, %q? It stops working at once.", key.KeySnippet, printable(key.Name))
		if err := s.confirm(yes, question); err != nil {
			return err
		}
		if key, err = ops.RevokeKey(ctx, in); err != nil {
			return err
		}
		if s.json {
			return s.printJSON(key)
		}
		_, err = fmt.Fprintf(s.stdout, "revoked %s at %s\n", key.UID, orDash(key.RevokedAt))
		return err
	})
}

func (s *shell) keysList() *cli.Command {
	return s.command(spec{
		name: "list", usage: "list API keys, expired and revoked ones too",
		about: "--finding lists those that deserve a second look, and why:\n" +
			"   never_used  a week old and never used\n" +
			"   idle        not used for 90 days\n" +
			"   no_expiry   works until it is revoked\n" +
			"   too_broad   has scopes that it did not use in 30 days; --json says which\n" +
			"   expiring    ends within 14 days\n" +
			"   any         one of these",
		flags: []cli.Flag{
			&cli.StringFlag{Name: "org", Usage: "only those of organization `UID`"},
			&cli.StringFlag{Name: "finding", Usage: "only those about which `KIND` is found, with all that is found"},
		},
		examples: "exante keys list\nexante keys list --finding any\n" +
			"exante keys list --json | jq -r '.[] | select(.state == \"active\") | .uid'",
		codes: append([]int{exitNotFound, exitInvalid}, storeCodes...),
		run: func(ctx context.Context, c *cli.Context) error {
			return s.runKeysList(ctx, KeysRequest{c.String("org"), c.String("finding")})
		},
	})
}

func (s *shell) runKeysList(ctx context.Context, in KeysRequest) error {
	return s.withOps(ctx, false, func(ops Ops) error {
		keys, err := ops.APIKeys(ctx, in)
		if err != nil {
			return err
		}
		if s.json {
			return s.printJSON(keys)
		}
		var rows [][]string
		if in.Finding != "" {
			for _, k := range keys {
				rows = append(rows, []string{k.UID, strings.Join(k.kinds(), ","), k.Name})
			}
			return table(s.stdout, []column{{"UID", 36}, {"FINDINGS", 24}, {"NAME", 16}}, rows)
		}
		for _, k := range keys {
			rows = append(rows, []string{k.UID, k.State, k.KeySnippet, k.Name})
		}
		return table(s.stdout, []column{{"UID", 36}, {"STATE", 8}, {"KEY", 15}, {"NAME", 15}}, rows)
	})
}

func (s *shell) keysShow() *cli.Command {
	return s.command(spec{
		name: "show", usage: "show one API key", args: []string{"UID"},
		examples: "exante keys show 019aafe2-6b70-7bb0-9d3c-5a3f6f0d6f11",
		codes:    append([]int{exitNotFound}, storeCodes...),
		run:      func(ctx context.Context, c *cli.Context) error { return s.runKeysShow(ctx, KeyRef{c.Args().First()}) },
	})
}

func (s *shell) runKeysShow(ctx context.Context, in KeyRef) error {
	return s.withOps(ctx, false, func(ops Ops) error {
		k, err := ops.APIKey(ctx, in)
		if err != nil {
			return err
		}
		if s.json {
			return s.printJSON(k)
		}
		suspended, err := suspendedSince(ctx, ops, k)
		if err != nil {
			return err
		}
		return fields(s.stdout, [][2]string{
			{"uid", k.UID}, {"name", k.Name}, {"key", k.KeySnippet}, {"state", k.State}, {"suspended", suspended},
			{"organization", k.OrganizationUID}, {"user", orDash(k.UserUID)},
			{"scopes", strings.Join(k.Scopes, ", ")}, {"networks", orWord(k.AllowedCIDRs, "any")},
			{"rate limits", strings.Join(k.RateLimits, ", ")},
			{"created", k.CreatedAt}, {"updated", k.UpdatedAt}, {"last used", orDash(k.LastUsedAt)},
			{"expires", orDash(k.ExpiresAt)}, {"retires", orDash(k.RetiresAt)}, {"revoked", orDash(k.RevokedAt)},
			{"rotated to", orDash(k.RotatedToUID)}, {"rotated from", orDash(k.RotatedFromUID)},
		})
	})
}

// suspendedSince says since when a key is suspended with its user.
func suspendedSince(ctx context.Context, ops Ops, k APIKey) (string, error) {
	users, err := ops.Users(ctx, OrgRef{k.OrganizationUID})
	if err != nil {
		return "", err
	}
	for _, u := range users {
		if u.UID == orDash(k.UserUID) && u.DisabledAt != nil {
			return *u.DisabledAt + ", with its user", nil
		}
	}
	return "-", nil
}

func orDash(s *string) string {
	if s == nil {
		return "-"
	}
	return *s
}

func orWord(items []string, word string) string {
	if len(items) == 0 {
		return word
	}
	return strings.Join(items, ", ")
}

// wholeNumber reads the value of a flag.
func wholeNumber(c *cli.Context, flag string) (int, error) {
	n, err := strconv.Atoi(c.String(flag))
	if err != nil {
		return 0, usagef("", "flag --%s: %q is not a whole number", flag, c.String(flag))
	}
	return n, nil
}

// splitList reads items joined by commas.
func splitList(s string) []string {
	var items []string
	for item := range strings.SplitSeq(s, ",") {
		if item = strings.TrimSpace(item); item != "" {
			items = append(items, item)
		}
	}
	return items
}
