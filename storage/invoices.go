package storage

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"exante/auth"
	"exante/auth/uid"
	"exante/storage/billing"
	"exante/storage/bodies"
	"exante/storage/kv"
)

// CreateInvoice makes an invoice. It begins as a draft; a status sent is the
// first move, so it must be one that a draft may make. Errors:
// *input.InvalidError, *ExistsError on invoice_number, *billing.TransitionError,
// ErrTooLarge.
func (s *Store) CreateInvoice(ctx context.Context, by auth.Principal, p billing.InvoicePatch) (billing.Invoice, error) {
	id, err := s.ids.New()
	if err != nil {
		return billing.Invoice{}, err
	}
	var made storedInvoice
	err = s.update(ctx, by, func(t *tx) error {
		var org orgRecord
		if err := get(t, keyOrg(by.OrgID), famOrg, &org); err != nil {
			return err
		}
		made = storedInvoice{Invoice: billing.NewInvoice(by.OrgID, id, org.Currency, t.now)}
		r, err := t.draft(&made.Invoice, &p)
		if err != nil {
			return err
		}
		if err := t.count(func(c *counts) { c.Invoices++ }); err != nil {
			return err
		}
		return t.write(r, &made, invoiceCreate)
	})
	return made.Invoice, err
}

// draft makes of i what p asks for.
func (t *tx) draft(i *billing.Invoice, p *billing.InvoicePatch) (*billing.Revision, error) {
	r := billing.Begin(i, p, t.now, t.store.numbers)
	if err := t.takeOwner(r, p.OwnerID); err != nil {
		return nil, err
	}
	if err := t.amend(r, p); err != nil {
		return nil, err
	}
	if p.Lines != nil {
		if err := t.appendLines(r, *p.Lines, "line_items"); err != nil {
			return nil, err
		}
	}
	return r, t.move(r, p, false)
}

// Invoice is one invoice of an organization; ErrNotFound.
func (s *Store) Invoice(ctx context.Context, org, id uid.ID) (billing.Invoice, error) {
	var i storedInvoice
	read := func(r kv.Reader) (err error) {
		i, err = readInvoice(r, org, id)
		return err
	}
	err := s.db.View(ctx, read)
	if errors.Is(err, ErrNotFound) { // once more, for it may have come since the first snapshot
		err = s.lost(org, id, s.db.View(ctx, read))
	}
	return i.Invoice, err
}

// lost turns the absence of an invoice that the lists know into ErrCorrupt: a
// block that can't be read looks like one without the key, and a caller who is
// told "no such record" would delete his copy.
func (s *Store) lost(org, id uid.ID, err error) error {
	if _, known := s.lists.Row(org, id); known && errors.Is(err, ErrNotFound) {
		return fmt.Errorf("%w: invoice %s is listed and can't be read", ErrCorrupt, id)
	}
	return err
}

// UpdateInvoice changes the fields sent; what has its value already is no
// change, and an update without a change writes nothing. The other fields come
// before the status. ifMatch 0: any version. Errors: ErrNotFound, ErrConflict,
// *billing.LockedError, *billing.TransitionError, *input.InvalidError,
// *ExistsError.
func (s *Store) UpdateInvoice(ctx context.Context, by auth.Principal, id uid.ID, p billing.InvoicePatch, ifMatch uint64) (billing.Invoice, error) {
	return s.revise(ctx, by, invoiceUpdate, id, ifMatch, func(t *tx, r *billing.Revision) error {
		wasOverdue := r.StatusAt(t.now) == billing.Overdue
		if err := t.amend(r, &p); err != nil {
			return err
		}
		return t.move(r, &p, wasOverdue)
	})
}

// revise changes one invoice of by's organization in one transaction, and
// returns it as it is after that.
func (s *Store) revise(ctx context.Context, by auth.Principal, a Action, id uid.ID, ifMatch uint64, change func(*tx, *billing.Revision) error) (billing.Invoice, error) {
	var i storedInvoice
	err := s.update(ctx, by, func(t *tx) (err error) {
		if i, err = readInvoice(t, by.OrgID, id); err != nil {
			return s.lost(by.OrgID, id, err)
		}
		if ifMatch != 0 && ifMatch != i.Version {
			return ErrConflict
		}
		r := billing.Revise(&i.Invoice, t.now, s.numbers)
		if err := change(t, r); err != nil || len(r.Changed()) == 0 {
			return err
		}
		return t.write(r, &i, a)
	})
	return i.Invoice, err
}

// write records i as r made it, with the payment and an audit record, and has the
// list and the bodies follow once it is durable.
func (t *tx) write(r *billing.Revision, i *storedInvoice, a Action) error {
	i.Version++
	i.UpdatedAt = t.now
	if r.Payment != nil {
		if err := t.insertPayment(r.Payment); err != nil {
			return err
		}
	}
	if err := putInvoice(t, i); err != nil {
		return err
	}
	if err := t.audit(a, i.ID, Detail{"fields": strings.Join(r.Changed(), " ")}); err != nil {
		return err
	}
	store, org, id := t.store, i.OrgID, i.ID
	row, listed := rowOf(&i.Invoice), i.Type == billing.Receivable
	t.OnCommit(func() {
		if listed {
			store.lists.Put(org, row)
		}
		store.bodies.Drop(bodies.Key{Org: org, ID: id})
	})
	return nil
}

// Rendered is an encoded response body and the version it was made from.
type Rendered struct {
	Body    []byte // shared: read-only
	Version uint64
}

// RenderedInvoice answers from memory while that is true at this instant; else it
// reads the invoice, renders it as it reads now, and remembers the bytes, which
// render must not keep. Errors: ErrNotFound, and render's own.
func (s *Store) RenderedInvoice(ctx context.Context, org, id uid.ID, render func(inv *billing.Invoice, now time.Time) ([]byte, error)) (Rendered, error) {
	now, key := s.now(), bodies.Key{Org: org, ID: id}
	if b, known := s.bodies.Get(key, now); known {
		return Rendered{b.Bytes, b.Version}, nil
	}
	fill := s.bodies.Begin(key)
	inv, err := s.Invoice(ctx, org, id)
	if err != nil {
		return Rendered{}, err
	}
	body, err := render(&inv, now)
	if err != nil {
		return Rendered{}, err
	}
	b := bodies.Body{Bytes: body, Version: inv.Version, From: now, Until: inv.TrueUntil(now)}
	if inv.SentAt.IsZero() {
		b.Shows = inv.PartyID
	}
	fill.Put(b)
	return Rendered{body, inv.Version}, nil
}
