package storage

import (
	"context"

	"exante/auth/uid"
	"exante/storage/billing"
	"exante/storage/kv"
)

// walkBatch is how many invoices a walk reads from one snapshot and holds at once:
// 25 of the longest are a few megabytes.
const walkBatch = 25

// InvoiceWalk reads many invoices, one batch after the other, in memory that does
// not grow with them but for 16 bytes each. It is for one goroutine.
type InvoiceWalk struct {
	store *Store
	org   uid.ID
	ids   []uid.ID // still to come
	total int
}

// WalkInvoices begins a walk over the receivable invoices that match, in the order
// of q, whose page is not looked at. Which they are and in which order is settled
// here; each is read as it is when its turn comes.
func (s *Store) WalkInvoices(org uid.ID, q InvoiceQuery) *InvoiceWalk {
	ids := s.lists.All(org, q.query(s.now()))
	return &InvoiceWalk{store: s, org: org, ids: ids, total: len(ids)}
}

// Len is how many invoices matched.
func (w *InvoiceWalk) Len() int { return w.total }

// Next is the next batch, whole; none at the end. An invoice that was deleted since
// the beginning is left out. Errors: ErrCorrupt, ctx's own.
func (w *InvoiceWalk) Next(ctx context.Context) ([]billing.Invoice, error) {
	for len(w.ids) > 0 {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		ids := w.ids[:min(walkBatch, len(w.ids))]
		w.ids = w.ids[len(ids):]
		batch, err := w.read(ctx, ids)
		if err != nil || len(batch) > 0 {
			return batch, err
		}
	}
	return nil, nil
}

// read reads invoices from one snapshot.
func (w *InvoiceWalk) read(ctx context.Context, ids []uid.ID) (batch []billing.Invoice, err error) {
	var absent []uid.ID
	err = w.store.db.View(ctx, func(r kv.Reader) error {
		batch, absent, err = readListed(r, w.org, ids, true)
		return err
	})
	if err == nil {
		err = w.store.lost(ctx, nil, w.org, absent...)
	}
	return batch, err
}
