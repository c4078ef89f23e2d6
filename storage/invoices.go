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
// ErrTooLarge, and those of Once.
func (s *Store) CreateInvoice(ctx context.Context, by auth.Principal, p billing.InvoicePatch, once ...*Once[billing.Invoice]) (billing.Invoice, error) {
	id, err := s.ids.New()
	if err != nil {
		return billing.Invoice{}, err
	}
	var made storedInvoice
	err = s.update(ctx, by, only(once).around(&made.Invoice, func(t *tx) error {
		var org orgRecord
		if err := get(t, keyOrg(by.OrgID), famOrg, &org); err != nil {
			return err
		}
		made = storedInvoice{Invoice: billing.NewInvoice(by.OrgID, id, org.Currency, t.now)}
		r, err := t.draft(&made.Invoice, &p)
		if err != nil {
			return err
		}
		if err := t.countInvoice(&made.Invoice, 1); err != nil {
			return err
		}
		return t.write(r, &made, invoiceCreate)
	}))
	return made.Invoice, err
}

// countInvoice notes that i has come (1) or goes (-1).
func (t *tx) countInvoice(i *billing.Invoice, n int) error {
	return t.count(func(c *counts) {
		c.Invoices += uint64(n)
		if i.Type == billing.Receivable {
			c.Rows += uint64(n)
		}
	})
}

// draft makes of i what p asks for.
func (t *tx) draft(i *billing.Invoice, p *billing.InvoicePatch) (*billing.Revision, error) {
	r := billing.Begin(i, p, t.now, t.store.numbers)
	if err := t.compose(r, p); err != nil {
		return nil, err
	}
	return r, t.move(r, p, false)
}

// compose gives a new invoice all that p says but for the status.
func (t *tx) compose(r *billing.Revision, p *billing.InvoicePatch) error {
	if err := t.takeOwner(r, p.OwnerID); err != nil {
		return err
	}
	if err := t.amend(r, p); err != nil || p.Lines == nil {
		return err
	}
	return t.appendLines(r, *p.Lines, "line_items")
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
		err = s.db.View(ctx, read)
	}
	if errors.Is(err, ErrNotFound) {
		err = s.lost(ctx, err, org, id)
	}
	return i.Invoice, err
}

// lost is ErrCorrupt if one of these absent invoices is known to the lists, and
// else err: a block that can't be read looks like one without the key, and a caller who is
// told "no such record" would delete his copy. The lists follow a deletion a
// moment after it can be read, so they are looked at again once they have.
func (s *Store) lost(ctx context.Context, err error, org uid.ID, absent ...uid.ID) error {
	listed := func() (id uid.ID, known bool) {
		for _, id = range absent {
			if _, known = s.lists.Row(org, id); known {
				return id, true
			}
		}
		return id, false
	}
	if _, known := listed(); !known {
		return err
	}
	if err := s.settle(ctx); err != nil {
		return err
	}
	id, known := listed()
	if !known {
		return err
	}
	damage := s.db.View(ctx, func(r kv.Reader) error {
		if _, reading := r.Get(keyInvoice(org, id)); !errors.Is(reading, kv.ErrNotFound) {
			return reading // it came meanwhile
		}
		return fmt.Errorf("%w: invoice %s is listed and can't be read", ErrCorrupt, id)
	})
	if damage != nil {
		return damage
	}
	return err
}

// UpdateInvoice changes the fields sent; what has its value already is no
// change, and an update without a change writes nothing. The other fields come
// before the status. ifMatch 0: any version. Errors: ErrNotFound, ErrConflict,
// *billing.LockedError, *billing.TransitionError, *input.InvalidError,
// *ExistsError.
func (s *Store) UpdateInvoice(ctx context.Context, by auth.Principal, id uid.ID, p billing.InvoicePatch, ifMatch uint64) (billing.Invoice, error) {
	return s.revise(ctx, by, invoiceUpdate, id, ifMatch, func(t *tx, r *billing.Revision) error { return t.apply(r, &p) })
}

// revise changes one invoice of by's organization in one transaction, and
// returns it as it is after that.
func (s *Store) revise(ctx context.Context, by auth.Principal, a Action, id uid.ID, ifMatch uint64, change func(*tx, *billing.Revision) error) (billing.Invoice, error) {
	r := revising{action: a, id: id, ifMatch: ifMatch, change: change}
	err := s.update(ctx, by, r.run)
	return r.Invoice, s.lost(ctx, err, by.OrgID, r.absent...)
}

// revising is the change of one invoice, and what came of it.
type revising struct {
	action  Action
	id      uid.ID
	ifMatch uint64
	change  func(*tx, *billing.Revision) error

	storedInvoice          // as it is after that
	absent        []uid.ID // id, if there is no such invoice
}

func (r *revising) run(t *tx) (err error) {
	if r.storedInvoice, r.absent, err = t.take(r.id, r.ifMatch); err != nil {
		return err
	}
	return t.revise(&r.storedInvoice, r.action, func(b *billing.Revision) error { return r.change(t, b) })
}

// take reads an invoice that is to be changed. absent is its id, if there is none.
func (t *tx) take(id uid.ID, ifMatch uint64) (i storedInvoice, absent []uid.ID, err error) {
	i, err = readInvoice(t, t.by.OrgID, id)
	switch {
	case errors.Is(err, ErrNotFound):
		return i, []uid.ID{id}, err
	case err == nil && ifMatch != 0 && ifMatch != i.Version:
		return i, nil, ErrConflict
	}
	return i, nil, err
}

// revise changes i and writes it, if anything changed.
func (t *tx) revise(i *storedInvoice, a Action, change func(*billing.Revision) error) error {
	r := billing.Revise(&i.Invoice, t.now, t.store.numbers)
	if err := change(r); err != nil || len(r.Changed()) == 0 {
		return err
	}
	return t.write(r, i, a)
}

// write records i as r made it, with the payment.
func (t *tx) write(r *billing.Revision, i *storedInvoice, a Action) error {
	if err := t.pay(r); err != nil {
		return err
	}
	return t.advance(i, a, Detail{"fields": strings.Join(r.Changed(), " ")})
}

// pay records the payment that r made, if it did.
func (t *tx) pay(r *billing.Revision) error {
	if r.Payment == nil {
		return nil
	}
	return t.insertPayment(r.Payment)
}

// advance writes i as its next version, with an audit record, and has the list and
// the bodies follow once it is durable.
func (t *tx) advance(i *storedInvoice, a Action, d Detail) error {
	if err := t.putNext(i); err != nil {
		return err
	}
	if err := t.audit(a, i.ID, d); err != nil {
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

// putNext writes i as its next version.
func (t *tx) putNext(i *storedInvoice) error {
	i.Version++
	i.UpdatedAt = t.now
	return putInvoice(t, i)
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
