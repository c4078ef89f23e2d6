package storage

import (
	"slices"

	"exante/auth/uid"
	"exante/storage/index"
)

// invoices checks the parties, invoices, numbers, payments and catalogue of an
// organization, and that the lists in memory say the same.
func (v *verification) invoices(org uid.ID, c counts) {
	book := &invoiceBook{verification: v, org: org, counts: c, prices: map[string]uid.ID{}, parties: map[uid.ID]bool{}}
	book.readParties()
	book.readCatalogue()
	book.readInvoices()
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
		if record.ID.IsZero() || validAmount(record.UnitPrice) != "" {
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
		b.invoice(key, &i)
	})
	b.agree("invoices", in, found, b.counts.Invoices)
	for n, taken := range b.series {
		if !taken {
			b.find(keyCounts(b.org), "no invoice has place %d of the number series", n+1)
		}
	}
}

// invoice checks one invoice and what it refers to.
func (b *invoiceBook) invoice(key []byte, i *Invoice) {
	for _, fault := range i.faults() {
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
	b.place(key, i.series)
	b.payments += i.payments
	if i.Type != Receivable {
		return
	}
	b.listed++
	want := rowOf(i)
	if row, known := b.store.lists.Row(b.org, i.ID); !known || row != want {
		b.unlisted = append(b.unlisted, want)
	}
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

// faults are the rules that an invoice by itself breaks.
func (i *Invoice) faults() (faults []string) {
	t, err := sum(i.Lines, i.Tax)
	for _, rule := range []struct {
		broken bool
		fault  string
	}{
		{i.Version == 0, "has no version"},
		{i.Type.String() == "" || i.CollectionMethod.String() == "" || i.Status.String() == "", "has an unknown type, method or status"},
		{i.Status == Overdue, "is stored as OVERDUE"},
		{validCurrency(i.Currency) != "", "has an unknown currency"},
		{validAmount(i.Tax) != "", "has a tax out of range"},
		{len(i.Lines) > maxLines, "has more lines than an invoice has"},
		{slices.ContainsFunc(i.Lines, LineItem.isWrong), "has a line whose total is not quantity × price"},
		{err != nil || t != totals{i.Subtotal, i.Discount, i.Total}, "has totals other than its lines"},
		{dayOf(i.DueDate) < dayOf(i.IssueDate), "is due before its issue"},
		{i.SentAt.IsZero() != (i.Status.unsent() || i.Status == Cancelled), "was sent, or not, against its status"},
		{!i.SentAt.IsZero() && (i.Number == "" || i.Client.Name == ""), "was sent without a number or a client"},
		{i.SentAt.IsZero() && (i.series > 0 || i.Paid != 0), "has a place in the series, or was paid, before it was sent"},
		{i.Paid < 0 || i.Paid > i.Total || (i.Paid > 0) != (i.payments > 0), "has an amount paid against its total or its payments"},
		{(i.Status == Paid) == i.PaidDate.IsZero() || i.Status == Paid && i.Paid != i.Total, "is PAID, or not, against its amounts"},
		{i.Status == PartiallyPaid && (i.Paid == 0 || i.Paid == i.Total), "is PARTIALLY_PAID against its amounts"},
	} {
		if rule.broken {
			faults = append(faults, rule.fault)
		}
	}
	return faults
}

func (l LineItem) isWrong() bool {
	if l.Quantity < 0 || l.UnitPrice < 0 || l.Type.String() == "" {
		return true
	}
	total, fits := LineTotal(l.Quantity, l.UnitPrice)
	return !fits || total != l.Total
}
