package server

import (
	"fmt"

	"exante/storage"
)

// maxBulk is how many invoices one bulk call may name.
const maxBulk = 100

func updateInvoices(x *exchange) error {
	changes, err := readInvoiceChanges(x.body())
	if err != nil {
		return err
	}
	if err := x.matchNothing(); err != nil {
		return err
	}
	invoices, err := x.store.UpdateInvoices(x.ctx(), x.by(), changes)
	if err != nil {
		return err
	}
	now := x.options.Now()
	return x.answer(200, fmt.Sprintf("Successfully updated %d invoice(s)", len(invoices)), func(w *jsonWriter) {
		w.open('[')
		for i := range invoices {
			writeInvoice(w, &invoices[i], now)
		}
		w.close(']')
	})
}

func deleteInvoices(x *exchange) error {
	ids, err := readIDs(x.body(), maxBulk)
	if err != nil {
		return err
	}
	if err := x.matchNothing(); err != nil {
		return err
	}
	if err := x.store.DeleteInvoices(x.ctx(), x.by(), ids); err != nil {
		return err
	}
	return x.answer(200, fmt.Sprintf("Successfully deleted %d invoice(s)", len(ids)), empty)
}

// matchNothing refuses an If-Match that names a version: a collection has none,
// so the caller believes in a protection that he does not get.
func (x *exchange) matchNothing() error {
	if x.ifMatch() != 0 {
		return storage.ErrConflict
	}
	return nil
}

// readInvoiceChanges reads an array of 1 to 100 invoices with the fields to change.
func readInvoiceChanges(body []byte) ([]storage.InvoiceChange, error) {
	if err := checkJSON(body); err != nil {
		return nil, err
	}
	p := &problems{}
	changes := readEach(p, "", body, maxBulk, func(f *fields, i int) storage.InvoiceChange {
		return storage.InvoiceChange{ID: readSubject(f, i), Patch: readChangedInvoice(f)}
	})
	return changes, p.err()
}

// elementDetails are what is wrong with each element of a batch, one string a
// field.
func elementDetails(batch *storage.BatchError) []string {
	var list []string
	for _, e := range batch.Elements {
		for _, text := range details(e.Err) {
			list = append(list, fmt.Sprintf("[%d].%s", e.Index, text))
		}
	}
	return list[:min(len(list), maxProblems)]
}
