package storage

import (
	"fmt"
	"time"
)

// maxPayments bounds what one invoice collects. A payment that settles it is
// always taken.
const maxPayments = 1000

// applyStatus moves to the status sent, and reads paid_date, which goes with
// PAID alone. It comes after the other fields; wasOverdue says how the invoice
// read before them.
func (r *revision) applyStatus(p *InvoicePatch, wasOverdue bool) error {
	paying := p.Status != nil && *p.Status == Paid && r.Status != Paid
	if !paying {
		if set(r, "paid_date", &r.PaidDate, wholeSeconds(p.PaidDate), onlyWithPaid); r.err() != nil {
			return r.err()
		}
	}
	if p.Status == nil || *p.Status == r.Status {
		return nil
	}
	to := *p.Status
	switch {
	case to == Overdue && wasOverdue:
		return nil
	case to == Overdue:
		return Invalid("status", "OVERDUE is computed from the due date and can't be set")
	case to.String() == "":
		return Invalid("status", "is not known")
	case !r.mayBecome(to):
		return r.illegal(to)
	case to == Paid:
		return r.settle(wholeSeconds(p.PaidDate))
	}
	r.moveTo(to)
	if to == Sent && r.SentAt.IsZero() {
		r.SentAt, r.firstSent = r.now, true
	}
	return nil
}

func onlyWithPaid(time.Time) string { return "is taken with the status PAID alone" }

func (r *revision) illegal(to Status) error {
	return &TransitionError{From: r.StatusAt(r.now), To: to, Actions: r.Actions()}
}

// settle pays what remains, if anything does, at the instant given or now.
func (r *revision) settle(at *time.Time) error {
	paidAt := r.now.Truncate(time.Second)
	if at != nil && !at.IsZero() {
		paidAt = *at
	}
	if reason := validDate(paidAt); reason != "" {
		return Invalid("paid_date", reason)
	}
	if r.Remaining() > 0 {
		return r.pay(Payment{Amount: r.Remaining(), PaidAt: paidAt})
	}
	r.moveTo(Paid)
	r.paidOn(paidAt)
	return nil
}

func (r *revision) moveTo(to Status) {
	if r.Status != to {
		r.Status = to
		r.change("status")
	}
}

func (r *revision) paidOn(t time.Time) {
	r.PaidDate = t
	r.change("paid_date")
}

// pay takes a payment, and moves the status with it.
func (r *revision) pay(p Payment) error {
	to := PartiallyPaid
	if p.Amount == r.Remaining() {
		to = Paid
	}
	switch {
	case !r.Status.payable():
		return r.illegal(to)
	case p.Amount < 1:
		return Invalid("amount_cents", "must be at least 1")
	case p.Amount > r.Remaining():
		return Invalid("amount_cents", fmt.Sprintf("is more than the %d that remain", r.Remaining()))
	case r.payments >= maxPayments && to != Paid:
		return Invalid("amount_cents", "an invoice takes at most 1000 payments, but for the one that settles it")
	}
	r.Paid += p.Amount
	r.payments++
	r.change("payments")
	if r.moveTo(to); to == Paid {
		r.paidOn(p.PaidAt)
	}
	p.InvoiceID, p.CreatedAt = r.ID, r.now
	r.payment = &p
	return nil
}
