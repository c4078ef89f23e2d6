package storage

import (
	"context"
	"time"

	"exante/auth"
	"exante/auth/uid"
	"exante/storage/billing"
	"exante/storage/kv"
)

type paymentRecord struct {
	Amount    billing.Cents `cbor:"1,keyasint"`
	PaidAt    stamp         `cbor:"2,keyasint"`
	Reference string        `cbor:"3,keyasint,omitempty"`
	CreatedAt stamp         `cbor:"4,keyasint"`
}

func paymentRecordOf(p *billing.Payment) paymentRecord {
	return paymentRecord{p.Amount, stampOf(p.PaidAt), p.Reference, stampOf(p.CreatedAt)}
}

// payment is the record as the rules know it, but for the currency, which its
// invoice has.
func (r *paymentRecord) payment(invoice, id uid.ID) billing.Payment {
	return billing.Payment{
		ID: id, InvoiceID: invoice, Amount: r.Amount, PaidAt: r.PaidAt.time(), Reference: r.Reference, CreatedAt: r.CreatedAt.time(),
	}
}

// RecordPayment takes a payment on an invoice that reads SENT, OVERDUE,
// PARTIALLY_PAID or DISPUTED, and makes it PARTIALLY_PAID or PAID. A zero paidAt
// is now. Errors: ErrNotFound, ErrConflict, *billing.TransitionError,
// *input.InvalidError (no amount, more than remains), and those of Once.
func (s *Store) RecordPayment(ctx context.Context, by auth.Principal, inv uid.ID, amount billing.Cents, paidAt time.Time, reference string, ifMatch uint64, once ...*Once[RecordedPayment]) (billing.Payment, billing.Invoice, error) {
	var payment *billing.Payment
	r := revising{action: invoicePay, id: inv, ifMatch: ifMatch, change: func(t *tx, r *billing.Revision) error {
		err := r.TakePayment(amount, paidAt, reference)
		payment = r.Payment
		return err
	}}
	var made RecordedPayment
	err := s.update(ctx, by, only(once).around(&made, func(t *tx) error {
		if err := r.run(t); err != nil {
			return err
		}
		made = RecordedPayment{*payment, r.Invoice}
		return nil
	}))
	if err != nil {
		return billing.Payment{}, billing.Invoice{}, s.lost(ctx, err, by.OrgID, r.absent...)
	}
	return made.Payment, made.Invoice, nil
}

// RecordedPayment is a new payment and the invoice with it.
type RecordedPayment struct {
	Payment billing.Payment
	Invoice billing.Invoice
}

// insertPayment writes a payment that a revision made.
func (t *tx) insertPayment(p *billing.Payment) (err error) {
	if p.ID, err = t.store.ids.New(); err != nil {
		return err
	}
	record := paymentRecordOf(p)
	if err := insert(t, keyPayment(t.by.OrgID, p.InvoiceID, p.ID), famPayment, &record); err != nil {
		return err
	}
	return t.count(func(c *counts) { c.Payments++ })
}

// Payments are all payments of an invoice, in the order they were recorded; ErrNotFound.
func (s *Store) Payments(ctx context.Context, org, inv uid.ID) ([]billing.Payment, error) {
	payments := []billing.Payment{}
	err := s.db.View(ctx, func(r kv.Reader) error {
		i, _, err := readCore(r, org, inv)
		if err != nil {
			return err
		}
		err = scanPayments(r, inFamily(org, famPayment, inv[:]), func(p *billing.Payment) error {
			p.Currency = i.Currency
			payments = append(payments, *p)
			return nil
		})
		if err != nil {
			return err
		}
		return agree("payments of invoice "+inv.String(), len(payments), uint64(i.Payments))
	})
	return payments, err
}

// scanPayments reads the payments of a range, by invoice and creation.
func scanPayments(r kv.Reader, in kv.Range, fn func(*billing.Payment) error) error {
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
