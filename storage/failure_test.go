package storage_test

import (
	"crypto/rand"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"exante/auth"
	"exante/auth/uid"
	"exante/storage"
	"exante/storage/billing"
	"exante/storage/storagetest"
)

// dryRand is randomness that can run dry.
type dryRand struct{ dry atomic.Bool }

var errDry = errors.New("no randomness left")

func (r *dryRand) Read(p []byte) (int, error) {
	if r.dry.Load() {
		return 0, errDry
	}
	return rand.Read(p)
}

func TestWithoutRandomnessNothingChanges(t *testing.T) {
	random := &dryRand{}
	s, clock := storagetest.Open(t, func(o *storage.Options) { o.Rand = random })
	b := booksOf(t, s, clock)
	draft, sent, ctx := b.draft(100), b.reading(billing.Sent), t.Context()
	random.dry.Store(true)
	paid := billing.InvoicePatch{Status: new(billing.Paid)}
	for name, err := range map[string]error{
		"create":         second(b.tryCreate(billing.InvoicePatch{})),
		"add lines":      third(b.AddLines(ctx, b.by, draft.ID, []billing.LinePatch{product("work", 100)}, 0)),
		"rename a line":  third(b.UpdateLines(ctx, b.by, draft.ID, []billing.LinePatch{{ID: draft.Lines[0].ID, SKU: new("new")}}, 0)),
		"new currency":   second(b.UpdateInvoice(ctx, b.by, draft.ID, billing.InvoicePatch{Currency: new(billing.Currency("EUR"))}, 0)),
		"pay":            third(b.RecordPayment(ctx, b.by, sent.ID, 1, time.Time{}, "", 0)),
		"set PAID":       second(b.UpdateInvoice(ctx, b.by, sent.ID, paid, 0)),
		"create a party": second(b.CreateParty(ctx, b.by, billing.PartyPatch{Name: new("x")})),
		"a new contact":  second(b.UpdateParty(ctx, b.by, b.party.ID, billing.PartyPatch{Contact: contact(billing.ContactDraft{Name: "x"})}, 0)),
	} {
		if !errors.Is(err, errDry) || err.Error() != "read randomness for a uid: no randomness left" {
			t.Errorf("%s: got %v, want %v", name, err, errDry)
		}
	}
	random.dry.Store(false)
	if got := b.invoice(draft.ID); got.Version != draft.Version {
		t.Errorf("the draft has version %d, want still %d", got.Version, draft.Version)
	}
	if got := b.invoice(sent.ID); got.Version != sent.Version || got.Paid != 0 {
		t.Errorf("the sent invoice has version %d with %d paid, want still %d with none", got.Version, got.Paid, sent.Version)
	}
}

func TestUnknownOrganizationGetsNoRecords(t *testing.T) {
	b := openBooks(t)
	nowhere := storagetest.Shell.In(uid.ID{42})
	_, err := b.CreateInvoice(t.Context(), nowhere, billing.InvoicePatch{PartyID: &b.party.ID})
	refused(t, err, storage.ErrNotFound, "no such record")
	_, err = b.CreateParty(t.Context(), nowhere, billing.PartyPatch{Name: new("x")})
	refused(t, err, storage.ErrNotFound, "no such record")
}

func TestInvoiceBelongsToWhoeverActs(t *testing.T) {
	b := openBooks(t)
	clerk, err := b.CreateUser(t.Context(), b.by, storage.UserDraft{Email: "clerk@acme.example"})
	if err != nil {
		t.Fatal(err)
	}
	b.by = auth.Principal{OrgID: b.org.ID, UserID: clerk.ID}
	if inv := b.draft(1); inv.OwnerID != clerk.ID {
		t.Errorf("the owner is %s, want the user who acts, %s", inv.OwnerID, clerk.ID)
	}
}

func TestClosedStoreSaysSo(t *testing.T) {
	b := openBooks(t)
	inv := b.draft(1)
	storagetest.Close(t, b.Store)
	ctx := t.Context()
	for name, err := range map[string]error{
		"read":     second(b.Invoice(ctx, b.org.ID, inv.ID)),
		"render":   second(b.RenderedInvoice(ctx, b.org.ID, inv.ID, render)),
		"list":     second(b.Invoices(ctx, b.org.ID, storage.InvoiceQuery{PerPage: 1})),
		"payments": second(b.Payments(ctx, b.org.ID, inv.ID)),
		"party":    second(b.Party(ctx, b.org.ID, b.party.ID)),
		"parties":  third(b.Parties(ctx, b.org.ID, storage.PartyQuery{PerPage: 1})),
		"create":   second(b.tryCreate(billing.InvoicePatch{})),
		"update":   second(b.UpdateInvoice(ctx, b.by, inv.ID, billing.InvoicePatch{Tax: new(billing.Cents(1))}, 0)),
	} {
		t.Run(name, func(t *testing.T) { refused(t, err, storage.ErrClosed, "store is closed") })
	}
}
