package admin

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/urfave/cli/v2"

	"exante/auth"
	"exante/storage/input"
)

func (s *shell) keysSet() *cli.Command {
	return s.command(spec{
		name: "set", usage: "change a key, or take scopes or time from it", args: []string{"UID"},
		about: "Only what is given changes, and the next request is judged by it. Scopes and life are\n" +
			"only ever taken away: a key that may do more, or lives longer, is a new key. A key that\n" +
			"has expired or was revoked stays as it is.",
		flags: []cli.Flag{
			&cli.StringFlag{Name: "name", Usage: "call it `NAME`"},
			&cli.StringFlag{Name: "scopes", Usage: "allow only `SCOPES`, joined by commas, of those that it has"},
			&cli.StringFlag{Name: "expires-in-days", Usage: "expire after `DAYS`, 1 to 3650, sooner than it would"},
			&cli.StringFlag{Name: "expires-at", Usage: "expire at `TIME`, RFC 3339 or a date, sooner than it would"},
			&cli.StringFlag{Name: "rate-limit", Usage: "admit `N/D`, as in 600/1m,20000/24h, or default: as setting rate_limit.windows says"},
			&cli.StringFlag{Name: "allowed-cidrs", Usage: "accept it only from `NETWORKS`, joined by commas, or any: from anywhere"},
		},
		examples: "exante keys set 019aafe2-6b70-7bb0-9d3c-5a3f6f0d6f11 --rate-limit 60/1m\n" +
			"exante keys set 019aafe2-6b70-7bb0-9d3c-5a3f6f0d6f11 --scopes invoices:read --expires-in-days 90\n" +
			"exante keys set 019aafe2-6b70-7bb0-9d3c-5a3f6f0d6f11 --allowed-cidrs any --name erp",
		codes: append([]int{exitNotFound, exitInvalid}, storeCodes...),
		run: func(ctx context.Context, c *cli.Context) error {
			in, err := keyChange(c)
			if err != nil {
				return err
			}
			return s.runKeysSet(ctx, in)
		},
	})
}

// keyChange is what the flags of keys set ask for.
func keyChange(c *cli.Context) (KeyChange, error) {
	in := KeyChange{UID: c.Args().First(), ExpiresAt: c.String("expires-at")}
	if c.IsSet("name") {
		in.Name = new(c.String("name"))
	}
	if c.IsSet("scopes") {
		in.Scopes = new(append([]string{}, splitList(c.String("scopes"))...)) // null would ask for nothing
	}
	if c.IsSet("expires-in-days") {
		days, err := wholeNumber(c, "expires-in-days")
		if err != nil {
			return in, err
		}
		in.ExpiresInDays = &days
	}
	if c.IsSet("rate-limit") {
		in.RateLimit = new(c.String("rate-limit"))
	}
	if c.IsSet("allowed-cidrs") {
		in.Networks = &[]string{}
		if text := c.String("allowed-cidrs"); text != "any" {
			*in.Networks = splitList(text)
		}
	}
	return in, nil
}

func (s *shell) runKeysSet(ctx context.Context, in KeyChange) error {
	if in == (KeyChange{UID: in.UID}) {
		return usagef("see: exante keys set --help", "nothing to change is given, such as --name, --scopes or --rate-limit")
	}
	if in.Networks != nil && *in.Networks == nil { // "," alone must not open the key to all
		return usagef("see: exante keys set --help", "flag --allowed-cidrs names no network")
	}
	return s.withOps(ctx, false, func(ops Ops) error {
		k, err := ops.SetKey(ctx, in)
		if err != nil {
			return err
		}
		if s.json {
			return s.printJSON(k)
		}
		return fields(s.stdout, [][2]string{
			{"uid", k.UID}, {"name", k.Name}, {"scopes", strings.Join(k.Scopes, ", ")}, {"networks", orWord(k.AllowedCIDRs, "any")},
			{"rate limits", strings.Join(k.RateLimits, ", ")}, {"expires", orDash(k.ExpiresAt)},
		})
	})
}

func (s *shell) keysIdentify() *cli.Command {
	return s.command(spec{
		name: "identify", usage: "say whose key a leaked text holds",
		about: "Reads the text from standard input: a key alone, or a line of a log, a curl command\n" +
			"or JSON with keys in it. It is never printed, logged or given to another program.\n" +
			"Asks on the terminal whether to revoke what is found. Exits 3 if no key is ours.",
		flags:    []cli.Flag{&cli.BoolFlag{Name: "revoke", Usage: "revoke what is found, without asking", DisableDefaultText: true}},
		examples: "exante keys identify < leaked.txt\npbpaste | ssh host exante keys identify --revoke",
		codes:    append([]int{exitNotFound, exitInvalid}, storeCodes...),
		run:      func(ctx context.Context, c *cli.Context) error { return s.runKeysIdentify(ctx, c.Bool("revoke")) },
	})
}

// maxLeak bounds the text that keys are looked for in, in bytes.
const maxLeak = 1 << 20

func (s *shell) runKeysIdentify(ctx context.Context, revoke bool) error {
	tokens, err := s.readLeak()
	if err != nil {
		return err
	}
	in := IdentifyRequest{Revoke: revoke}
	for _, t := range tokens[:min(len(tokens), maxIdentify)] {
		in.Keys = append(in.Keys, secret{t.Reveal()})
	}
	if len(tokens) > len(in.Keys) {
		s.tell("only the first %d of %d keys are looked at", len(in.Keys), len(tokens))
	}
	return s.withOps(ctx, false, func(ops Ops) error {
		found, err := ops.IdentifyKeys(ctx, in)
		if err != nil {
			return err
		}
		if len(found) == 0 {
			return errNotOurs
		}
		if others := len(in.Keys) - len(found); others > 0 {
			s.tell("%d more in the text are well formed but not ours", others)
		}
		if s.json {
			return s.printJSON(found)
		}
		return s.printIdentified(ctx, ops, found)
	})
}

// readLeak finds the keys in standard input.
func (s *shell) readLeak() ([]auth.Token, error) {
	if isTerminal(s.stdin) {
		s.tell("paste the text, then press Ctrl-D on a line of its own:")
	}
	text, err := io.ReadAll(io.LimitReader(s.input, maxLeak+1))
	defer clear(text)
	if err != nil {
		return nil, err
	}
	if len(text) > maxLeak {
		return nil, input.Invalid("text", "has more than 1 MiB: send the part with the key in it")
	}
	scan := auth.FindTokens(text)
	switch {
	case len(scan.Tokens) > 0:
		return scan.Tokens, nil
	case scan.Broken > 0:
		return nil, fmt.Errorf("%w: it begins like one, and is cut off or mistyped", errNotAKey)
	case len(bytes.TrimSpace(text)) == 0:
		return nil, fmt.Errorf("%w: standard input is empty", errNotAKey)
	}
	return nil, errNotAKey
}

// printIdentified says whose each key is, and asks about those that are not revoked.
func (s *shell) printIdentified(ctx context.Context, ops Ops, found []IdentifiedKey) error {
	for i, k := range found {
		if i > 0 {
			fmt.Fprintln(s.stdout)
		}
		err := fields(s.stdout, [][2]string{
			{"uid", k.UID}, {"name", k.Name}, {"key", k.KeySnippet}, {"state", k.State},
			{"organization", k.OrganizationUID + " " + k.OrganizationName}, {"user", k.Owner.Email + ", " + standing(k.Owner)},
			{"last used", orDash(k.LastUsedAt)}, {"expires", orDash(k.ExpiresAt)}, {"revoked", orDash(k.RevokedAt)},
		})
		if err == nil && k.State != string(auth.Revoked) {
			err = s.offerToRevoke(ctx, ops, k)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// offerToRevoke asks on the terminal of the process, for standard input brought the
// text. Without a terminal it says what to do.
func (s *shell) offerToRevoke(ctx context.Context, ops Ops, k IdentifiedKey) error {
	terminal, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if err != nil {
		s.tell("end it with: exante keys revoke %s", k.UID)
		return nil
	}
	defer terminal.Close()
	fmt.Fprintf(terminal, "revoke api key %s, %q? It stops working at once. [y/N] ", k.KeySnippet, printable(k.Name))
	answer, err := bufio.NewReader(io.LimitReader(terminal, maxLine)).ReadString('\n')
	if answer = strings.ToLower(strings.TrimSpace(answer)); err != nil || answer != "y" && answer != "yes" {
		s.tell("not revoked; end it with: exante keys revoke %s", k.UID)
		return nil
	}
	revoked, err := ops.RevokeKey(ctx, KeyRef{k.UID})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.stdout, "revoked %s at %s\n", revoked.UID, orDash(revoked.RevokedAt))
	return err
}
