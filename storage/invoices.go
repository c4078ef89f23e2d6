package storage

import (
	"context"
	"strings"

	"exante/auth"
	"exante/auth/uid"
	"exante/storage/bodies"
	"exante/storage/kv"
)

// CreateInvoice makes an invoice. It begins as a draft; a status sent is the
// first move, so it must be one that a draft may make. Errors: *InvalidError,
// *ExistsError on invoice_number, *TransitionError, ErrTooLarge.
func (s *Store) CreateInvoice(ctx context.Context, by auth.Principal, p InvoicePatch) (Invoice, error) {
	id, err := s.ids.New()
	if err != nil {
		return Invoice{}, err
	}
	var out Invoice
	err = s.update(ctx, by, func(t *tx) error {
		var org orgRecord
		if err := get(t, keyOrg(by.OrgID), famOrg, &org); err != nil {
			return err
		}
		out = Invoice{
			ID: id, OrgID: by.OrgID, Type: Receivable, Status: Draft, CollectionMethod: SendInvoice,
			Currency: org.Currency, CreatedAt: t.now,
		}
		r := &revision{Invoice: &out, now: t.now, numbers: s.numbers, isNew: true}
		if err := t.draft(r, &p); err != nil {
			return err
		}
		if err := t.count(func(c *counts) { c.Invoices++ }); err != nil {
			return err
		}
		return t.write(r, invoiceCreate)
	})
	return out, err
}

// draft makes of r what p asks for.
func (t *tx) draft(r *revision, p *InvoicePatch) error {
	r.begin(p)
	if err := t.takeOwner(r, p.OwnerID); err != nil {
		return err
	}
	if err := t.amend(r, p); err != nil {
		return err
	}
	if p.Lines != nil {
		if err := t.appendLines(r, *p.Lines, "line_items"); err != nil {
			return err
		}
	}
	return t.move(r, p, false)
}

// Invoice is one invoice of an organization; ErrNotFound.
func (s *Store) Invoice(ctx context.Context, org, id uid.ID) (Invoice, error) {
	var i Invoice
	err := s.db.View(ctx, func(r kv.Reader) (err error) {
		i, err = readInvoice(r, org, id)
		return err
	})
	return i, err
}

// UpdateInvoice changes the fields sent; what has its value already is no
// change, and an update without a change writes nothing. The other fields come
// before the status. ifMatch 0: any version. Errors: ErrNotFound, ErrConflict,
// *LockedError, *InvalidError, *ExistsError, *TransitionError.
func (s *Store) UpdateInvoice(ctx context.Context, by auth.Principal, id uid.ID, p InvoicePatch, ifMatch uint64) (Invoice, error) {
	return s.revise(ctx, by, invoiceUpdate, id, ifMatch, func(t *tx, r *revision) error {
		wasOverdue := r.StatusAt(t.now) == Overdue
		r.refuseCreationOnly(&p)
		if err := t.amend(r, &p); err != nil {
			return err
		}
		return t.move(r, &p, wasOverdue)
	})
}

// revise changes one invoice of by's organization in one transaction, and
// returns it as it is after that.
func (s *Store) revise(ctx context.Context, by auth.Principal, a Action, id uid.ID, ifMatch uint64, change func(*tx, *revision) error) (Invoice, error) {
	var out Invoice
	err := s.update(ctx, by, func(t *tx) (err error) {
		if out, err = readInvoice(t, by.OrgID, id); err != nil {
			return err
		}
		if ifMatch != 0 && ifMatch != out.Version {
			return ErrConflict
		}
		r := &revision{Invoice: &out, now: t.now, numbers: s.numbers}
		if err := change(t, r); err != nil || len(r.changed) == 0 {
			return err
		}
		return t.write(r, a)
	})
	return out, err
}

// write records the revision, its payment and its audit record, and has the list
// and the bodies follow once it is durable.
func (t *tx) write(r *revision, a Action) error {
	r.Version++
	r.UpdatedAt = t.now
	if r.payment != nil {
		if err := t.insertPayment(r.payment); err != nil {
			return err
		}
	}
	if err := putInvoice(t, r.Invoice); err != nil {
		return err
	}
	if err := t.audit(a, r.ID, Detail{"fields": strings.Join(r.changed, " ")}); err != nil {
		return err
	}
	store, org, id := t.store, r.OrgID, r.ID
	row, listed := rowOf(r.Invoice), r.Type == Receivable
	t.OnCommit(func() {
		if listed {
			store.lists.Put(org, row)
		}
		store.bodies.Drop(bodies.Key{Org: org, ID: id})
	})
	return nil
}
