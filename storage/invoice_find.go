package storage

import (
	"context"
	"errors"

	"exante/auth/uid"
	"exante/storage/billing"
	"exante/storage/input"
	"exante/storage/kv"
)

// How an operator names an invoice: he is in no organization, and reads its number.

// InvoiceOrg is the organization of the invoice with that uid; ErrNotFound.
func (s *Store) InvoiceOrg(ctx context.Context, id uid.ID) (uid.ID, error) {
	var found uid.ID
	err := s.db.View(ctx, func(r kv.Reader) error {
		orgs, err := allOrgs(r)
		if err != nil {
			return err
		}
		for _, org := range orgs {
			_, err := r.Get(keyInvoice(org.ID, id))
			if err == nil {
				found = org.ID
				return nil
			}
			if !errors.Is(err, kv.ErrNotFound) {
				return err
			}
		}
		return ErrNotFound
	})
	return found, err
}

// InvoiceNumbered is the uid of the invoice with that number; ErrNotFound.
func (s *Store) InvoiceNumbered(ctx context.Context, org uid.ID, number string) (uid.ID, error) {
	clean, reason := input.Text(number, 1, billing.MaxNumber)
	if reason != "" {
		return uid.ID{}, ErrNotFound
	}
	var rec numberRecord
	err := s.db.View(ctx, func(r kv.Reader) error { return get(r, keyNumber(org, clean), famNumber, &rec) })
	return rec.Invoice, err
}
