package storage_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"exante/auth/uid"
	"exante/storage"
	"exante/storage/billing"
	"exante/storage/input"
	"exante/storage/storagetest"
)

func TestIfMatchGuardsEveryWrite(t *testing.T) {
	b := openBooks(t)
	inv := b.reading(billing.Sent)
	draft := b.draft(5)
	line := billing.LinePatch{ID: draft.Lines[0].ID, Quantity: new(billing.Quantity(2))}
	stale := inv.Version + 7
	for name, err := range map[string]error{
		"update":       second(b.UpdateInvoice(t.Context(), b.by, inv.ID, billing.InvoicePatch{Status: new(billing.Void)}, stale)),
		"pay":          third(b.RecordPayment(t.Context(), b.by, inv.ID, 1, time.Time{}, "", stale)),
		"add lines":    third(b.AddLines(t.Context(), b.by, draft.ID, []billing.LinePatch{product("x", 1)}, stale)),
		"update lines": third(b.UpdateLines(t.Context(), b.by, draft.ID, []billing.LinePatch{line}, stale)),
		"delete lines": second(b.DeleteLines(t.Context(), b.by, draft.ID, []uid.ID{line.ID}, stale)),
		"update party": second(b.UpdateParty(t.Context(), b.by, b.party.ID, billing.PartyPatch{Name: new("x")}, stale)),
	} {
		t.Run(name, func(t *testing.T) { refused(t, err, storage.ErrConflict, "version does not match") })
	}
	if got, err := b.UpdateInvoice(t.Context(), b.by, inv.ID, billing.InvoicePatch{Status: new(billing.Void)}, inv.Version); err != nil || got.Status != billing.Void {
		t.Errorf("the right version was refused: %v", err)
	}
}

func second[A any](_ A, err error) error { return err }

func third[A, B any](_ A, _ B, e error) error { return e }

func TestForeignRecordsAreAbsent(t *testing.T) {
	b := openBooks(t)
	rival := *b
	rival.org, rival.by = storagetest.Org(t, b.Store, "Rival")
	rival.party = rival.newParty("Customer")
	inv, ctx := b.draft(5), t.Context()
	line := []billing.LinePatch{{ID: inv.Lines[0].ID}}
	for _, id := range []uid.ID{inv.ID, {42}} {
		render := func(*billing.Invoice, time.Time) ([]byte, error) { return []byte("x"), nil }
		if _, err := b.RenderedInvoice(ctx, b.org.ID, inv.ID, render); err != nil {
			t.Fatal(err)
		}
		for name, err := range map[string]error{
			"read":         second(rival.Invoice(ctx, rival.org.ID, id)),
			"render":       second(rival.RenderedInvoice(ctx, rival.org.ID, id, render)),
			"payments":     second(rival.Payments(ctx, rival.org.ID, id)),
			"update":       second(rival.UpdateInvoice(ctx, rival.by, id, billing.InvoicePatch{}, 1)),
			"pay":          third(rival.RecordPayment(ctx, rival.by, id, 1, time.Time{}, "", 1)),
			"add lines":    third(rival.AddLines(ctx, rival.by, id, line, 1)),
			"update lines": third(rival.UpdateLines(ctx, rival.by, id, line, 1)),
			"delete lines": second(rival.DeleteLines(ctx, rival.by, id, []uid.ID{{1}}, 1)),
			"party":        second(rival.Party(ctx, rival.org.ID, b.party.ID)),
			"update party": second(rival.UpdateParty(ctx, rival.by, b.party.ID, billing.PartyPatch{}, 1)),
		} {
			t.Run(name, func(t *testing.T) { refused(t, err, storage.ErrNotFound, "no such record") })
		}
	}
	_, err := rival.tryCreate(billing.InvoicePatch{PartyID: &b.party.ID})
	refused(t, err, input.ErrInvalid, "invalid: [target_party_uid: names no party of this organization]")
	_, err = rival.tryCreate(billing.InvoicePatch{OwnerID: &inv.OwnerID})
	refused(t, err, input.ErrInvalid, "invalid: [owner_uid: names no user of this organization]")
	_, err = rival.UpdateInvoice(ctx, rival.by, rival.draft(1).ID, billing.InvoicePatch{PartyID: &b.party.ID}, 0)
	refused(t, err, input.ErrInvalid, "invalid: [target_party_uid: names no party of this organization]")
}

func TestSentInvoiceKeepsItsClient(t *testing.T) {
	b := openBooks(t)
	draft, sent, cancelled := b.draft(1), b.reading(billing.Sent), b.reading(billing.Cancelled)
	renamed, err := b.UpdateParty(t.Context(), b.by, b.party.ID, billing.PartyPatch{Name: new("Globex Two")}, 0)
	if err != nil {
		t.Fatal(err)
	}
	later := b.update(sent.ID, billing.InvoicePatch{Status: new(billing.Disputed)})
	again := b.move(sent.ID, billing.Sent)
	for name, c := range map[string][2]billing.Party{
		"draft":     {b.invoice(draft.ID).Client, renamed},
		"cancelled": {b.invoice(cancelled.ID).Client, renamed},
		"sent":      {b.invoice(sent.ID).Client, b.party},
		"disputed":  {later.Client, b.party},
		"sent anew": {again.Client, b.party},
	} {
		if c[0] != c[1] {
			t.Errorf("%s: the client is %+v, want %+v", name, c[0], c[1])
		}
	}
	if !again.SentAt.Equal(sent.SentAt) {
		t.Errorf("sent at %s, want still %s", again.SentAt, sent.SentAt)
	}
}

func TestEveryWriteIsAudited(t *testing.T) {
	b := openBooks(t)
	inv := b.draft(100)
	b.update(inv.ID, billing.InvoicePatch{Tax: new(billing.Cents(1)), Status: new(billing.Sent)})
	b.update(inv.ID, billing.InvoicePatch{Tax: new(billing.Cents(1))}) // no change
	b.pay(inv.ID, 101)
	_, err := b.UpdateInvoice(t.Context(), b.by, inv.ID, billing.InvoicePatch{Status: new(billing.Draft)}, 0)
	if !errors.Is(err, billing.ErrTransition) {
		t.Fatal(err)
	}
	entries, err := b.Audit(t.Context(), storage.AuditQuery{OrgID: b.org.ID, Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	for _, e := range entries {
		if e.Target == inv.ID {
			told = append(told, fmt.Sprintf("%s %s", e.Action, e.Detail["fields"]))
		}
	}
	want := "[invoice.create target_party_uid line_items invoice.update tax_cents status invoice_number invoice.payment.record payments status paid_date]"
	if fmt.Sprint(told) != want {
		t.Errorf("the audit log tells %v\nwant %s", told, want)
	}
}
