package storage_test

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"exante/auth/uid"
	"exante/storage"
	"exante/storage/billing"
	"exante/storage/storagetest"
)

// importing is an import of lines that are numbered as they come.
type importing struct {
	*books
	*storage.Import
	at storage.ImportMark
}

func (b *books) beginImport(id byte, change func(*storage.ImportOptions)) *importing {
	b.Helper()
	o := storage.ImportOptions{ID: [32]byte{id}}
	if change != nil {
		change(&o)
	}
	m, err := b.BeginImport(b.Context(), b.by, o)
	if err != nil {
		b.Fatal(err)
	}
	return &importing{b, m, m.State().Done}
}

// put takes all lines, in as many batches as they need, and returns what each was
// refused for, "" for nothing.
func (m *importing) put(lines ...storage.ImportLine) (said []string) {
	m.Helper()
	for i := range lines {
		m.at.Lines, m.at.Bytes = m.at.Lines+1, m.at.Bytes+100
		lines[i].End = m.at
		if lines[i].Patch.PartyID == nil && lines[i].Party == nil {
			lines[i].Patch.PartyID = &m.party.ID
		}
	}
	for len(lines) > 0 {
		refused, err := m.Import.Put(m.Context(), lines)
		if err != nil || len(refused) == 0 {
			m.Fatalf("put: %d lines, %v", len(refused), err)
		}
		for _, err := range refused {
			said = append(said, "")
			if err != nil {
				said[len(said)-1] = err.Error()
			}
		}
		lines = lines[len(refused):]
	}
	return said
}

func lineOf(total billing.Cents, status billing.Status) storage.ImportLine {
	return storage.ImportLine{Patch: billing.InvoicePatch{Status: &status, Lines: &[]billing.LinePatch{product("work", total)}}}
}

// all are the invoices of the organization by creation of their uids.
func (b *books) all() []billing.Invoice {
	b.Helper()
	all := b.walk(storage.InvoiceQuery{})
	slices.SortFunc(all, func(x, y billing.Invoice) int { return strings.Compare(x.ID.String(), y.ID.String()) })
	return all
}

// What an import makes is what a creation makes of the same.
func TestImportedInvoiceIsAsOneThatWasCreated(t *testing.T) {
	b := openBooks(t)
	issue := b.clock.Now().Add(-time.Hour)
	patch := billing.InvoicePatch{
		PartyID: &b.party.ID, Number: new("A-1"), Status: new(billing.Sent), Currency: new(billing.Currency("EUR")), Tax: new(billing.Cents(19)),
		IssueDate: &issue, Fields: &[]billing.Field{{Key: "po", JSON: []byte(`"4711"`)}}, CollectionMethod: new(billing.ChargeAutomatically),
		Lines: &[]billing.LinePatch{product("work", 1000), discount("rebate", 100)},
	}
	created := b.create(patch)
	patch.Number = new("A-2")
	if said := b.beginImport(1, nil).put(storage.ImportLine{Patch: patch}); said[0] != "" {
		t.Fatal(said)
	}
	imported := b.all()[1]
	imported.ID, imported.Number = created.ID, created.Number
	for i := range imported.Lines {
		imported.Lines[i].ID = created.Lines[i].ID
	}
	if !reflect.DeepEqual(imported, created) {
		t.Errorf("imported %+v\ncreated  %+v", imported, created)
	}
}

func TestRefusedLineLeavesNothingAndFailsNobody(t *testing.T) {
	b := openBooks(t)
	m := b.beginImport(1, nil)
	bad := lineOf(5, billing.Sent)
	bad.Party = &billing.PartyPatch{Name: new("Only in a refused line")}
	bad.Patch.Lines = &[]billing.LinePatch{product("only here", 5)}
	bad.Patch.Status = new(billing.PartiallyPaid) // after the sending, which took a number
	duplicate, alien := lineOf(1, billing.Draft), lineOf(1, billing.Draft)
	duplicate.Patch.Number, alien.Patch.PartyID = new("N-1"), new(uid.ID{1})
	first := lineOf(1, billing.Sent)
	first.Patch.Number = new("N-1")
	unread := storage.ImportLine{Refused: errors.New("the reader's own reason")}
	said := m.put(first, bad, duplicate, lineOf(2, billing.Sent), alien, unread, lineOf(3, billing.Sent))
	want := []string{"", "illegal transition from SENT to PARTIALLY_PAID", "invoice_number is taken", "",
		"invalid: [target_party_uid: names no party of this organization]", "the reader's own reason", ""}
	if !slices.Equal(said, want) {
		t.Errorf("said %q\nwant %q", said, want)
	}
	all := b.all()
	if len(all) != 3 || all[1].Number != "INV-2026-000001" || all[2].Number != "INV-2026-000002" {
		t.Errorf("the books have %+v", all)
	}
	if parties, _, _ := b.Parties(t.Context(), b.org.ID, storage.PartyQuery{PerPage: 10}); len(parties) != 1 {
		t.Errorf("parties %+v", parties)
	}
	if s := m.State(); s.Imported != 3 || s.Refused != 4 || s.Done.Lines != 7 {
		t.Errorf("state %+v", s)
	}
	if said := m.put(lineOf(1, billing.Draft)); said[0] != "" {
		t.Error(said)
	}
	if _, err := b.tryCreate(billing.InvoicePatch{Lines: &[]billing.LinePatch{{Type: new(billing.Product), SKU: new("only here")}}}); err == nil {
		t.Error("the catalogue remembers the price of a refused line")
	}
}

func TestImportFindsPartiesByNameOrMakesThem(t *testing.T) {
	b := openBooks(t)
	m := b.beginImport(1, nil)
	named := func(name, address string, status billing.Status) storage.ImportLine {
		l := lineOf(10, status)
		contact := &billing.ContactDraft{Name: "Ann"}
		l.Party = &billing.PartyPatch{Name: &name, Address: &address, Contact: &contact}
		return l
	}
	said := m.put(named("Globex", "elsewhere", billing.Draft), named(" New ", "here", billing.Sent), named("New", "moved", billing.Sent),
		named("new", "", billing.Draft), named("", "", billing.Draft))
	if want := []string{"", "", "", "", "invalid: [party.name: must have 1 to 200 characters]"}; !slices.Equal(said, want) {
		t.Fatalf("said %q", said)
	}
	m = b.beginImport(2, nil) // another run finds those that the first has made
	m.put(named("New", "here", billing.Draft))
	parties, total, err := b.Parties(t.Context(), b.org.ID, storage.PartyQuery{PerPage: 10, Sort: "name"})
	if err != nil || total != 3 {
		t.Fatalf("parties %+v, %v", parties, err)
	}
	all := b.all()
	if all[0].PartyID != b.party.ID || all[0].Client.Address != "" || all[1].PartyID != all[2].PartyID || all[4].PartyID != all[1].PartyID || all[3].PartyID == all[1].PartyID {
		t.Errorf("the invoices go to %v", all)
	}
	if all[1].Client.Address != "here" || all[2].Client.Address != "moved" || all[4].Client.Address != "here" || all[2].Client.Contact.ID.IsZero() {
		t.Error("a sent invoice has the client as its line does, another as he is")
	}
	if found, _, _ := b.Parties(t.Context(), b.org.ID, storage.PartyQuery{Search: "NEW", PerPage: 10}); len(found) != 2 {
		t.Errorf("the list of parties finds %+v", found)
	}
	if _, total := b.list(storage.InvoiceQuery{Search: "new"}); total != 4 {
		t.Errorf("the list of invoices finds %d of a new party", total)
	}
}

func TestImportGivesNewNumbersOnlyWhereAsked(t *testing.T) {
	b := openBooks(t)
	own, ours := lineOf(1, billing.Sent), lineOf(1, billing.Sent)
	own.Patch.Number, ours.Patch.Number = new("OWN-7"), new("INV-2020-000042")
	if said := b.beginImport(1, nil).put(ours); !strings.Contains(said[0], "invoice_number: is of the form that is kept for numbers given by the server") {
		t.Error(said)
	}
	m := b.beginImport(2, func(o *storage.ImportOptions) { o.NewNumbers = true })
	if said := m.put(own, ours); said[0] != "" || said[1] != "" {
		t.Error(said)
	}
	if all := b.all(); all[0].Number != "OWN-7" || all[1].Number != "INV-2026-000001" {
		t.Errorf("numbers %s, %s", all[0].Number, all[1].Number)
	}
}

func TestImportGoesOnWhereItWas(t *testing.T) {
	b := openBooks(t)
	stale := b.beginImport(1, nil)
	m := b.beginImport(1, nil)
	m.put(lineOf(1, billing.Draft), lineOf(2, billing.Draft))
	if _, err := stale.Import.Put(t.Context(), []storage.ImportLine{lineOf(1, billing.Draft)}); !errors.Is(err, storage.ErrConflict) {
		t.Errorf("a run that was overtaken: %v", err)
	}
	if err := m.Finish(t.Context(), m.at, storage.ImportProof{Bytes: m.at.Bytes, Sum: [32]byte{9}}); err != nil {
		t.Fatal(err)
	}
	s := b.beginImport(1, nil).State()
	if s.Done != m.at || s.Imported != 2 || s.FinishedAt.IsZero() || s.Proof.Sum != [32]byte{9} {
		t.Errorf("state %+v", s)
	}
	if other := b.beginImport(2, nil).State(); other != (storage.ImportState{}) {
		t.Errorf("another import has come to %+v", other)
	}
	if len(b.all()) != 2 {
		t.Error("a line was taken twice")
	}
}

func TestImportIsSoundThoughTheClockWasSetBack(t *testing.T) {
	b := openBooks(t)
	m := b.beginImport(1, nil)
	m.put(storage.ImportLine{})
	b.clock.Advance(-time.Hour)
	m.put(storage.ImportLine{})
	if err := m.Finish(t.Context(), m.at, storage.ImportProof{}); err != nil {
		t.Fatal(err)
	}
}

func TestDryRunKeepsNothing(t *testing.T) {
	b := openBooks(t)
	before := len(mustAudit(t, b))
	m := b.beginImport(1, func(o *storage.ImportOptions) { o.DryRun = true })
	named := lineOf(1, billing.Sent)
	named.Party = &billing.PartyPatch{Name: new("New")}
	dup := lineOf(1, billing.Draft)
	dup.Patch.Number = new("X")
	said := m.put(named, dup, dup)
	if err := m.Finish(t.Context(), m.at, storage.ImportProof{}); err != nil || said[0] != "" || said[1] != "" || said[2] != "invoice_number is taken" {
		t.Errorf("said %q, %v", said, err)
	}
	if s := m.State(); s.Imported != 2 || s.Refused != 1 {
		t.Errorf("state %+v", s)
	}
	if s := b.beginImport(1, nil).State(); s != (storage.ImportState{}) || len(b.all()) != 0 || len(mustAudit(t, b)) != before {
		t.Errorf("a dry run left %+v", s)
	}
}

func mustAudit(t *testing.T, b *books) []storage.AuditEntry {
	t.Helper()
	entries, err := b.Audit(t.Context(), storage.AuditQuery{Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	return entries
}

func TestDryRunKnowsOfEarlierBatches(t *testing.T) {
	b := openBooks(t)
	m := b.beginImport(1, func(o *storage.ImportOptions) { o.DryRun = true })
	sent := storage.ImportLine{Patch: billing.InvoicePatch{Status: new(billing.Sent)}}
	m.put(sent, storage.ImportLine{Patch: billing.InvoicePatch{Number: new("A"), Lines: &[]billing.LinePatch{
		{Type: new(billing.Product), SKU: new("known"), UnitPrice: new(billing.Cents(5))},
	}}})
	taken := storage.ImportLine{Patch: billing.InvoicePatch{Number: new("A")}}
	priced := storage.ImportLine{Patch: billing.InvoicePatch{Lines: &[]billing.LinePatch{{Type: new(billing.Product), SKU: new("known")}}}}
	if said := m.put(taken, priced, sent); said[0] == "" || said[1] != "" || said[2] != "" {
		t.Errorf("a number that an earlier line has: %q; a price that it gave: %q; the next of the series: %q", said[0], said[1], said[2])
	}
}

func TestBatchTakesWhatFitsAndIsAuditedOnce(t *testing.T) {
	b := openBooks(t)
	had := len(mustAudit(t, b))
	var lines []storage.ImportLine
	for range 1000 {
		lines = append(lines, lineOf(7, billing.Draft))
	}
	var skus []billing.LinePatch // as much as one invoice can write
	for i := range 1000 {
		skus = append(skus, product(fmt.Sprintf("sku %d", i), 1))
	}
	lines = append(lines, storage.ImportLine{Patch: billing.InvoicePatch{Lines: &skus, Number: new("LONG"), Status: new(billing.Paid)},
		Party: &billing.PartyPatch{Name: new("New")}})
	m := b.beginImport(1, nil)
	for _, said := range m.put(lines...) {
		if said != "" {
			t.Fatal(said)
		}
	}
	entries := mustAudit(t, b)[had:]
	imported, all := 0, b.all()
	for _, e := range entries {
		n := 0
		fmt.Sscan(e.Detail["imported"], &n)
		if imported += n; e.Action != "invoice.import" || e.Target != all[imported-n].ID || e.Detail["last"] != all[imported-1].ID.String() {
			t.Errorf("audit %+v", e)
		}
	}
	if imported != 1001 || len(entries) < 3 || len(entries) > 5 || entries[len(entries)-1].Detail["parties"] != "1" {
		t.Errorf("%d invoices in %d audit records", imported, len(entries))
	}
	if inv := all[1000]; len(inv.Lines) != 1000 || inv.Status != billing.Paid || inv.Client.Name != "New" {
		t.Errorf("the long one is %s of %d lines", inv.Status, len(inv.Lines))
	}
}

func TestImportSurvivesAReopen(t *testing.T) {
	clock := storagetest.NewClock()
	options := storagetest.Options(t, clock)
	b := booksOf(t, storagetest.Reopen(t, options), clock)
	b.beginImport(1, nil).put(lineOf(1, billing.Sent), lineOf(2, billing.Draft))
	storagetest.Close(t, b.Store)
	clock.Advance(time.Second)
	b.Store = storagetest.Reopen(t, options)
	m := b.beginImport(1, nil)
	if m.at.Lines != 2 || len(b.all()) != 2 {
		t.Errorf("after a reopen at %+v with %d invoices", m.at, len(b.all()))
	}
	m.put(lineOf(3, billing.Sent))
	if all := b.all(); len(all) != 3 || all[2].Number != "INV-2026-000002" {
		t.Errorf("went on to %+v", all)
	}
}
