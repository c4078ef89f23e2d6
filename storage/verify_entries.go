package storage

import "exante/auth/uid"

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
func (b *invoiceBook) core(key []byte, id uid.ID) (Invoice, bool) {
	i, _, err := readCore(b, b.org, id)
	b.check(key, missing(err, "invoice", keyInvoice(b.org, id)))
	return i, err == nil
}

// readPayments checks that the payments of each invoice come to what it says.
// They lie together, invoice by invoice.
func (b *invoiceBook) readPayments() {
	var invoice uid.ID
	var paid Cents
	count := 0
	settle := func() {
		if count == 0 {
			return
		}
		key := keyInvoice(b.org, invoice)
		if i, known := b.core(key, invoice); known && (i.Paid != paid || i.payments != count) {
			b.find(key, "has %d payments of %d in all, and says %d of %d", count, paid, i.payments, i.Paid)
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
		if record.Amount < 1 || record.Amount > MaxCents {
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
