package storage_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"exante/storage"
)

// The table of the contract: where an invoice that reads so may go. What is not
// here is refused.
var allowed = map[storage.Status][]storage.Status{
	storage.Draft:         {storage.Approved, storage.Scheduled, storage.Sent, storage.Cancelled},
	storage.Approved:      {storage.Draft, storage.Scheduled, storage.Sent, storage.Cancelled},
	storage.Scheduled:     {storage.Approved, storage.Sent, storage.Cancelled},
	storage.Sent:          {storage.Paid, storage.Disputed, storage.Void}, // and PARTIALLY_PAID, when it is
	storage.Overdue:       {storage.Paid, storage.Disputed, storage.Void},
	storage.PartiallyPaid: {storage.Paid, storage.Disputed, storage.Void},
	storage.Disputed:      {storage.Sent, storage.Paid, storage.Void}, // and PARTIALLY_PAID, when it is
}

func TestEveryMoveIsAllowedOrRefusedAsTheTableSays(t *testing.T) {
	b := openBooks(t)
	for _, from := range storage.Statuses() {
		for _, to := range storage.Statuses() {
			inv := b.reading(from)
			if got := inv.StatusAt(b.clock.Now()); got != from {
				t.Fatalf("the invoice reads %s, want %s", got, from)
			}
			got, err := b.UpdateInvoice(t.Context(), b.by, inv.ID, storage.InvoicePatch{Status: &to}, 0)
			switch {
			case from == to || from == storage.Overdue && to == storage.Sent:
				if err != nil || got.Version != inv.Version {
					t.Errorf("%s to %s: version %d, %v, want no change of %d", from, to, got.Version, err, inv.Version)
				}
			case to == storage.Overdue:
				refused(t, err, storage.ErrInvalid, "invalid: [status: OVERDUE is computed from the due date and can't be set]")
			case slices.Contains(allowed[from], to):
				if err != nil || got.Status != to || got.Version != inv.Version+1 {
					t.Errorf("%s to %s: is %s of version %d, %v", from, to, got.Status, got.Version, err)
				}
			default:
				refused(t, err, storage.ErrTransition, "illegal transition from "+from.String()+" to "+to.String())
				if stored := b.invoice(inv.ID); stored.Version != inv.Version || stored.Status != inv.Status {
					t.Errorf("%s to %s: refused, and is %s of version %d now", from, to, stored.Status, stored.Version)
				}
			}
		}
	}
}

func TestTransitionErrorSaysWhatMayBeDone(t *testing.T) {
	b := openBooks(t)
	inv := b.reading(storage.Overdue)
	_, err := b.UpdateInvoice(t.Context(), b.by, inv.ID, storage.InvoicePatch{Status: new(storage.Draft)}, 0)
	var transition *storage.TransitionError
	if !errors.As(err, &transition) || transition.From != storage.Overdue || transition.To != storage.Draft ||
		!slices.Equal(transition.Actions, []string{"PAID", "DISPUTED", "VOID"}) {
		t.Errorf("got %#v, want one from OVERDUE to DRAFT with PAID, DISPUTED and VOID", err)
	}
}

func TestPartiallyPaidMustBeTrue(t *testing.T) {
	b := openBooks(t)
	inv := b.reading(storage.PartiallyPaid)
	for _, s := range []storage.Status{storage.Disputed, storage.PartiallyPaid, storage.Disputed, storage.Sent, storage.PartiallyPaid} {
		if got := b.move(inv.ID, s); got.Status != s || got.Paid != 40 {
			t.Fatalf("is %s with %d paid, want %s with 40", got.Status, got.Paid, s)
		}
	}
}

func TestPaidRecordsAPaymentOfTheRemainder(t *testing.T) {
	b := openBooks(t)
	on := time.Date(2026, 11, 20, 8, 0, 0, 7, time.FixedZone("", 3600))
	for _, c := range []struct {
		from storage.Status
		date *time.Time
		want time.Time
	}{
		{storage.Sent, nil, b.clock.Now()},
		{storage.Overdue, &on, time.Date(2026, 11, 20, 7, 0, 0, 0, time.UTC)},
		{storage.PartiallyPaid, new(time.Time{}), b.clock.Now()},
		{storage.Disputed, &on, time.Date(2026, 11, 20, 7, 0, 0, 0, time.UTC)},
	} {
		inv := b.reading(c.from)
		rest := inv.Remaining()
		inv = b.update(inv.ID, storage.InvoicePatch{Status: new(storage.Paid), PaidDate: c.date})
		if inv.Paid != inv.Total || inv.Remaining() != 0 || !inv.PaidDate.Equal(c.want) {
			t.Errorf("from %s: %d of %d paid on %s, want all on %s", c.from, inv.Paid, inv.Total, inv.PaidDate, c.want)
		}
		payments, err := b.Payments(t.Context(), b.org.ID, inv.ID)
		last := payments[len(payments)-1]
		if err != nil || last.Amount != rest || !last.PaidAt.Equal(c.want) || last.ID.IsZero() || last.InvoiceID != inv.ID {
			t.Errorf("from %s: the payment is %+v, %v, want %d on %s", c.from, last, err, rest, c.want)
		}
	}
}

func TestNothingToPayIsPaidWithoutAPayment(t *testing.T) {
	b := openBooks(t)
	inv := b.create(storage.InvoicePatch{Status: new(storage.Sent)})
	inv = b.move(inv.ID, storage.Paid)
	payments, err := b.Payments(t.Context(), b.org.ID, inv.ID)
	if err != nil || len(payments) != 0 || inv.Status != storage.Paid || inv.PaidDate.IsZero() {
		t.Errorf("is %s on %s with payments %v, %v, want PAID with none", inv.Status, inv.PaidDate, payments, err)
	}
}

func TestPaidDateGoesWithPaidAlone(t *testing.T) {
	b := openBooks(t)
	now := b.clock.Now()
	for _, c := range []struct {
		status storage.Status
		patch  storage.InvoicePatch
		kind   error
		text   string
	}{
		{storage.Draft, storage.InvoicePatch{PaidDate: &now}, storage.ErrInvalid, "invalid: [paid_date: is taken with the status PAID alone]"},
		{storage.Draft, storage.InvoicePatch{PaidDate: &now, Status: new(storage.Sent)}, storage.ErrInvalid, "invalid: [paid_date: is taken with the status PAID alone]"},
		{storage.Draft, storage.InvoicePatch{PaidDate: &now, Status: new(storage.Paid)}, storage.ErrTransition, "illegal transition from DRAFT to PAID"},
		{storage.Sent, storage.InvoicePatch{PaidDate: &now}, storage.ErrLockedFields, "invoice is locked: [paid_date]"},
		{storage.Paid, storage.InvoicePatch{PaidDate: new(now.AddDate(0, 0, 1))}, storage.ErrLockedFields, "invoice is locked: [paid_date]"},
		{storage.Paid, storage.InvoicePatch{PaidDate: new(time.Time{}), Status: new(storage.Paid)}, storage.ErrLockedFields, "invoice is locked: [paid_date]"},
		{storage.Sent, storage.InvoicePatch{PaidDate: new(now.AddDate(9000, 0, 0)), Status: new(storage.Paid)}, storage.ErrInvalid, "invalid: [paid_date: must be in the years 1 to 9999]"},
	} {
		_, err := b.UpdateInvoice(t.Context(), b.by, b.reading(c.status).ID, c.patch, 0)
		refused(t, err, c.kind, c.text)
	}
	paid := b.reading(storage.Paid)
	if again := b.update(paid.ID, storage.InvoicePatch{PaidDate: &paid.PaidDate, Status: new(storage.Paid)}); again.Version != paid.Version {
		t.Error("sending the present paid_date made a change")
	}
}

func TestCreationMakesTheFirstMove(t *testing.T) {
	b := openBooks(t)
	for _, s := range []storage.Status{storage.Draft, storage.Approved, storage.Scheduled, storage.Sent, storage.Cancelled} {
		if inv := b.create(storage.InvoicePatch{Status: &s}); inv.Status != s || inv.Version != 1 || inv.SentAt.IsZero() == (s == storage.Sent) {
			t.Errorf("created as %s: is %s of version %d, sent at %s", s, inv.Status, inv.Version, inv.SentAt)
		}
	}
	for _, s := range []storage.Status{storage.PartiallyPaid, storage.Paid, storage.Disputed, storage.Void} {
		_, err := b.tryCreate(storage.InvoicePatch{Status: &s})
		refused(t, err, storage.ErrTransition, "illegal transition from DRAFT to "+s.String())
	}
	_, err := b.tryCreate(storage.InvoicePatch{Status: new(storage.Overdue)})
	refused(t, err, storage.ErrInvalid, "invalid: [status: OVERDUE is computed from the due date and can't be set]")
	_, err = b.tryCreate(storage.InvoicePatch{Status: new(storage.Status(99))})
	refused(t, err, storage.ErrInvalid, "invalid: [status: is not known]")
}
