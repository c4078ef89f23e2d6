package storage_test

import (
	"errors"
	"testing"
	"time"

	"exante/auth"
	"exante/auth/uid"
	"exante/storage"
	"exante/storage/billing"
	"exante/storage/storagetest"
)

// books is a store with one organization that has one party, and an operator
// who writes invoices in it.
type books struct {
	testing.TB
	*storage.Store
	clock *storagetest.Clock
	org   storage.Organization
	by    auth.Principal
	party billing.Party
}

func openBooks(tb testing.TB) *books {
	tb.Helper()
	s, clock := storagetest.Open(tb, nil)
	return booksOf(tb, s, clock)
}

func booksOf(tb testing.TB, s *storage.Store, clock *storagetest.Clock) *books {
	tb.Helper()
	b := &books{TB: tb, Store: s, clock: clock}
	b.org, b.by = storagetest.Org(tb, s, "Acme")
	b.party = b.newParty("Globex")
	return b
}

func (b *books) newParty(name string) billing.Party {
	b.Helper()
	p, err := b.CreateParty(b.Context(), b.by, billing.PartyPatch{Name: &name})
	if err != nil {
		b.Fatalf("create party %q: %v", name, err)
	}
	return p
}

// create makes an invoice to the party, unless p names another.
func (b *books) create(p billing.InvoicePatch) billing.Invoice {
	b.Helper()
	inv, err := b.tryCreate(p)
	if err != nil {
		b.Fatalf("create invoice: %v", err)
	}
	return inv
}

func (b *books) tryCreate(p billing.InvoicePatch) (billing.Invoice, error) {
	if p.PartyID == nil {
		p.PartyID = &b.party.ID
	}
	return b.CreateInvoice(b.Context(), b.by, p)
}

// draft makes an invoice of one line with that total.
func (b *books) draft(total billing.Cents) billing.Invoice {
	b.Helper()
	return b.create(billing.InvoicePatch{Lines: &[]billing.LinePatch{product("work", total)}})
}

func product(sku string, price billing.Cents) billing.LinePatch {
	return billing.LinePatch{Type: new(billing.Product), SKU: &sku, UnitPrice: &price}
}

func (b *books) update(id uid.ID, p billing.InvoicePatch) billing.Invoice {
	b.Helper()
	inv, err := b.UpdateInvoice(b.Context(), b.by, id, p, 0)
	if err != nil {
		b.Fatalf("update invoice: %v", err)
	}
	return inv
}

func (b *books) move(id uid.ID, to ...billing.Status) billing.Invoice {
	b.Helper()
	var inv billing.Invoice
	for _, s := range to {
		inv = b.update(id, billing.InvoicePatch{Status: &s})
	}
	return inv
}

func (b *books) pay(id uid.ID, amount billing.Cents) billing.Invoice {
	b.Helper()
	_, inv, err := b.RecordPayment(b.Context(), b.by, id, amount, time.Time{}, "", 0)
	if err != nil {
		b.Fatalf("pay %d: %v", amount, err)
	}
	return inv
}

func (b *books) invoice(id uid.ID) billing.Invoice {
	b.Helper()
	inv, err := b.Invoice(b.Context(), b.org.ID, id)
	if err != nil {
		b.Fatalf("read invoice: %v", err)
	}
	return inv
}

// reading makes an invoice over 100 cents that reads s.
func (b *books) reading(s billing.Status) billing.Invoice {
	b.Helper()
	inv := b.draft(100)
	switch s {
	case billing.Draft:
		return inv
	case billing.Approved, billing.Scheduled, billing.Sent, billing.Cancelled:
		return b.move(inv.ID, s)
	case billing.Overdue:
		past := b.clock.Now().AddDate(0, 0, -10)
		b.update(inv.ID, billing.InvoicePatch{IssueDate: &past, DueDate: &past})
		return b.move(inv.ID, billing.Sent)
	}
	b.move(inv.ID, billing.Sent)
	if s == billing.PartiallyPaid {
		return b.pay(inv.ID, 40)
	}
	return b.move(inv.ID, s)
}

// refused checks what an error is and what it says.
func refused(tb testing.TB, err, kind error, text string) {
	tb.Helper()
	if !errors.Is(err, kind) || err.Error() != text {
		tb.Errorf("got error %v, want %q, which is %q", err, text, kind)
	}
}
