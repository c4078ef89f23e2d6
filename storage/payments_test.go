package storage_test

import (
	"strings"
	"testing"
	"time"

	"exante/storage"
)

func TestPaymentMovesTheStatus(t *testing.T) {
	b := openBooks(t)
	at := time.Date(2026, 11, 1, 12, 0, 0, 5, time.UTC)
	for _, from := range []storage.Status{storage.Sent, storage.Overdue, storage.PartiallyPaid, storage.Disputed} {
		inv := b.reading(from)
		p, got, err := b.RecordPayment(t.Context(), b.by, inv.ID, 10, at, " wire 7 ", inv.Version)
		if err != nil || got.Status != storage.PartiallyPaid || got.Paid != inv.Paid+10 || !got.PaidDate.IsZero() || got.Version != inv.Version+1 {
			t.Errorf("%s: is %s with %d paid, %v", from, got.Status, got.Paid, err)
		}
		if p.Amount != 10 || p.Reference != "wire 7" || !p.PaidAt.Equal(at.Truncate(time.Second)) || !p.CreatedAt.Equal(b.clock.Now()) {
			t.Errorf("%s: recorded %+v", from, p)
		}
		got = b.pay(inv.ID, got.Remaining())
		if got.Status != storage.Paid || got.Remaining() != 0 || !got.PaidDate.Equal(b.clock.Now()) {
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
		status    storage.Status
		amount    storage.Cents
		reference string
		kind      error
		text      string
	}{
		{storage.Draft, 10, "", storage.ErrTransition, "illegal transition from DRAFT to PARTIALLY_PAID"},
		{storage.Approved, 100, "", storage.ErrTransition, "illegal transition from APPROVED to PAID"},
		{storage.Scheduled, 1, "", storage.ErrTransition, "illegal transition from SCHEDULED to PARTIALLY_PAID"},
		{storage.Paid, 1, "", storage.ErrTransition, "illegal transition from PAID to PARTIALLY_PAID"},
		{storage.Void, 1, "", storage.ErrTransition, "illegal transition from VOID to PARTIALLY_PAID"},
		{storage.Cancelled, 1, "", storage.ErrTransition, "illegal transition from CANCELLED to PARTIALLY_PAID"},
		{storage.Sent, 0, "", storage.ErrInvalid, "invalid: [amount_cents: must be at least 1]"},
		{storage.Sent, -5, "", storage.ErrInvalid, "invalid: [amount_cents: must be at least 1]"},
		{storage.Sent, 101, "", storage.ErrInvalid, "invalid: [amount_cents: is more than the 100 that remain]"},
		{storage.PartiallyPaid, 61, "", storage.ErrInvalid, "invalid: [amount_cents: is more than the 60 that remain]"},
		{storage.Sent, 1, strings.Repeat("r", 201), storage.ErrInvalid, "invalid: [reference: must have 0 to 200 characters]"},
	} {
		inv := b.reading(c.status)
		_, _, err := b.RecordPayment(t.Context(), b.by, inv.ID, c.amount, time.Time{}, c.reference, 0)
		refused(t, err, c.kind, c.text)
	}
	_, _, err := b.RecordPayment(t.Context(), b.by, b.reading(storage.Sent).ID, 1, time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC), "", 0)
	refused(t, err, storage.ErrInvalid, "invalid: [paid_at: must be in the years 1 to 9999]")
}

func TestPaymentsOfAnInvoiceAreBounded(t *testing.T) {
	b := openBooks(t)
	inv := b.move(b.draft(5000).ID, storage.Sent)
	for range 1000 {
		b.pay(inv.ID, 1)
	}
	_, _, err := b.RecordPayment(t.Context(), b.by, inv.ID, 1, time.Time{}, "", 0)
	refused(t, err, storage.ErrInvalid, "invalid: [amount_cents: an invoice takes at most 1000 payments, but for the one that settles it]")
	if got := b.pay(inv.ID, 4000); got.Status != storage.Paid {
		t.Errorf("is %s, want PAID", got.Status)
	}
}
