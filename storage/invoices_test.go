package storage_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"exante/auth/uid"
	"exante/storage"
	"exante/storage/billing"
	"exante/storage/input"
)

func TestCreationFillsInTheDefaults(t *testing.T) {
	b := openBooks(t)
	b.clock.Advance(789 * time.Millisecond)
	now := b.clock.Now()
	owner, err := b.OwnerOf(t.Context(), b.org.ID)
	if err != nil {
		t.Fatal(err)
	}
	inv := b.create(billing.InvoicePatch{})
	want := billing.Invoice{
		ID: inv.ID, OrgID: b.org.ID, Version: 1, Type: billing.Receivable, Status: billing.Draft,
		CollectionMethod: billing.SendInvoice, Currency: "USD",
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
	inv := b.create(billing.InvoicePatch{
		OwnerID: &user.ID, DocumentID: new(uid.ID{1}), BlueprintID: new(uid.ID{2}), IssueDate: &issue, DueDate: &due,
		Number: new("  A-1 "), Currency: new(billing.Currency("EUR")), Type: new(billing.Payable),
		CollectionMethod: new(billing.ChargeAutomatically), Tax: new(billing.Cents(7)),
		Fields: &[]billing.Field{{Key: "po", JSON: []byte(`"4711"`)}},
		Lines:  &[]billing.LinePatch{product("a", 100), {Type: new(billing.Discount), SKU: new("b"), UnitPrice: new(billing.Cents(30))}},
	})
	got := b.invoice(inv.ID)
	if !reflect.DeepEqual(inv, got) {
		t.Errorf("answered %+v\nstored   %+v", inv, got)
	}
	switch {
	case got.OwnerID != user.ID, got.DocumentID != uid.ID{1}, got.BlueprintID != uid.ID{2}, got.Number != "A-1",
		got.Currency != "EUR", got.Type != billing.Payable, got.CollectionMethod != billing.ChargeAutomatically,
		!got.IssueDate.Equal(time.Date(2026, 1, 2, 1, 4, 5, 0, time.UTC)), !got.DueDate.Equal(due),
		got.Subtotal != 100, got.Discount != 30, got.Tax != 7, got.Total != 77, got.Due() != 77, got.Remaining() != 77,
		len(got.Fields) != 1, string(got.Fields[0].JSON) != `"4711"`, len(got.Lines) != 2:
		t.Errorf("stored %+v", got)
	}
}

func TestCreationNamesAllThatIsWrong(t *testing.T) {
	b := openBooks(t)
	long := strings.Repeat("x", 65)
	_, err := b.CreateInvoice(t.Context(), b.by, billing.InvoicePatch{
		OwnerID: new(uid.ID{9}), IssueDate: new(time.Time{}.AddDate(-5, 0, 0)), DueDate: new(time.Time{}), Currency: new(billing.Currency("usd")),
		CollectionMethod: new(billing.CollectionMethod(9)), Type: new(billing.InvoiceType(9)), Tax: new(billing.Cents(-1)), Number: &long,
		Fields: &[]billing.Field{{Key: "a", JSON: []byte("{")}}, PaidDate: new(time.Time{}),
	})
	refused(t, err, input.ErrInvalid, "invalid: [invoice_type: is not known target_party_uid: is required paid_date: is taken on update alone "+
		"owner_uid: names no user of this organization issue_date: must be in the years 1 to 9999 due_date: can't be cleared "+
		"currency: is no active ISO 4217 code collection_method: is not known tax_cents: must be 0 to 9007199254740991 "+
		"invoice_number: must have 1 to 64 characters invoice_fields: has a value that is no JSON]")
}

func TestCreationRefuses(t *testing.T) {
	b := openBooks(t)
	fields := func(n int, key, value string) *[]billing.Field {
		list := make([]billing.Field, n)
		for i := range list {
			list[i] = billing.Field{Key: fmt.Sprintf(key, i), JSON: []byte(value)}
		}
		return &list
	}
	for name, c := range map[string]struct {
		patch billing.InvoicePatch
		text  string
	}{
		"no party":         {billing.InvoicePatch{PartyID: &uid.ID{}}, "target_party_uid: is required"},
		"an absent party":  {billing.InvoicePatch{PartyID: &uid.ID{9}}, "target_party_uid: names no party of this organization"},
		"due before issue": {billing.InvoicePatch{DueDate: new(b.clock.Now().AddDate(0, 0, -1))}, "due_date: is before issue_date"},
		"due in 10000":     {billing.InvoicePatch{IssueDate: new(time.Date(9999, 12, 15, 0, 0, 0, 0, time.UTC))}, "due_date: must be in the years 1 to 9999"},
		"101 fields":       {billing.InvoicePatch{Fields: fields(101, "k%d", "1")}, "invoice_fields: has more than 100 keys"},
		"a long key":       {billing.InvoicePatch{Fields: fields(1, strings.Repeat("k", 200)+"%d", "1")}, "invoice_fields: has a key of more than 200 bytes"},
		"a key twice":      {billing.InvoicePatch{Fields: &[]billing.Field{{Key: "a", JSON: []byte("1")}, {Key: "a", JSON: []byte("2")}}}, "invoice_fields: has a key twice"},
		"large fields":     {billing.InvoicePatch{Fields: fields(100, "k%d", `"`+strings.Repeat("x", 700)+`"`)}, "invoice_fields: is larger than 64 KiB"},
		"much tax":         {billing.InvoicePatch{Tax: new(billing.MaxCents + 1)}, "tax_cents: must be 0 to 9007199254740991"},
		"a control":        {billing.InvoicePatch{Number: new("A\x07")}, "invoice_number: has a character that does not print (U+0007)"},
	} {
		_, err := b.tryCreate(c.patch)
		t.Run(name, func(t *testing.T) { refused(t, err, input.ErrInvalid, "invalid: ["+c.text+"]") })
	}
	if _, total := b.list(storage.InvoiceQuery{}); total != 0 {
		t.Errorf("%d invoices are there after refusals alone", total)
	}
}

func TestDueOnTheDayOfIssueIsNotBeforeIt(t *testing.T) {
	b := openBooks(t)
	midnight := b.clock.Now().Truncate(24 * time.Hour)
	if inv := b.create(billing.InvoicePatch{DueDate: &midnight}); !inv.DueDate.Equal(midnight) {
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
		patch  billing.InvoicePatch
		change func(*billing.Invoice)
	}{
		{billing.InvoicePatch{PartyID: &other.ID}, func(i *billing.Invoice) { i.PartyID, i.Client = other.ID, other }},
		{billing.InvoicePatch{DocumentID: new(uid.ID{1})}, func(i *billing.Invoice) { i.DocumentID = uid.ID{1} }},
		{billing.InvoicePatch{DocumentID: new(uid.ID{})}, func(i *billing.Invoice) { i.DocumentID = uid.ID{} }},
		{billing.InvoicePatch{BlueprintID: new(uid.ID{2})}, func(i *billing.Invoice) { i.BlueprintID = uid.ID{2} }},
		{billing.InvoicePatch{IssueDate: &issue}, func(i *billing.Invoice) { i.IssueDate = issue }},
		{billing.InvoicePatch{DueDate: &due}, func(i *billing.Invoice) { i.DueDate = due }},
		{billing.InvoicePatch{Number: new("B")}, func(i *billing.Invoice) { i.Number = "B" }},
		{billing.InvoicePatch{Number: new("C")}, func(i *billing.Invoice) { i.Number = "C" }},
		{billing.InvoicePatch{Number: new("")}, func(i *billing.Invoice) { i.Number = "" }},
		{billing.InvoicePatch{Tax: new(billing.Cents(5))}, func(i *billing.Invoice) { i.Tax, i.Total = 5, 105 }},
		{billing.InvoicePatch{CollectionMethod: new(billing.ChargeAutomatically)},
			func(i *billing.Invoice) { i.CollectionMethod = billing.ChargeAutomatically }},
		{billing.InvoicePatch{Fields: &[]billing.Field{{Key: "a", JSON: []byte("1")}}},
			func(i *billing.Invoice) { i.Fields = []billing.Field{{Key: "a", JSON: []byte("1")}} }},
		{billing.InvoicePatch{Fields: &[]billing.Field{}}, func(i *billing.Invoice) { i.Fields = []billing.Field{} }},
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
	_, err := b.UpdateInvoice(t.Context(), b.by, b.draft(1).ID, billing.InvoicePatch{OwnerID: &uid.ID{1}}, 0)
	refused(t, err, input.ErrInvalid, "invalid: [owner_uid: is taken on creation alone]")
	_, err = b.UpdateInvoice(t.Context(), b.by, b.draft(1).ID, billing.InvoicePatch{Type: new(billing.Payable)}, 0)
	refused(t, err, input.ErrInvalid, "invalid: [invoice_type: is taken on creation alone]")
	_, err = b.UpdateInvoice(t.Context(), b.by, b.draft(1).ID, billing.InvoicePatch{Lines: &[]billing.LinePatch{}}, 0)
	refused(t, err, input.ErrInvalid, "invalid: [line_items: is taken on creation alone]")
	_, err = b.UpdateInvoice(t.Context(), b.by, b.draft(1).ID, billing.InvoicePatch{PartyID: &uid.ID{}}, 0)
	refused(t, err, input.ErrInvalid, "invalid: [target_party_uid: is required]")
}

func TestNewCurrencyMovesTheLinesToItsCatalogue(t *testing.T) {
	b := openBooks(t)
	inv := b.draft(100)
	got := b.update(inv.ID, billing.InvoicePatch{Currency: new(billing.Currency("JPY"))})
	if got.Lines[0].UnitPrice != 100 || got.Lines[0].TypeID == inv.Lines[0].TypeID || got.Total != 100 {
		t.Errorf("the line is %+v, want the same price under another entry than %s", got.Lines[0], inv.Lines[0].TypeID)
	}
}

func TestOnlySomeFieldsChangeOnceSent(t *testing.T) {
	b := openBooks(t)
	other := b.newParty("Initech")
	for _, status := range []billing.Status{
		billing.Sent, billing.Overdue, billing.PartiallyPaid, billing.Paid, billing.Disputed, billing.Void, billing.Cancelled,
	} {
		inv := b.reading(status)
		_, err := b.UpdateInvoice(t.Context(), b.by, inv.ID, billing.InvoicePatch{
			PartyID: &other.ID, DocumentID: &uid.ID{1}, BlueprintID: &uid.ID{1}, IssueDate: new(inv.IssueDate.Add(time.Hour)),
			Number: new("other"), Currency: new(billing.Currency("EUR")), Tax: new(billing.Cents(1)),
			DueDate: new(inv.DueDate.AddDate(0, 0, 1)),
		}, 0)
		refused(t, err, billing.ErrLockedFields,
			"invoice is locked: [target_party_uid document_uid invoice_blueprint_uid issue_date currency tax_cents invoice_number]")
		present := billing.InvoicePatch{
			PartyID: &inv.PartyID, DocumentID: &inv.DocumentID, IssueDate: &inv.IssueDate, Number: &inv.Number,
			Currency: &inv.Currency, Tax: &inv.Tax, PaidDate: &inv.PaidDate, DueDate: &inv.DueDate,
		}
		if got := b.update(inv.ID, present); got.Version != inv.Version {
			t.Errorf("%s: sending the present values made version %d of %d", status, got.Version, inv.Version)
		}
		open := billing.InvoicePatch{
			DueDate: new(inv.DueDate.AddDate(0, 0, 1)), CollectionMethod: new(billing.ChargeAutomatically),
			Fields: &[]billing.Field{{Key: "a", JSON: []byte("true")}},
		}
		got := b.update(inv.ID, open)
		if !got.DueDate.Equal(*open.DueDate) || got.CollectionMethod != billing.ChargeAutomatically || len(got.Fields) != 1 {
			t.Errorf("%s: due_date, invoice_fields and collection_method did not change: %+v", status, got)
		}
	}
}
