package storage

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"exante/auth"
	"exante/auth/uid"
	"exante/storage/billing"
)

// ledger is a store with a sent and partly paid invoice, a draft and a long
// draft. What a test breaks in it stays broken.
type ledger struct {
	testing.TB
	*Store
	org               uid.ID
	party             billing.Party
	sent, draft, long billing.Invoice
}

func openLedger(tb testing.TB) *ledger {
	tb.Helper()
	hasher, err := auth.NewHasher(auth.HasherOptions{Params: auth.Params{MemoryKiB: 64, Iterations: 1, Parallelism: 1}, Slots: 1, Queue: 1, MaxWait: time.Second})
	if err != nil {
		tb.Fatal(err)
	}
	s, err := Open(Options{Dir: filepath.Join(tb.TempDir(), "data"), Create: true, Hasher: hasher, Environment: auth.Live})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil && !errors.Is(err, ErrClosed) {
			tb.Error(err)
		}
	})
	l := &ledger{TB: tb, Store: s}
	org, _, err := s.CreateOrg(tb.Context(), auth.Principal{Shell: true}, OrgDraft{Name: "Acme"})
	if err != nil {
		tb.Fatal(err)
	}
	l.org = org.ID
	by := auth.Principal{Shell: true, OrgID: l.org}
	if l.party, err = s.CreateParty(tb.Context(), by, billing.PartyPatch{Name: new("Globex")}); err != nil {
		tb.Fatal(err)
	}
	lines := []billing.LinePatch{{Type: new(billing.Product), SKU: new("work"), UnitPrice: new(billing.Cents(100))}}
	create := func(p billing.InvoicePatch) billing.Invoice {
		p.PartyID, p.Lines = &l.party.ID, &lines
		i, err := s.CreateInvoice(tb.Context(), by, p)
		if err != nil {
			tb.Fatal(err)
		}
		return i
	}
	l.draft = create(billing.InvoicePatch{Number: new("OWN")})
	l.long = create(billing.InvoicePatch{Fields: &[]billing.Field{{Key: "note", JSON: []byte(`"` + strings.Repeat("x", 60<<10) + `"`)}}})
	l.sent = create(billing.InvoicePatch{Status: new(billing.Sent)})
	if _, l.sent, err = s.RecordPayment(tb.Context(), by, l.sent.ID, 40, time.Time{}, "", 0); err != nil {
		tb.Fatal(err)
	}
	return l
}

// raw writes without the store's care.
func (l *ledger) raw(fn func(*tx) error) {
	l.Helper()
	if err := l.update(l.Context(), auth.Principal{Shell: true, OrgID: l.org}, fn); err != nil {
		l.Fatal(err)
	}
}

// alter writes an invoice as change makes it, to the list as well.
func (l *ledger) alter(i billing.Invoice, change func(*billing.Invoice)) {
	l.Helper()
	i.Lines = slices.Clone(i.Lines)
	change(&i)
	stored := storedInvoice{i, 9} // chunks: as many as an alteration before this one may have left
	l.raw(func(t *tx) error { return putInvoice(t, &stored) })
	l.lists.Put(l.org, rowOf(&i))
}

func (l *ledger) findings() []string {
	l.Helper()
	report, err := l.Verify(l.Context(), nil)
	if err != nil {
		l.Fatal(err)
	}
	var all []string
	for _, f := range report.Findings {
		all = append(all, f.Key+": "+f.Problem)
	}
	return all
}

func TestVerifyFindsNothingInAWholeLedger(t *testing.T) {
	if found := openLedger(t).findings(); len(found) != 0 {
		t.Errorf("found %v", found)
	}
}

func TestVerifyFindsEveryBrokenInvoiceRule(t *testing.T) {
	l := openLedger(t)
	for text, change := range map[string]func(*billing.Invoice){
		"has no version":                                                             func(i *billing.Invoice) { i.Version = 0 },
		"has an unknown type, method or status":                                      func(i *billing.Invoice) { i.CollectionMethod = 9 },
		"is stored as OVERDUE":                                                       func(i *billing.Invoice) { i.Status = billing.Overdue },
		"has an unknown currency":                                                    func(i *billing.Invoice) { i.Currency = "XXX" },
		"has a tax out of range":                                                     func(i *billing.Invoice) { i.Tax = -1 },
		"has more lines than an invoice has":                                         func(i *billing.Invoice) { i.Lines = slices.Repeat(i.Lines, 1001) },
		"has a line whose total is not quantity × price":                             func(i *billing.Invoice) { i.Lines[0].Total = 99 },
		"has totals other than its lines":                                            func(i *billing.Invoice) { i.Subtotal = 99 },
		"is due before its issue":                                                    func(i *billing.Invoice) { i.DueDate = i.IssueDate.AddDate(0, 0, -1) },
		"was sent, or not, against its status":                                       func(i *billing.Invoice) { i.Status = billing.Draft },
		"was sent without a number or a client":                                      func(i *billing.Invoice) { i.Client.Name = "" },
		"has an amount paid against its total or its payments":                       func(i *billing.Invoice) { i.Paid = 101 },
		"is PAID, or not, against its amounts":                                       func(i *billing.Invoice) { i.Status = billing.Paid },
		"is PARTIALLY_PAID against its amounts":                                      func(i *billing.Invoice) { i.Paid = 100 },
		"refers to party 01000000-0000-0000-0000-000000000000, which does not exist": func(i *billing.Invoice) { i.PartyID = uid.ID{1} },
		"which does not exist":                                                       func(i *billing.Invoice) { i.OwnerID = uid.ID{1} },
		"has number \"OWN\", which is entered for invoice":                           func(i *billing.Invoice) { i.Number = "OWN" },
		"which has number \"OTHER\"":                                                 func(i *billing.Invoice) { i.Number = "OTHER" },
		"line 0 is of another catalogue entry than its own":                          func(i *billing.Invoice) { i.Lines[0].TypeID = uid.ID{1} },
		"no invoice has place 1 of the number series":                                func(i *billing.Invoice) { i.Series = 0 },
		"has place 2 of the number series, which has come to 1":                      func(i *billing.Invoice) { i.Series = 2 },
		"has 1 payments of 40 in all, and says 1 of 41":                              func(i *billing.Invoice) { i.Paid = 41 },
		"2 payments named by invoices found, 1 counted":                              func(i *billing.Invoice) { i.Payments = 2 },
		"has a place in the series, or was paid, before it was sent":                 func(i *billing.Invoice) { i.SentAt = time.Time{} },
	} {
		l.alter(l.sent, change)
		if found := l.findings(); !slices.ContainsFunc(found, func(f string) bool { return strings.Contains(f, text) }) {
			t.Errorf("found %q, want one that says %q", found, text)
		}
		l.alter(l.sent, func(*billing.Invoice) {})
	}
	if found := l.findings(); len(found) != 0 {
		t.Errorf("mended, and found %v", found)
	}
}

func TestVerifyFindsEveryBrokenEntry(t *testing.T) {
	for text, damage := range map[string]func(*ledger, *tx) error{
		"refers to o":                        func(l *ledger, t *tx) error { return t.Delete(keyNumber(l.org, "OWN")) },
		"1 invoice numbers found, 2 counted": func(l *ledger, t *tx) error { return t.Delete(keyNumber(l.org, "OWN")) },
		"3 invoice numbers found, 2 counted": func(l *ledger, t *tx) error {
			return put(t, keyNumber(l.org, "MORE"), famNumber, &numberRecord{l.draft.ID})
		},
		"which has number \"OWN\"": func(l *ledger, t *tx) error {
			return put(t, keyNumber(l.org, "MORE"), famNumber, &numberRecord{l.draft.ID})
		},
		"invoice o ": func(l *ledger, t *tx) error {
			return put(t, keyNumber(l.org, "MORE"), famNumber, &numberRecord{uid.ID{1}})
		},
		"0000 is missing":                               func(l *ledger, t *tx) error { return t.Delete(keyChunk(l.org, l.long.ID, 0)) },
		"is beyond the 1 chunks of its invoice":         func(l *ledger, t *tx) error { return t.Put(keyChunk(l.org, l.long.ID, 1), []byte("x")) },
		"is beyond the 0 chunks of its invoice":         func(l *ledger, t *tx) error { return t.Put(keyChunk(l.org, l.draft.ID, 0), []byte("x")) },
		"2 invoices found, 3 counted":                   func(l *ledger, t *tx) error { return t.Delete(keyInvoice(l.org, l.draft.ID)) },
		"0 parties found, 1 counted":                    func(l *ledger, t *tx) error { return t.Delete(keyParty(l.org, l.party.ID)) },
		"0 catalogue entries found, 1 counted":          func(l *ledger, t *tx) error { return t.Delete(keyCatalogue(l.org, billing.Product, "USD", "work")) },
		"2 payments found, 1 counted":                   func(l *ledger, t *tx) error { return putPayment(t, l.draft.ID, 1) },
		"has 1 payments of 1 in all, and says 0 of 0":   func(l *ledger, t *tx) error { return putPayment(t, l.draft.ID, 1) },
		"has 2 payments of 30 in all, and says 1 of 40": func(l *ledger, t *tx) error { return putPayment(t, l.sent.ID, -10) },
		"is of -10":                 func(l *ledger, t *tx) error { return putPayment(t, l.sent.ID, -10) },
		"has no version or no name": func(l *ledger, t *tx) error { return put(t, keyParty(l.org, l.party.ID), famParty, &partyRecord{}) },
		"has no uid, or a price of -1": func(l *ledger, t *tx) error {
			return put(t, keyCatalogue(l.org, billing.Product, "USD", "x"), famCatalogue, &catalogueRecord{UnitPrice: -1})
		},
		"row o ":                                 func(l *ledger, t *tx) error { return t.Delete(keyRow(l.org, l.draft.ID)) },
		"2 listed invoices found, 3 counted":     func(l *ledger, t *tx) error { return t.Delete(keyRow(l.org, l.draft.ID)) },
		"does not say what its invoice says":     func(l *ledger, t *tx) error { return putRow(t, strange(l.draft)) },
		"4 listed invoices found, 3 counted":     func(l *ledger, t *tx) error { i := l.draft; i.ID = uid.ID{1}; return putRow(t, &i) },
		"3 receivable invoices found, 2 counted": func(l *ledger, t *tx) error { return t.count(func(c *counts) { c.Rows-- }) },
		"is no row of a list": func(l *ledger, t *tx) error {
			key := keyRow(l.org, l.draft.ID)
			return t.Put(key, sealBytes(key, famRow, []byte("short")))
		},
		"fails its checksum": func(l *ledger, t *tx) error { return t.Put(keyInvoice(l.org, l.draft.ID), []byte("damaged")) },
		"has a place in the number series, which has come further than there are numbers": func(l *ledger, t *tx) error { return t.count(func(c *counts) { c.LastSeries = 99 }) },
	} {
		l := openLedger(t)
		l.raw(func(tx *tx) error { return damage(l, tx) })
		if found := l.findings(); !slices.ContainsFunc(found, func(f string) bool { return strings.Contains(f, text) }) {
			t.Errorf("found %q, want one that says %q", found, text)
		}
	}
}

// strange is an invoice that is worth a cent more.
func strange(i billing.Invoice) *billing.Invoice {
	i.Total++
	return &i
}

func putPayment(t *tx, invoice uid.ID, amount billing.Cents) error {
	return put(t, keyPayment(t.by.OrgID, invoice, uid.ID{0xff}), famPayment, &paymentRecord{Amount: amount})
}

func TestVerifyHoldsTheListsAgainstTheDisk(t *testing.T) {
	l := openLedger(t)
	row, name := rowOf(&l.draft), nameRowOf(&l.party)
	for text, damage := range map[string]func(){
		"is not in the list in memory as it is on disk":         func() { row := row; row.Total++; l.lists.Put(l.org, row) },
		"p " + l.party.ID.String() + ": is not in the list":     func() { name := name; name.Folded = "x"; l.parties.Put(l.org, name) },
		"the lists in memory have records that are not on disk": func() { row := row; row.ID = uid.ID{1}; l.lists.Put(l.org, row) },
	} {
		damage()
		if found := l.findings(); !slices.ContainsFunc(found, func(f string) bool { return strings.Contains(f, text) }) {
			t.Errorf("found %q, want one that says %q", found, text)
		}
		l.lists.Put(l.org, row)
		l.parties.Put(l.org, name)
	}
}

func TestDamagedInvoicesAreRefusedAndNotServed(t *testing.T) {
	for text, damage := range map[string]func(*ledger, *tx) error{
		"store is damaged: chunk ":  func(l *ledger, t *tx) error { return t.Delete(keyChunk(l.org, l.long.ID, 0)) },
		"store is damaged: record ": func(l *ledger, t *tx) error { return t.Put(keyInvoice(l.org, l.long.ID), make([]byte, 9)) },
		"store is damaged: party ":  func(l *ledger, t *tx) error { return t.Delete(keyParty(l.org, l.party.ID)) },
		"store is damaged: detail ": func(l *ledger, t *tx) error {
			key := keyChunk(l.org, l.long.ID, 0)
			return t.Put(key, sealBytes(key, famChunk, []byte{0xff}))
		},
	} {
		l := openLedger(t)
		l.raw(func(tx *tx) error { return damage(l, tx) })
		if _, err := l.Invoice(t.Context(), l.org, l.long.ID); err == nil || !strings.HasPrefix(err.Error(), text) {
			t.Errorf("got %v, want an error that begins %q", err, text)
		}
	}
}

func TestStoreWithMissingInvoicesDoesNotOpen(t *testing.T) {
	for text, key := range map[string]func(*ledger) []byte{
		"2 listed invoices found, 3 counted": func(l *ledger) []byte { return keyRow(l.org, l.draft.ID) },
		"0 parties found, 1 counted":         func(l *ledger) []byte { return keyParty(l.org, l.party.ID) },
	} {
		l := openLedger(t)
		l.raw(func(tx *tx) error { return tx.Delete(key(l)) })
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		_, err := Open(l.options)
		if err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("opening says %v, want %q", err, text)
		}
	}
}
