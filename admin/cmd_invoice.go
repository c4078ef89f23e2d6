package admin

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/urfave/cli/v2"

	"exante/storage/billing"
)

// invoiceArg names an invoice in every command.
const invoiceArg = "UID|NUMBER"

func (s *shell) invoicesShow() *cli.Command {
	return s.command(spec{
		name: "show", usage: "show one invoice", args: []string{invoiceArg},
		about:    "With --json, what GET /api/invoices/{uid} answers as data.",
		flags:    []cli.Flag{invoiceOrgFlag()},
		examples: "exante invoices show INV-2026-000042",
		codes:    append([]int{exitNotFound}, storeCodes...),
		run: func(ctx context.Context, c *cli.Context) error {
			return s.runInvoice(ctx, func(ops Ops) (InvoiceAnswer, error) { return ops.Invoice(ctx, invoiceRef(c)) })
		},
	})
}

func invoiceOrgFlag() cli.Flag {
	return &cli.StringFlag{Name: "org", Usage: "in organization `UID` (needed for a NUMBER if there are several)"}
}

func invoiceRef(c *cli.Context) InvoiceRef {
	return InvoiceRef{Org: c.String("org"), Invoice: c.Args().First()}
}

func (s *shell) invoicesSend() *cli.Command {
	return s.command(spec{
		name: "send", usage: "mark an invoice as sent", args: []string{invoiceArg},
		about: "Gives it the next number of its organization, if it has none. From now on it is\n" +
			"owed, and what it says of money does not change. Nothing is mailed.",
		flags:    []cli.Flag{invoiceOrgFlag()},
		examples: "exante invoices send 019aafe2-6b70-7bb0-9d3c-5a3f6f0d6f11",
		codes:    append([]int{exitNotFound, exitInvalid}, storeCodes...),
		run: func(ctx context.Context, c *cli.Context) error {
			return s.runInvoice(ctx, func(ops Ops) (InvoiceAnswer, error) { return ops.SendInvoice(ctx, invoiceRef(c)) })
		},
	})
}

func (s *shell) invoicesVoid() *cli.Command {
	return s.command(spec{
		name: "void", usage: "declare a sent invoice void", args: []string{invoiceArg},
		about:    "It stays in the books with its number, and nothing is owed on it. There is no way back.",
		flags:    []cli.Flag{invoiceOrgFlag(), &cli.BoolFlag{Name: "yes", Usage: "do not ask", DisableDefaultText: true}},
		examples: "exante invoices void INV-2026-000042 --yes",
		codes:    append([]int{exitNotFound, exitInvalid}, storeCodes...),
		run: func(ctx context.Context, c *cli.Context) error {
			return s.runInvoicesVoid(ctx, invoiceRef(c), c.Bool("yes"))
		},
	})
}

// runInvoicesVoid names what it asks about, as a person knows it.
func (s *shell) runInvoicesVoid(ctx context.Context, in InvoiceRef, yes bool) error {
	return s.runInvoice(ctx, func(ops Ops) (InvoiceAnswer, error) {
		before, err := ops.Invoice(ctx, in)
		if err != nil {
			return before, err
		}
		inv, err := readInvoice(before.Invoice)
		if err != nil {
			return before, err
		}
		question := fmt.Sprintf("void invoice %s of %s, %s?", orDash(inv.Number), printable(orDash(inv.Parties.Client.Name)), inv.money(inv.Total))
		if err := s.confirm(yes, question); err != nil {
			return before, err
		}
		return ops.VoidInvoice(ctx, in)
	})
}

func (s *shell) invoicesPay() *cli.Command {
	return s.command(spec{
		name: "pay", usage: "record a payment of an invoice", args: []string{invoiceArg},
		about: "A payment of all that remains makes it PAID, a smaller one PARTIALLY_PAID. With --json,\n" +
			"what POST /api/invoices/{uid}/payments answers as data.",
		flags: []cli.Flag{
			invoiceOrgFlag(),
			&cli.StringFlag{Name: "amount", Usage: "take `AMOUNT` in the invoice's currency, as in 123.45"},
			&cli.StringFlag{Name: "amount-cents", Usage: "take `N` of the currency's minor unit, in place of --amount"},
			&cli.StringFlag{Name: "date", Usage: "it came in at `TIME`: RFC 3339 or a date (default: now)"},
			&cli.StringFlag{Name: "reference", Usage: "note `TEXT` with it, such as the bank's reference"},
		},
		examples: "exante invoices pay INV-2026-000042 --amount 123.45 --date 2026-11-23 --reference 'wire 4711'",
		codes:    append([]int{exitNotFound, exitInvalid}, storeCodes...),
		run: func(ctx context.Context, c *cli.Context) error {
			in := PayRequest{InvoiceRef: invoiceRef(c), Amount: c.String("amount"), PaidAt: c.String("date"), Reference: c.String("reference")}
			if c.IsSet("amount") == c.IsSet("amount-cents") {
				return usagef("see: exante invoices pay --help", "give either --amount or --amount-cents")
			}
			if c.IsSet("amount-cents") {
				n, err := strconv.ParseInt(c.String("amount-cents"), 10, 64)
				if err != nil {
					return usagef("", "flag --amount-cents: %q is not a whole number", c.String("amount-cents"))
				}
				in.AmountCents = &n
			}
			return s.runInvoice(ctx, func(ops Ops) (InvoiceAnswer, error) { return ops.PayInvoice(ctx, in) })
		},
	})
}

// runInvoice asks for something of an invoice and prints what came of it.
func (s *shell) runInvoice(ctx context.Context, ask func(Ops) (InvoiceAnswer, error)) error {
	return s.withOps(ctx, false, func(ops Ops) error {
		answer, err := ask(ops)
		if err != nil {
			return err
		}
		if s.json {
			text := answer.Invoice
			if answer.Payment != nil {
				text = answer.Payment
			}
			_, err := fmt.Fprintf(s.stdout, "%s\n", text)
			return err
		}
		return s.printInvoice(answer)
	})
}

// shownInvoice is what the shell shows of an invoice.
type shownInvoice struct {
	UID       string           `json:"uid"`
	OrgUID    string           `json:"organization_uid"`
	Number    *string          `json:"invoice_number"`
	Status    string           `json:"status"`
	Currency  billing.Currency `json:"currency"`
	Issued    *string          `json:"issue_date"`
	Due       *string          `json:"due_date"`
	PaidDate  *string          `json:"paid_date"`
	Total     billing.Cents    `json:"total_cents"`
	Paid      billing.Cents    `json:"amount_paid_cents"`
	Remaining billing.Cents    `json:"amount_remaining_cents"`
	Parties   struct {
		Client struct {
			Name *string `json:"name"`
		} `json:"client"`
	} `json:"parties"`
}

func (i *shownInvoice) money(c billing.Cents) string {
	return c.Format(i.Currency) + " " + string(i.Currency)
}

func readInvoice(text document) (i shownInvoice, err error) {
	if err := json.Unmarshal(text, &i); err != nil {
		return i, fmt.Errorf("read the invoice: %w", err)
	}
	return i, nil
}

func (s *shell) printInvoice(a InvoiceAnswer) error {
	i, err := readInvoice(a.Invoice)
	if err != nil {
		return err
	}
	rows := [][2]string{
		{"uid", i.UID}, {"organization", i.OrgUID}, {"number", orDash(i.Number)}, {"status", i.Status},
		{"client", orDash(i.Parties.Client.Name)}, {"issued", orDash(i.Issued)}, {"due", orDash(i.Due)},
		{"total", i.money(i.Total)}, {"paid", i.money(i.Paid)}, {"remaining", i.money(i.Remaining)}, {"paid on", orDash(i.PaidDate)},
	}
	if a.Payment != nil {
		var p struct {
			UID    string        `json:"uid"`
			Amount billing.Cents `json:"amount_cents"`
		}
		if err := json.Unmarshal(a.Payment, &p); err != nil {
			return fmt.Errorf("read the payment: %w", err)
		}
		rows = append(rows, [2]string{"payment", p.UID + ", " + i.money(p.Amount)})
	}
	return fields(s.stdout, rows)
}
