package storage_test

import (
	"strings"
	"testing"
	"time"

	"exante/storage"
	"exante/storage/billing"
)

func TestImportReachesEveryStatus(t *testing.T) {
	b := openBooks(t)
	ago := func(days int) *time.Time { return new(b.clock.Now().AddDate(0, 0, -days)) }
	late := lineOf(100, billing.Overdue)
	late.Patch.IssueDate, late.Patch.DueDate = ago(40), ago(10)
	late.Past.Paid = new(billing.Cents(30))
	early := lineOf(100, billing.Overdue)
	for _, c := range []struct {
		line   storage.ImportLine
		past   billing.History
		stored billing.Status
		paid   billing.Cents
		said   string
	}{
		{lineOf(100, billing.Draft), billing.History{CreatedAt: ago(90)}, billing.Draft, 0, ""},
		{lineOf(100, billing.Approved), billing.History{}, billing.Approved, 0, ""},
		{lineOf(100, billing.Scheduled), billing.History{}, billing.Scheduled, 0, ""},
		{lineOf(100, billing.Cancelled), billing.History{Paid: new(billing.Cents(0))}, billing.Cancelled, 0, ""},
		{lineOf(100, billing.Sent), billing.History{SentAt: ago(400), CreatedAt: ago(401)}, billing.Sent, 0, ""},
		{lineOf(100, billing.Sent), billing.History{Paid: new(billing.Cents(40))}, billing.Sent, 40, ""},
		{lineOf(100, billing.PartiallyPaid), billing.History{Paid: new(billing.Cents(40))}, billing.PartiallyPaid, 40, ""},
		{lineOf(100, billing.Paid), billing.History{PaidDate: ago(3)}, billing.Paid, 100, ""},
		{lineOf(100, billing.Paid), billing.History{Paid: new(billing.Cents(100)), Total: new(billing.Cents(100))}, billing.Paid, 100, ""},
		{lineOf(0, billing.Paid), billing.History{}, billing.Paid, 0, ""},
		{lineOf(100, billing.Disputed), billing.History{Paid: new(billing.Cents(40))}, billing.Disputed, 40, ""},
		{lineOf(100, billing.Void), billing.History{Paid: new(billing.Cents(40))}, billing.Void, 40, ""},
		{late, late.Past, billing.PartiallyPaid, 30, ""},

		{early, billing.History{}, 0, 0, "invalid: [status: OVERDUE is computed from the due date and can't be set]"},
		{lineOf(100, billing.PartiallyPaid), billing.History{}, 0, 0, "illegal transition from SENT to PARTIALLY_PAID"},
		{lineOf(100, billing.Sent), billing.History{Paid: new(billing.Cents(100))}, 0, 0, "illegal transition from PAID to SENT"},
		{lineOf(100, billing.Sent), billing.History{Paid: new(billing.Cents(101))}, 0, 0, "invalid: [amount_paid_cents: is more than the 100 that remain]"},
		{lineOf(100, billing.Paid), billing.History{Paid: new(billing.Cents(40))}, 0, 0, "invalid: [amount_paid_cents: is not the 100 that are due on a PAID invoice]"},
		{lineOf(100, billing.Draft), billing.History{Paid: new(billing.Cents(40)), SentAt: ago(1), PaidDate: ago(1)}, 0, 0,
			"invalid: [sent_at: is taken with a status after the sending alone amount_paid_cents: is taken with a status after the sending alone paid_date: is taken with the status PAID alone]"},
		{lineOf(100, billing.Sent), billing.History{SentAt: ago(-1), CreatedAt: ago(-2)}, 0, 0,
			"invalid: [created_at: must not be in the future sent_at: must not be in the future]"},
		{lineOf(100, billing.Draft), billing.History{Subtotal: new(billing.Cents(100)), Discount: new(billing.Cents(1)), Total: new(billing.Cents(99))}, 0, 0,
			"invalid: [discount_cents: is 1, and the lines and the tax come to 0 total_cents: is 99, and the lines and the tax come to 100]"},
	} {
		m := b.beginImport(1, nil)
		c.line.Past = c.past
		had := len(b.all())
		said := m.put(c.line)[0]
		all := b.all()
		if said != c.said || len(all) != had+1 && said == "" {
			t.Errorf("%s with %+v: %q, want %q", c.line.Patch.Status, c.past, said, c.said)
			continue
		}
		if said != "" {
			continue
		}
		inv := all[had]
		if inv.Status != c.stored || inv.Paid != c.paid || c.past.CreatedAt != nil && !inv.CreatedAt.Equal(*c.past.CreatedAt) ||
			c.past.SentAt != nil && !inv.SentAt.Equal(*c.past.SentAt) || c.past.PaidDate != nil && !inv.PaidDate.Equal(*c.past.PaidDate) {
			t.Errorf("%s with %+v became %+v", c.line.Patch.Status, c.past, inv)
		}
		if c.past.CreatedAt != nil && !inv.IssueDate.Equal(*c.past.CreatedAt) {
			t.Errorf("issued at %s, want at its creation", inv.IssueDate)
		}
		if c.past.SentAt != nil && !strings.HasPrefix(inv.Number, "INV-2025-") {
			t.Errorf("sent in 2025 and numbered %s", inv.Number)
		}
	}
}
