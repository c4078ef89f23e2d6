package storage_test

import (
	"strings"
	"testing"
	"time"

	"exante/storage/billing"
	"exante/storage/input"
)

func TestPaymentMovesTheStatus(t *testing.T) {
	b := openBooks(t)
	at := time.Date(2026, 11, 1, 12, 0, 0, 5, time.UTC)
	for _, from := range []billing.Status{billing.Sent, billing.Overdue, billing.PartiallyPaid, billing.Disputed} {
		inv := b.reading(from)
		p, got, err := b.RecordPayment(t.Context(), b.by, inv.ID, 10, at, " wire 7 ", inv.Version)
		if err != nil || got.Status != billing.PartiallyPaid || got.Paid != inv.Paid+10 || !got.PaidDate.IsZero() || got.Version != inv.Version+1 {
			t.Errorf("%s: is %s with %d paid, %v", from, got.Status, got.Paid, err)
		}
		if p.Amount != 10 || p.Currency != inv.Currency || p.Reference != "wire 7" || !p.PaidAt.Equal(at.Truncate(time.Second)) || !p.CreatedAt.Equal(b.clock.Now()) {
			t.Errorf("%s: recorded %+v", from, p)
		}
		got = b.pay(inv.ID, got.Remaining())
		if got.Status != billing.Paid || got.Remaining() != 0 || !got.PaidDate.Equal(b.clock.Now()) {
			t.Errorf("%s: is %s with %d left, paid on %s", from, got.Status, got.Remaining(), got.PaidDate)
		}
		all, err := b.Payments(t.Context(), b.org.ID, inv.ID)
		if err != nil || len(all) < 2 || all[len(all)-2] != p {
			t.Errorf("%s: the payments are %+v, %v, want %+v last but one", from, all, err, p)
		}
	}
}

func TestPaymentIsRefused(t *testing.T) {
	b := openBooks(t)
	for _, c := range []struct {
		status    billing.Status
		amount    billing.Cents
		reference string
		kind      error
		text      string
	}{
		{billing.Draft, 10, "", billing.ErrTransition, "illegal transition from DRAFT to PARTIALLY_PAID"},
		{billing.Approved, 100, "", billing.ErrTransition, "illegal transition from APPROVED to PAID"},
		{billing.Scheduled, 1, "", billing.ErrTransition, "illegal transition from SCHEDULED to PARTIALLY_PAID"},
		{billing.Paid, 1, "", billing.ErrTransition, "illegal transition from PAID to PARTIALLY_PAID"},
		{billing.Void, 1, "", billing.ErrTransition, "illegal transition from VOID to PARTIALLY_PAID"},
		{billing.Cancelled, 1, "", billing.ErrTransition, "illegal transition from CANCELLED to PARTIALLY_PAID"},
		{billing.Sent, 0, "", input.ErrInvalid, "invalid: [amount_cents: must be at least 1]"},
		{billing.Sent, -5, "", input.ErrInvalid, "invalid: [amount_cents: must be at least 1]"},
		{billing.Sent, 101, "", input.ErrInvalid, "invalid: [amount_cents: is more than the 100 that remain]"},
		{billing.PartiallyPaid, 61, "", input.ErrInvalid, "invalid: [amount_cents: is more than the 60 that remain]"},
		{billing.Sent, 1, strings.Repeat("r", 201), input.ErrInvalid, "invalid: [reference: must have 0 to 200 characters]"},
	} {
		inv := b.reading(c.status)
		_, _, err := b.RecordPayment(t.Context(), b.by, inv.ID, c.amount, time.Time{}, c.reference, 0)
		refused(t, err, c.kind, c.text)
	}
	_, _, err := b.RecordPayment(t.Context(), b.by, b.reading(billing.Sent).ID, 1, time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC), "", 0)
	refused(t, err, input.ErrInvalid, "invalid: [paid_at: must be in the years 1 to 9999]")
}

func TestPaymentsOfAnInvoiceAreBounded(t *testing.T) {
	b := openBooks(t)
	inv := b.move(b.draft(5000).ID, billing.Sent)
	for range 1000 {
		b.pay(inv.ID, 1)
	}
	_, _, err := b.RecordPayment(t.Context(), b.by, inv.ID, 1, time.Time{}, "", 0)
	refused(t, err, input.ErrInvalid, "invalid: [amount_cents: an invoice takes at most 1000 payments, but for the one that settles it]")
	if got := b.pay(inv.ID, 4000); got.Status != billing.Paid {
		t.Errorf("is %s, want PAID", got.Status)
	}
}
