package storage

import (
	"errors"

	"exante/auth/uid"
	"exante/storage/billing"
	"exante/storage/index"
	"exante/storage/kv"
)

// invoices checks the parties, invoices, numbers, payments and catalogue of an
// organization, and that the lists in memory say the same.
func (v *verification) invoices(org uid.ID, c counts) {
	book := &invoiceBook{verification: v, org: org, counts: c, prices: map[string]uid.ID{}, parties: map[uid.ID]bool{}}
	book.readParties()
	book.readCatalogue()
	book.readInvoices()
	book.readRows()
	book.readNumbers()
	book.readPayments()
	book.readChunks()
	book.compareLists()
}

// invoiceBook is what the verification of one organization's invoices remembers
// from one family for the next.
type invoiceBook struct {
	*verification
	org    uid.ID
	counts counts

	parties  map[uid.ID]bool
	prices   map[string]uid.ID // catalogue entries by their key
	series   []bool            // places of the number series that an invoice has
	payments int               // that invoices say they have
	listed   int               // receivable invoices
	unlisted []index.Row       // of invoices that the list does not have as they are
	unnamed  []index.Name      // of parties, the same
}

func (b *invoiceBook) readParties() {
	in := inFamily(b.org, famParty)
	found := each(b.verification, in, famParty, func(key []byte, record *partyRecord) {
		id, err := idAt(key, orgKeyHead)
		if err != nil {
			return // survey named it
		}
		b.parties[id] = true
		if record.Version == 0 || record.Name == "" {
			b.find(key, "has no version or no name")
		}
		p := record.party(b.org, id)
		want := nameRowOf(&p)
		if name, known := b.store.parties.Get(b.org, id); !known || name != want {
			b.unnamed = append(b.unnamed, want)
		}
	})
	b.agree("parties", in, found, b.counts.Parties)
}

func (b *invoiceBook) readCatalogue() {
	in := inFamily(b.org, famCatalogue)
	found := each(b.verification, in, famCatalogue, func(key []byte, record *catalogueRecord) {
		b.prices[string(key)] = record.ID
		if record.ID.IsZero() || !record.UnitPrice.Valid() {
			b.find(key, "has no uid, or a price of %d", record.UnitPrice)
		}
	})
	b.agree("catalogue entries", in, found, b.counts.Catalogue)
}

func (b *invoiceBook) readInvoices() {
	if b.counts.LastSeries <= b.counts.Numbers {
		b.series = make([]bool, b.counts.LastSeries)
	}
	in := inFamily(b.org, famInvoice)
	found := b.eachValue(in, func(key, value []byte) {
		core, follows, err := openCore(key, value)
		id, _ := idAt(key, orgKeyHead)
		i := core.invoice(b.org, id)
		if err == nil {
			err = readDetail(b, &i, follows)
		}
		if err != nil {
			b.find(key, "%v", err)
			return
		}
		b.invoice(key, &i.Invoice)
	})
	b.agree("invoices", in, found, b.counts.Invoices)
	for n, taken := range b.series {
		if !taken {
			b.find(keyCounts(b.org), "no invoice has place %d of the number series", n+1)
		}
	}
}

// invoice checks one invoice and what it refers to.
func (b *invoiceBook) invoice(key []byte, i *billing.Invoice) {
	for _, fault := range i.Faults() {
		b.find(key, "%s", fault)
	}
	if !b.parties[i.PartyID] {
		b.find(key, "refers to party %s, which does not exist", i.PartyID)
	}
	b.refers(key, keyUser(b.org, i.OwnerID), famUser, &userRecord{})
	var number numberRecord
	if i.Number != "" && b.refers(key, keyNumber(b.org, i.Number), famNumber, &number) && number.Invoice != i.ID {
		b.find(key, "has number %q, which is entered for invoice %s", i.Number, number.Invoice)
	}
	for n := range i.Lines {
		l := &i.Lines[n]
		if b.prices[string(keyCatalogue(b.org, l.Type, i.Currency, l.SKU))] != l.TypeID {
			b.find(key, "line %d is of another catalogue entry than its own", n)
		}
	}
	b.place(key, i.Series)
	b.payments += i.Payments
	if i.Type != billing.Receivable {
		return
	}
	b.listed++
	want := rowOf(i)
	b.row(&want)
	if row, known := b.store.lists.Row(b.org, i.ID); !known || row != want {
		b.unlisted = append(b.unlisted, want)
	}
}

// row checks the record of a row, from which the list is made at the next start.
func (b *invoiceBook) row(want *index.Row) {
	key := keyRow(b.org, want.ID)
	value, err := b.Get(key)
	if errors.Is(err, kv.ErrNotFound) {
		err = missing(ErrNotFound, "row", key)
	}
	var row index.Row
	if err == nil {
		row, err = openRow(key, value)
	}
	if b.check(key, err); err == nil && row != *want {
		b.find(key, "does not say what its invoice says")
	}
}

// readRows checks that there is no row beyond those of the invoices.
func (b *invoiceBook) readRows() {
	in := inFamily(b.org, famRow)
	found := b.eachValue(in, func([]byte, []byte) {})
	b.agree("listed invoices", in, found, b.counts.Rows)
	b.agree("receivable invoices", in, b.listed, b.counts.Rows)
}

// place notes the invoice's place in the number series.
func (b *invoiceBook) place(key []byte, n uint64) {
	switch {
	case n == 0:
	case n > b.counts.LastSeries:
		b.find(key, "has place %d of the number series, which has come to %d", n, b.counts.LastSeries)
	case b.series == nil:
		b.find(key, "has a place in the number series, which has come further than there are numbers")
	case b.series[n-1]:
		b.find(key, "has place %d of the number series, as another invoice does", n)
	default:
		b.series[n-1] = true
	}
}

// readNumbers checks that every number is that of the invoice it is entered for.
func (b *invoiceBook) readNumbers() {
	in := inFamily(b.org, famNumber)
	found := each(b.verification, in, famNumber, func(key []byte, record *numberRecord) {
		i, known := b.core(key, record.Invoice)
		if known && i.Number != string(key[orgKeyHead:]) {
			b.find(key, "is entered for invoice %s, which has number %q", i.ID, i.Number)
		}
	})
	b.agree("invoice numbers", in, found, b.counts.Numbers)
}

// core reads an invoice that key refers to, but for its lines and fields.
func (b *invoiceBook) core(key []byte, id uid.ID) (storedInvoice, bool) {
	i, _, err := readCore(b, b.org, id)
	b.check(key, missing(err, "invoice", keyInvoice(b.org, id)))
	return i, err == nil
}

// readPayments checks that the payments of each invoice come to what it says.
// They lie together, invoice by invoice.
func (b *invoiceBook) readPayments() {
	var invoice uid.ID
	var paid billing.Cents
	count := 0
	settle := func() {
		if count == 0 {
			return
		}
		key := keyInvoice(b.org, invoice)
		if i, known := b.core(key, invoice); known && (i.Paid != paid || i.Payments != count) {
			b.find(key, "has %d payments of %d in all, and says %d of %d", count, paid, i.Payments, i.Paid)
		}
		paid, count = 0, 0
	}
	in := inFamily(b.org, famPayment)
	found := each(b.verification, in, famPayment, func(key []byte, record *paymentRecord) {
		of, err := idAt(key, orgKeyHead)
		if err != nil {
			return
		}
		if of != invoice {
			settle()
		}
		if record.Amount < 1 || record.Amount > billing.MaxCents {
			b.find(key, "is of %d", record.Amount)
		}
		invoice, paid, count = of, paid+record.Amount, count+1
	})
	settle()
	b.agree("payments", in, found, b.counts.Payments)
	b.agree("payments named by invoices", in, b.payments, b.counts.Payments)
}

// readChunks checks that every chunk is one of its invoice; that an invoice has
// all of its own was seen when it was read.
func (b *invoiceBook) readChunks() {
	b.eachValue(inFamily(b.org, famChunk), func(key, _ []byte) {
		id, err := idAt(key, orgKeyHead)
		if err != nil {
			return
		}
		i, known := b.core(key, id)
		if known && string(key) >= string(keyChunk(b.org, id, i.chunks)) {
			b.find(key, "is beyond the %d chunks of its invoice", i.chunks)
		}
	})
}

// compareLists reports what the lists in memory do not have as it is on disk.
func (b *invoiceBook) compareLists() {
	if !b.still() {
		return
	}
	for _, want := range b.unlisted {
		if row, known := b.store.lists.Row(b.org, want.ID); !known || row != want {
			b.find(keyInvoice(b.org, want.ID), "is not in the list in memory as it is on disk")
		}
	}
	for _, want := range b.unnamed {
		if name, known := b.store.parties.Get(b.org, want.ID); !known || name != want {
			b.find(keyParty(b.org, want.ID), "is not in the list in memory as it is on disk")
		}
	}
	if b.store.lists.Len(b.org) != b.listed || b.store.parties.Len(b.org) != len(b.parties) {
		b.find(keyCounts(b.org), "the lists in memory have records that are not on disk")
	}
}
