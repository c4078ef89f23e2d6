package storage

import (
	"context"
	"time"

	"exante/auth"
	"exante/auth/uid"
	"exante/storage/kv"
)

// Payment is money that came in for an invoice, in its currency.
type Payment struct {
	ID, InvoiceID uid.ID
	Amount        Cents // at least 1
	PaidAt        time.Time
	Reference     string // the client's own, 0..200 characters
	CreatedAt     time.Time
}

type paymentRecord struct {
	Amount    Cents  `cbor:"1,keyasint"`
	PaidAt    stamp  `cbor:"2,keyasint"`
	Reference string `cbor:"3,keyasint,omitempty"`
	CreatedAt stamp  `cbor:"4,keyasint"`
}

func (p *Payment) record() paymentRecord {
	return paymentRecord{p.Amount, stampOf(p.PaidAt), p.Reference, stampOf(p.CreatedAt)}
}

func (r *paymentRecord) payment(invoice, id uid.ID) Payment {
	return Payment{id, invoice, r.Amount, r.PaidAt.time(), r.Reference, r.CreatedAt.time()}
}

// RecordPayment takes a payment on an invoice that reads SENT, OVERDUE,
// PARTIALLY_PAID or DISPUTED, and makes it PARTIALLY_PAID or PAID. A zero paidAt
// is now. Errors: ErrNotFound, ErrConflict, *TransitionError, *InvalidError (no
// amount, more than remains).
func (s *Store) RecordPayment(ctx context.Context, by auth.Principal, inv uid.ID, amount Cents, paidAt time.Time, reference string, ifMatch uint64) (Payment, Invoice, error) {
	var made *Payment
	out, err := s.revise(ctx, by, invoicePay, inv, ifMatch, func(t *tx, r *revision) error {
		p := Payment{Amount: amount, PaidAt: paidAt, Reference: r.refused.text("reference", reference, 0, 200)}
		if paidAt.IsZero() {
			p.PaidAt = t.now
		}
		p.PaidAt = *wholeSeconds(&p.PaidAt)
		if reason := validDate(p.PaidAt); reason != "" {
			r.refused.add("paid_at", reason)
		}
		if err := r.err(); err != nil {
			return err
		}
		err := r.pay(p)
		made = r.payment
		return err
	})
	if err != nil {
		return Payment{}, Invoice{}, err
	}
	return *made, out, nil
}

// insertPayment writes a payment that r.pay made.
func (t *tx) insertPayment(p *Payment) (err error) {
	if p.ID, err = t.store.ids.New(); err != nil {
		return err
	}
	record := p.record()
	if err := insert(t, keyPayment(t.by.OrgID, p.InvoiceID, p.ID), famPayment, &record); err != nil {
		return err
	}
	return t.count(func(c *counts) { c.Payments++ })
}

// Payments are all payments of an invoice, in the order they were recorded; ErrNotFound.
func (s *Store) Payments(ctx context.Context, org, inv uid.ID) ([]Payment, error) {
	payments := []Payment{}
	err := s.db.View(ctx, func(r kv.Reader) error {
		i, _, err := readCore(r, org, inv)
		if err != nil {
			return err
		}
		err = scanPayments(r, inFamily(org, famPayment, inv[:]), func(p *Payment) error {
			payments = append(payments, *p)
			return nil
		})
		if err != nil {
			return err
		}
		return agree("payments of invoice "+inv.String(), len(payments), uint64(i.payments))
	})
	return payments, err
}

// scanPayments reads the payments of a range, by invoice and creation.
func scanPayments(r kv.Reader, in kv.Range, fn func(*Payment) error) error {
	return scan(r, in, famPayment, func(key []byte, record *paymentRecord) error {
		invoice, err := idAt(key, orgKeyHead)
		if err != nil {
			return err
		}
		id, err := idAt(key, orgKeyHead+len(invoice))
		if err != nil {
			return err
		}
		p := record.payment(invoice, id)
		return fn(&p)
	})
}
