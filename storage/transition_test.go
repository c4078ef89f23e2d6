package storage_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"exante/storage/billing"
	"exante/storage/input"
)

// The table of the contract: where an invoice that reads so may go. What is not
// here is refused.
var allowed = map[billing.Status][]billing.Status{
	billing.Draft:         {billing.Approved, billing.Scheduled, billing.Sent, billing.Cancelled},
	billing.Approved:      {billing.Draft, billing.Scheduled, billing.Sent, billing.Cancelled},
	billing.Scheduled:     {billing.Approved, billing.Sent, billing.Cancelled},
	billing.Sent:          {billing.Paid, billing.Disputed, billing.Void}, // and PARTIALLY_PAID, when it is
	billing.Overdue:       {billing.Paid, billing.Disputed, billing.Void},
	billing.PartiallyPaid: {billing.Paid, billing.Disputed, billing.Void},
	billing.Disputed:      {billing.Sent, billing.Paid, billing.Void}, // and PARTIALLY_PAID, when it is
}

func TestEveryMoveIsAllowedOrRefusedAsTheTableSays(t *testing.T) {
	b := openBooks(t)
	for _, from := range billing.Statuses() {
		for _, to := range billing.Statuses() {
			inv := b.reading(from)
			if got := inv.StatusAt(b.clock.Now()); got != from {
				t.Fatalf("the invoice reads %s, want %s", got, from)
			}
			got, err := b.UpdateInvoice(t.Context(), b.by, inv.ID, billing.InvoicePatch{Status: &to}, 0)
			switch {
			case from == to || from == billing.Overdue && to == billing.Sent:
				if err != nil || got.Version != inv.Version {
					t.Errorf("%s to %s: version %d, %v, want no change of %d", from, to, got.Version, err, inv.Version)
				}
			case to == billing.Overdue:
				refused(t, err, input.ErrInvalid, "invalid: [status: OVERDUE is computed from the due date and can't be set]")
			case slices.Contains(allowed[from], to):
				if err != nil || got.Status != to || got.Version != inv.Version+1 {
					t.Errorf("%s to %s: is %s of version %d, %v", from, to, got.Status, got.Version, err)
				}
			default:
				refused(t, err, billing.ErrTransition, "illegal transition from "+from.String()+" to "+to.String())
				if stored := b.invoice(inv.ID); stored.Version != inv.Version || stored.Status != inv.Status {
					t.Errorf("%s to %s: refused, and is %s of version %d now", from, to, stored.Status, stored.Version)
				}
			}
		}
	}
}

func TestTransitionErrorSaysWhatMayBeDone(t *testing.T) {
	b := openBooks(t)
	inv := b.reading(billing.Overdue)
	_, err := b.UpdateInvoice(t.Context(), b.by, inv.ID, billing.InvoicePatch{Status: new(billing.Draft)}, 0)
	var transition *billing.TransitionError
	if !errors.As(err, &transition) || transition.From != billing.Overdue || transition.To != billing.Draft ||
		!slices.Equal(transition.Actions, []string{"PAID", "DISPUTED", "VOID"}) {
		t.Errorf("got %#v, want one from OVERDUE to DRAFT with PAID, DISPUTED and VOID", err)
	}
}

func TestPartiallyPaidMustBeTrue(t *testing.T) {
	b := openBooks(t)
	inv := b.reading(billing.PartiallyPaid)
	for _, s := range []billing.Status{billing.Disputed, billing.PartiallyPaid, billing.Disputed, billing.Sent, billing.PartiallyPaid} {
		if got := b.move(inv.ID, s); got.Status != s || got.Paid != 40 {
			t.Fatalf("is %s with %d paid, want %s with 40", got.Status, got.Paid, s)
		}
	}
}

func TestPaidRecordsAPaymentOfTheRemainder(t *testing.T) {
	b := openBooks(t)
	on := time.Date(2026, 11, 20, 8, 0, 0, 7, time.FixedZone("", 3600))
	for _, c := range []struct {
		from billing.Status
		date *time.Time
		want time.Time
	}{
		{billing.Sent, nil, b.clock.Now()},
		{billing.Overdue, &on, time.Date(2026, 11, 20, 7, 0, 0, 0, time.UTC)},
		{billing.PartiallyPaid, new(time.Time{}), b.clock.Now()},
		{billing.Disputed, &on, time.Date(2026, 11, 20, 7, 0, 0, 0, time.UTC)},
	} {
		inv := b.reading(c.from)
		rest := inv.Remaining()
		inv = b.update(inv.ID, billing.InvoicePatch{Status: new(billing.Paid), PaidDate: c.date})
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
	inv := b.create(billing.InvoicePatch{Status: new(billing.Sent)})
	inv = b.move(inv.ID, billing.Paid)
	payments, err := b.Payments(t.Context(), b.org.ID, inv.ID)
	if err != nil || len(payments) != 0 || inv.Status != billing.Paid || inv.PaidDate.IsZero() {
		t.Errorf("is %s on %s with payments %v, %v, want PAID with none", inv.Status, inv.PaidDate, payments, err)
	}
}

func TestPaidDateGoesWithPaidAlone(t *testing.T) {
	b := openBooks(t)
	now := b.clock.Now()
	for _, c := range []struct {
		status billing.Status
		patch  billing.InvoicePatch
		kind   error
		text   string
	}{
		{billing.Draft, billing.InvoicePatch{PaidDate: &now}, input.ErrInvalid, "invalid: [paid_date: is taken with the status PAID alone]"},
		{billing.Draft, billing.InvoicePatch{PaidDate: &now, Status: new(billing.Sent)}, input.ErrInvalid, "invalid: [paid_date: is taken with the status PAID alone]"},
		{billing.Draft, billing.InvoicePatch{PaidDate: &now, Status: new(billing.Paid)}, billing.ErrTransition, "illegal transition from DRAFT to PAID"},
		{billing.Sent, billing.InvoicePatch{PaidDate: &now}, billing.ErrLockedFields, "invoice is locked: [paid_date]"},
		{billing.Paid, billing.InvoicePatch{PaidDate: new(now.AddDate(0, 0, 1))}, billing.ErrLockedFields, "invoice is locked: [paid_date]"},
		{billing.Paid, billing.InvoicePatch{PaidDate: new(time.Time{}), Status: new(billing.Paid)}, billing.ErrLockedFields, "invoice is locked: [paid_date]"},
		{billing.Sent, billing.InvoicePatch{PaidDate: new(now.AddDate(9000, 0, 0)), Status: new(billing.Paid)}, input.ErrInvalid, "invalid: [paid_date: must be in the years 1 to 9999]"},
	} {
		_, err := b.UpdateInvoice(t.Context(), b.by, b.reading(c.status).ID, c.patch, 0)
		refused(t, err, c.kind, c.text)
	}
	paid := b.reading(billing.Paid)
	if again := b.update(paid.ID, billing.InvoicePatch{PaidDate: &paid.PaidDate, Status: new(billing.Paid)}); again.Version != paid.Version {
		t.Error("sending the present paid_date made a change")
	}
}

func TestCreationMakesTheFirstMove(t *testing.T) {
	b := openBooks(t)
	for _, s := range []billing.Status{billing.Draft, billing.Approved, billing.Scheduled, billing.Sent, billing.Cancelled} {
		if inv := b.create(billing.InvoicePatch{Status: &s}); inv.Status != s || inv.Version != 1 || inv.SentAt.IsZero() == (s == billing.Sent) {
			t.Errorf("created as %s: is %s of version %d, sent at %s", s, inv.Status, inv.Version, inv.SentAt)
		}
	}
	for _, s := range []billing.Status{billing.PartiallyPaid, billing.Paid, billing.Disputed, billing.Void} {
		_, err := b.tryCreate(billing.InvoicePatch{Status: &s})
		refused(t, err, billing.ErrTransition, "illegal transition from DRAFT to "+s.String())
	}
	_, err := b.tryCreate(billing.InvoicePatch{Status: new(billing.Overdue)})
	refused(t, err, input.ErrInvalid, "invalid: [status: OVERDUE is computed from the due date and can't be set]")
	_, err = b.tryCreate(billing.InvoicePatch{Status: new(billing.Status(99))})
	refused(t, err, input.ErrInvalid, "invalid: [status: is not known]")
}
