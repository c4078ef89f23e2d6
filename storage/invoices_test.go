package storage_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"exante/auth/uid"
	"exante/storage"
)

func TestCreationFillsInTheDefaults(t *testing.T) {
	b := openBooks(t)
	b.clock.Advance(789 * time.Millisecond)
	now := b.clock.Now()
	owner, err := b.OwnerOf(t.Context(), b.org.ID)
	if err != nil {
		t.Fatal(err)
	}
	inv := b.create(storage.InvoicePatch{})
	want := storage.Invoice{
		ID: inv.ID, OrgID: b.org.ID, Version: 1, Type: storage.Receivable, Status: storage.Draft,
		CollectionMethod: storage.SendInvoice, Currency: "USD",
		IssueDate: now.Truncate(time.Second), DueDate: now.Truncate(time.Second).AddDate(0, 0, 30),
		PartyID: b.party.ID, OwnerID: owner.ID, Client: b.party, CreatedAt: now, UpdatedAt: now,
	}
	if inv.ID.IsZero() || !reflect.DeepEqual(inv, want) {
		t.Errorf("created %+v\nwant    %+v", inv, want)
	}
	stored := b.invoice(inv.ID)
	if stored.Lines, stored.Fields = nil, nil; !reflect.DeepEqual(stored, want) {
		t.Errorf("stored %+v\nwant   %+v", stored, want)
	}
}

func TestCreationTakesWhatIsSent(t *testing.T) {
	b := openBooks(t)
	user, err := b.CreateUser(t.Context(), b.by, storage.UserDraft{Email: "clerk@acme.example"})
	if err != nil {
		t.Fatal(err)
	}
	issue, due := time.Date(2026, 1, 2, 3, 4, 5, 6, time.FixedZone("", 7200)), time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)
	inv := b.create(storage.InvoicePatch{
		OwnerID: &user.ID, DocumentID: new(uid.ID{1}), BlueprintID: new(uid.ID{2}), IssueDate: &issue, DueDate: &due,
		Number: new("  A-1 "), Currency: new(storage.Currency("EUR")), Type: new(storage.Payable),
		CollectionMethod: new(storage.ChargeAutomatically), Tax: new(storage.Cents(7)),
		Fields: &[]storage.Field{{Key: "po", JSON: []byte(`"4711"`)}},
		Lines:  &[]storage.LinePatch{product("a", 100), {Type: new(storage.Discount), SKU: new("b"), UnitPrice: new(storage.Cents(30))}},
	})
	got := b.invoice(inv.ID)
	if !reflect.DeepEqual(inv, got) {
		t.Errorf("answered %+v\nstored   %+v", inv, got)
	}
	switch {
	case got.OwnerID != user.ID, got.DocumentID != uid.ID{1}, got.BlueprintID != uid.ID{2}, got.Number != "A-1",
		got.Currency != "EUR", got.Type != storage.Payable, got.CollectionMethod != storage.ChargeAutomatically,
		!got.IssueDate.Equal(time.Date(2026, 1, 2, 1, 4, 5, 0, time.UTC)), !got.DueDate.Equal(due),
		got.Subtotal != 100, got.Discount != 30, got.Tax != 7, got.Total != 77, got.Due() != 77, got.Remaining() != 77,
		len(got.Fields) != 1, string(got.Fields[0].JSON) != `"4711"`, len(got.Lines) != 2:
		t.Errorf("stored %+v", got)
	}
}

func TestCreationNamesAllThatIsWrong(t *testing.T) {
	b := openBooks(t)
	long := strings.Repeat("x", 65)
	_, err := b.CreateInvoice(t.Context(), b.by, storage.InvoicePatch{
		OwnerID: new(uid.ID{9}), IssueDate: new(time.Time{}.AddDate(-5, 0, 0)), DueDate: new(time.Time{}), Currency: new(storage.Currency("usd")),
		CollectionMethod: new(storage.CollectionMethod(9)), Type: new(storage.InvoiceType(9)), Tax: new(storage.Cents(-1)), Number: &long,
		Fields: &[]storage.Field{{Key: "a", JSON: []byte("{")}}, PaidDate: new(time.Time{}),
	})
	refused(t, err, storage.ErrInvalid, "invalid: [invoice_type: is not known target_party_uid: is required paid_date: is taken on update alone "+
		"owner_uid: names no user of this organization issue_date: must be in the years 1 to 9999 due_date: can't be cleared "+
		"currency: is no active ISO 4217 code collection_method: is not known tax_cents: must be 0 to 9007199254740991 "+
		"invoice_number: must have 1 to 64 characters invoice_fields: has a value that is no JSON]")
}

func TestCreationRefuses(t *testing.T) {
	b := openBooks(t)
	fields := func(n int, key, value string) *[]storage.Field {
		list := make([]storage.Field, n)
		for i := range list {
			list[i] = storage.Field{Key: fmt.Sprintf(key, i), JSON: []byte(value)}
		}
		return &list
	}
	for name, c := range map[string]struct {
		patch storage.InvoicePatch
		text  string
	}{
		"no party":         {storage.InvoicePatch{PartyID: &uid.ID{}}, "target_party_uid: is required"},
		"an absent party":  {storage.InvoicePatch{PartyID: &uid.ID{9}}, "target_party_uid: names no party of this organization"},
		"due before issue": {storage.InvoicePatch{DueDate: new(b.clock.Now().AddDate(0, 0, -1))}, "due_date: is before issue_date"},
		"due in 10000":     {storage.InvoicePatch{IssueDate: new(time.Date(9999, 12, 15, 0, 0, 0, 0, time.UTC))}, "due_date: must be in the years 1 to 9999"},
		"101 fields":       {storage.InvoicePatch{Fields: fields(101, "k%d", "1")}, "invoice_fields: has more than 100 keys"},
		"a long key":       {storage.InvoicePatch{Fields: fields(1, strings.Repeat("k", 200)+"%d", "1")}, "invoice_fields: has a key of more than 200 bytes"},
		"a key twice":      {storage.InvoicePatch{Fields: &[]storage.Field{{Key: "a", JSON: []byte("1")}, {Key: "a", JSON: []byte("2")}}}, "invoice_fields: has a key twice"},
		"large fields":     {storage.InvoicePatch{Fields: fields(100, "k%d", `"`+strings.Repeat("x", 700)+`"`)}, "invoice_fields: is larger than 64 KiB"},
		"much tax":         {storage.InvoicePatch{Tax: new(storage.MaxCents + 1)}, "tax_cents: must be 0 to 9007199254740991"},
		"a control":        {storage.InvoicePatch{Number: new("A\x07")}, "invoice_number: has a character that does not print (U+0007)"},
	} {
		_, err := b.tryCreate(c.patch)
		t.Run(name, func(t *testing.T) { refused(t, err, storage.ErrInvalid, "invalid: ["+c.text+"]") })
	}
	if _, total, err := b.Invoices(t.Context(), b.org.ID, storage.InvoiceQuery{PerPage: 10}); err != nil || total != 0 {
		t.Errorf("%d invoices are there after refusals alone, %v", total, err)
	}
}

func TestDueOnTheDayOfIssueIsNotBeforeIt(t *testing.T) {
	b := openBooks(t)
	midnight := b.clock.Now().Truncate(24 * time.Hour)
	if inv := b.create(storage.InvoicePatch{DueDate: &midnight}); !inv.DueDate.Equal(midnight) {
		t.Errorf("due %s, want %s", inv.DueDate, midnight)
	}
}

func TestUpdateChangesOnlyWhatIsSent(t *testing.T) {
	b := openBooks(t)
	other := b.newParty("Initech")
	inv := b.draft(100)
	b.clock.Advance(time.Minute)
	due, issue := b.clock.Now().AddDate(0, 2, 0), b.clock.Now().AddDate(0, 0, -3)
	for _, c := range []struct {
		patch  storage.InvoicePatch
		change func(*storage.Invoice)
	}{
		{storage.InvoicePatch{PartyID: &other.ID}, func(i *storage.Invoice) { i.PartyID, i.Client = other.ID, other }},
		{storage.InvoicePatch{DocumentID: new(uid.ID{1})}, func(i *storage.Invoice) { i.DocumentID = uid.ID{1} }},
		{storage.InvoicePatch{DocumentID: new(uid.ID{})}, func(i *storage.Invoice) { i.DocumentID = uid.ID{} }},
		{storage.InvoicePatch{BlueprintID: new(uid.ID{2})}, func(i *storage.Invoice) { i.BlueprintID = uid.ID{2} }},
		{storage.InvoicePatch{IssueDate: &issue}, func(i *storage.Invoice) { i.IssueDate = issue }},
		{storage.InvoicePatch{DueDate: &due}, func(i *storage.Invoice) { i.DueDate = due }},
		{storage.InvoicePatch{Number: new("B")}, func(i *storage.Invoice) { i.Number = "B" }},
		{storage.InvoicePatch{Number: new("C")}, func(i *storage.Invoice) { i.Number = "C" }},
		{storage.InvoicePatch{Number: new("")}, func(i *storage.Invoice) { i.Number = "" }},
		{storage.InvoicePatch{Tax: new(storage.Cents(5))}, func(i *storage.Invoice) { i.Tax, i.Total = 5, 105 }},
		{storage.InvoicePatch{CollectionMethod: new(storage.ChargeAutomatically)},
			func(i *storage.Invoice) { i.CollectionMethod = storage.ChargeAutomatically }},
		{storage.InvoicePatch{Fields: &[]storage.Field{{Key: "a", JSON: []byte("1")}}},
			func(i *storage.Invoice) { i.Fields = []storage.Field{{Key: "a", JSON: []byte("1")}} }},
		{storage.InvoicePatch{Fields: &[]storage.Field{}}, func(i *storage.Invoice) { i.Fields = []storage.Field{} }},
	} {
		want := b.invoice(inv.ID)
		c.change(&want)
		want.Version++
		want.UpdatedAt = b.clock.Now()
		b.update(inv.ID, c.patch)
		if got := b.invoice(inv.ID); !reflect.DeepEqual(got, want) {
			t.Errorf("after %+v: %+v\nwant %+v", c.patch, got, want)
		}
		if again := b.update(inv.ID, c.patch); again.Version != want.Version {
			t.Errorf("%+v sent again made version %d of %d", c.patch, again.Version, want.Version)
		}
	}
}

func TestUpdateRefusesWhatOnlyACreationTakes(t *testing.T) {
	b := openBooks(t)
	_, err := b.UpdateInvoice(t.Context(), b.by, b.draft(1).ID, storage.InvoicePatch{OwnerID: &uid.ID{1}}, 0)
	refused(t, err, storage.ErrInvalid, "invalid: [owner_uid: is taken on creation alone]")
	_, err = b.UpdateInvoice(t.Context(), b.by, b.draft(1).ID, storage.InvoicePatch{Type: new(storage.Payable)}, 0)
	refused(t, err, storage.ErrInvalid, "invalid: [invoice_type: is taken on creation alone]")
	_, err = b.UpdateInvoice(t.Context(), b.by, b.draft(1).ID, storage.InvoicePatch{Lines: &[]storage.LinePatch{}}, 0)
	refused(t, err, storage.ErrInvalid, "invalid: [line_items: is taken on creation alone]")
	_, err = b.UpdateInvoice(t.Context(), b.by, b.draft(1).ID, storage.InvoicePatch{PartyID: &uid.ID{}}, 0)
	refused(t, err, storage.ErrInvalid, "invalid: [target_party_uid: is required]")
}

func TestNewCurrencyMovesTheLinesToItsCatalogue(t *testing.T) {
	b := openBooks(t)
	inv := b.draft(100)
	got := b.update(inv.ID, storage.InvoicePatch{Currency: new(storage.Currency("JPY"))})
	if got.Lines[0].UnitPrice != 100 || got.Lines[0].TypeID == inv.Lines[0].TypeID || got.Total != 100 {
		t.Errorf("the line is %+v, want the same price under another entry than %s", got.Lines[0], inv.Lines[0].TypeID)
	}
}

func TestOnlySomeFieldsChangeOnceSent(t *testing.T) {
	b := openBooks(t)
	other := b.newParty("Initech")
	for _, status := range []storage.Status{
		storage.Sent, storage.Overdue, storage.PartiallyPaid, storage.Paid, storage.Disputed, storage.Void, storage.Cancelled,
	} {
		inv := b.reading(status)
		_, err := b.UpdateInvoice(t.Context(), b.by, inv.ID, storage.InvoicePatch{
			PartyID: &other.ID, DocumentID: &uid.ID{1}, BlueprintID: &uid.ID{1}, IssueDate: new(inv.IssueDate.Add(time.Hour)),
			Number: new("other"), Currency: new(storage.Currency("EUR")), Tax: new(storage.Cents(1)),
			DueDate: new(inv.DueDate.AddDate(0, 0, 1)),
		}, 0)
		refused(t, err, storage.ErrLockedFields,
			"invoice is locked: [target_party_uid document_uid invoice_blueprint_uid issue_date currency tax_cents invoice_number]")
		present := storage.InvoicePatch{
			PartyID: &inv.PartyID, DocumentID: &inv.DocumentID, IssueDate: &inv.IssueDate, Number: &inv.Number,
			Currency: &inv.Currency, Tax: &inv.Tax, PaidDate: &inv.PaidDate, DueDate: &inv.DueDate,
		}
		if got := b.update(inv.ID, present); got.Version != inv.Version {
			t.Errorf("%s: sending the present values made version %d of %d", status, got.Version, inv.Version)
		}
		open := storage.InvoicePatch{
			DueDate: new(inv.DueDate.AddDate(0, 0, 1)), CollectionMethod: new(storage.ChargeAutomatically),
			Fields: &[]storage.Field{{Key: "a", JSON: []byte("true")}},
		}
		got := b.update(inv.ID, open)
		if !got.DueDate.Equal(*open.DueDate) || got.CollectionMethod != storage.ChargeAutomatically || len(got.Fields) != 1 {
			t.Errorf("%s: due_date, invoice_fields and collection_method did not change: %+v", status, got)
		}
	}
}
