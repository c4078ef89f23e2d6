package storage

import (
	"context"
	"errors"
	"fmt"

	"exante/auth"
	"exante/auth/uid"
	"exante/storage/billing"
	"exante/storage/bodies"
	"exante/storage/input"
)

// Bulk calls act on all invoices of an array or on none. They look at every
// element before they refuse, so that one answer names all that is wrong.

// InvoiceChange is one element of a bulk update.
type InvoiceChange struct {
	ID    uid.ID
	Patch billing.InvoicePatch
}

// UpdateInvoices makes all changes in one transaction, in their order, and
// returns the invoices in that order. Errors: *MissingError, *input.InvalidError
// for an invoice that is named twice, ErrTooLarge, and a *BatchError of what
// UpdateInvoice says of single elements.
func (s *Store) UpdateInvoices(ctx context.Context, by auth.Principal, changes []InvoiceChange) ([]billing.Invoice, error) {
	var updated []billing.Invoice
	err := s.batch(ctx, by, len(changes), func(n int) uid.ID { return changes[n].ID }, func(t *tx, n int, i *storedInvoice) error {
		if n == 0 {
			updated = make([]billing.Invoice, 0, len(changes))
		}
		err := t.revise(i, invoiceUpdate, func(r *billing.Revision) error { return t.apply(r, &changes[n].Patch) })
		updated = append(updated, i.Invoice)
		return err
	})
	if err != nil {
		return nil, err
	}
	return updated, nil
}

// DeleteInvoices deletes drafts. Errors as UpdateInvoices; an element that is no
// draft is billing.ErrNotDeletable.
func (s *Store) DeleteInvoices(ctx context.Context, by auth.Principal, ids []uid.ID) error {
	return s.batch(ctx, by, len(ids), func(n int) uid.ID { return ids[n] }, func(t *tx, _ int, i *storedInvoice) error {
		return t.deleteInvoice(i)
	})
}

// batch reads n invoices and does something to each, in one transaction. It goes
// on after an element that a rule refuses, to learn what else is wrong; nothing
// of it is then kept.
func (s *Store) batch(ctx context.Context, by auth.Principal, n int, id func(n int) uid.ID, do func(t *tx, n int, i *storedInvoice) error) error {
	var absent []uid.ID
	err := s.update(ctx, by, func(t *tx) (err error) {
		invoices, missing, err := t.readAll(n, id)
		if absent = missing; err != nil {
			return err
		}
		var refused BatchError
		for at := range invoices {
			err := do(t, at, &invoices[at])
			switch {
			case err != nil && !isRefusal(err):
				return err
			case err != nil:
				refused.Elements = append(refused.Elements, ElementError{at, err})
			}
		}
		return refused.err()
	})
	return s.lost(ctx, err, by.OrgID, absent...)
}

// readAll reads the invoices of an array, each of which must exist and stand in
// it once. missing are those that do not exist.
func (t *tx) readAll(n int, id func(n int) uid.ID) (invoices []storedInvoice, missing []uid.ID, err error) {
	var absent, twice input.Refusals
	seen := make(map[uid.ID]bool, n)
	for at := range n {
		if seen[id(at)] {
			twice.Add(fmt.Sprintf("[%d]", at), "names the same invoice again")
			continue
		}
		seen[id(at)] = true
		i, err := readInvoice(t, t.by.OrgID, id(at))
		switch {
		case errors.Is(err, ErrNotFound):
			absent.Add(fmt.Sprintf("[%d]", at), "not found")
			missing = append(missing, id(at))
		case err != nil:
			return nil, nil, err
		}
		invoices = append(invoices, i)
	}
	if len(absent) > 0 {
		return nil, missing, &MissingError{absent}
	}
	return invoices, nil, twice.Err()
}

// isRefusal reports whether err is what the rules say of one invoice, and no
// failure of the whole.
func isRefusal(err error) bool {
	for _, refusal := range []error{input.ErrInvalid, ErrExists, billing.ErrTransition, billing.ErrLockedFields, billing.ErrNotDeletable} {
		if errors.Is(err, refusal) {
			return true
		}
	}
	return false
}

// deleteInvoice removes a draft and all that belongs to it.
func (t *tx) deleteInvoice(i *storedInvoice) error {
	if !i.Deletable() {
		return billing.ErrNotDeletable
	}
	if err := t.releaseNumber(i.OrgID, i.Number); err != nil {
		return err
	}
	if err := putChunks(t, i, nil); err != nil {
		return err
	}
	if err := errors.Join(t.Delete(keyInvoice(i.OrgID, i.ID)), t.Delete(keyRow(i.OrgID, i.ID))); err != nil {
		return err
	}
	if err := t.unlinkAttachments(i.ID); err != nil {
		return err
	}
	if err := t.countInvoice(&i.Invoice, -1); err != nil {
		return err
	}
	if err := t.audit(invoiceDelete, i.ID, nil); err != nil {
		return err
	}
	store, org, id := t.store, i.OrgID, i.ID
	t.OnCommit(func() {
		store.lists.Remove(org, id)
		store.bodies.Drop(bodies.Key{Org: org, ID: id})
	})
	return nil
}
