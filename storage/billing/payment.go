package billing

import (
	"fmt"
	"time"

	"exante/auth/uid"
	"exante/storage/input"
)

// Payment is money that came in for an invoice, in its currency.
type Payment struct {
	ID, InvoiceID uid.ID
	Amount        Cents // at least 1
	PaidAt        time.Time
	Reference     string // the client's own, 0..200 characters
	CreatedAt     time.Time
	Currency      Currency // of the invoice
}

// maxPayments bounds what one invoice collects. A payment that settles it is
// always taken.
const maxPayments = 1000

// TakePayment takes a payment that came in, and makes the invoice PARTIALLY_PAID
// or PAID. A zero paidAt is now. Errors: *TransitionError, *input.InvalidError (no
// amount, more than remains).
func (r *Revision) TakePayment(amount Cents, paidAt time.Time, reference string) error {
	p := Payment{Amount: amount, PaidAt: paidAt, Reference: r.Refused.Text("reference", reference, 0, 200)}
	if paidAt.IsZero() {
		p.PaidAt = r.now
	}
	p.PaidAt = *wholeSeconds(&p.PaidAt)
	if reason := validDate(p.PaidAt); reason != "" {
		r.Refused.Add("paid_at", reason)
	}
	if err := r.Err(); err != nil {
		return err
	}
	return r.pay(p)
}

// pay takes a payment, and moves the status with it.
func (r *Revision) pay(p Payment) error {
	to := PartiallyPaid
	if p.Amount == r.Remaining() {
		to = Paid
	}
	switch {
	case !r.Status.payable():
		return r.illegal(to)
	case p.Amount < 1:
		return input.Invalid("amount_cents", "must be at least 1")
	case p.Amount > r.Remaining():
		return input.Invalid("amount_cents", fmt.Sprintf("is more than the %d that remain", r.Remaining()))
	case r.Payments >= maxPayments && to != Paid:
		return input.Invalid("amount_cents", "an invoice takes at most 1000 payments, but for the one that settles it")
	}
	r.Paid += p.Amount
	r.Payments++
	r.change("payments")
	if r.moveTo(to); to == Paid {
		r.paidOn(p.PaidAt)
	}
	p.InvoiceID, p.CreatedAt, p.Currency = r.ID, r.now, r.Currency
	r.Payment = &p
	return nil
}
