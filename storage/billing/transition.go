package billing

import (
	"time"

	"exante/storage/input"
)

// Move gives the status sent, and reads paid_date, which goes with PAID alone. It
// comes after the other fields; wasOverdue says how the invoice read before them.
// Errors: *TransitionError, *LockedError, *input.InvalidError.
func (r *Revision) Move(p *InvoicePatch, wasOverdue bool) error {
	paying := p.Status != nil && *p.Status == Paid && r.Status != Paid
	if !paying {
		if set(r, "paid_date", &r.PaidDate, wholeSeconds(p.PaidDate), onlyWithPaid); r.Err() != nil {
			return r.Err()
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
		return input.Invalid("status", "OVERDUE is computed from the due date and can't be set")
	case to.String() == "":
		return input.Invalid("status", "is not known")
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

// NeedsNumber reports that the change is the first sending of an invoice without
// a number.
func (r *Revision) NeedsNumber() bool { return r.firstSent && r.Number == "" }

// GiveNumber gives the number with that place in the organization's series.
func (r *Revision) GiveNumber(place uint64) {
	r.Series = place
	r.Number = r.numbers.Number(r.SentAt.Year(), place)
	r.change("invoice_number")
}

func onlyWithPaid(time.Time) string { return "is taken with the status PAID alone" }

func (r *Revision) illegal(to Status) error {
	return &TransitionError{From: r.StatusAt(r.now), To: to, Actions: r.Actions()}
}

// settle pays what remains, if anything does, at the instant given or now.
func (r *Revision) settle(at *time.Time) error {
	paidAt := r.now.Truncate(time.Second)
	if at != nil && !at.IsZero() {
		paidAt = *at
	}
	if reason := validDate(paidAt); reason != "" {
		return input.Invalid("paid_date", reason)
	}
	if r.Remaining() > 0 {
		return r.pay(Payment{Amount: r.Remaining(), PaidAt: paidAt})
	}
	r.moveTo(Paid)
	r.paidOn(paidAt)
	return nil
}

func (r *Revision) moveTo(to Status) {
	if r.Status != to {
		r.Status = to
		r.change("status")
	}
}

func (r *Revision) paidOn(t time.Time) {
	r.PaidDate = t
	r.change("paid_date")
}
