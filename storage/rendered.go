package storage

import (
	"context"
	"time"

	"exante/auth/uid"
	"exante/storage/bodies"
)

// Rendered is an encoded response body and the version it was made from.
type Rendered struct {
	Body    []byte // shared: read-only
	Version uint64
}

// RenderedInvoice answers from memory while that is true at this instant; else it
// reads the invoice, renders it as it reads now, and remembers the bytes, which
// render must not keep. Errors: ErrNotFound, and render's own.
func (s *Store) RenderedInvoice(ctx context.Context, org, id uid.ID, render func(inv *Invoice, now time.Time) ([]byte, error)) (Rendered, error) {
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
