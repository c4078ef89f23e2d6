package billing

import (
	"fmt"
	"time"

	"exante/storage/input"
)

// History is what happened to an invoice before it was brought here; nil: not said.
type History struct {
	CreatedAt *time.Time // default: now
	SentAt    *time.Time // default: now, if it was sent
	Paid      *Cents     // until now; default: all of a PAID invoice, nothing of another
	PaidDate  *time.Time // when a PAID invoice was; default: now; zero: not said

	Subtotal, Discount, Total *Cents // as they were there: what the lines do not add up to is refused
}

// BeginPast is Begin for an invoice with a history: it was made when that says.
func BeginPast(i *Invoice, p *InvoicePatch, h *History, now time.Time, numbers NumberPattern) *Revision {
	begun := now
	if h.CreatedAt != nil {
		begun = *h.CreatedAt
	}
	i.CreatedAt = begun
	r := Begin(i, p, begun, numbers)
	r.now = now
	r.mustBePast("created_at", h.CreatedAt)
	r.mustBePast("sent_at", h.SentAt)
	return r
}

func (r *Revision) mustBePast(name string, t *time.Time) {
	switch {
	case t == nil:
	case validDate(*t) != "":
		r.Refused.Add(name, validDate(*t))
	case t.After(r.now):
		r.Refused.Add(name, "must not be in the future")
	}
}

// Relive takes a new invoice, complete but for its status, through the moves and
// the payment that lead to the status sent. number gives it a number where the
// sending needs one. Errors: *TransitionError, *input.InvalidError, number's own.
func (r *Revision) Relive(h *History, sent *Status, number func() error) error {
	to := Draft
	if sent != nil {
		to = *sent
	}
	if r.compare(h); !wasSent(to) {
		r.refuseSending(h)
	}
	if to != Paid && h.PaidDate != nil && !h.PaidDate.IsZero() {
		r.Refused.Add("paid_date", onlyWithPaid(*h.PaidDate))
	}
	if err := r.Err(); err != nil {
		return err
	}
	if !wasSent(to) {
		return r.step(to, nil)
	}
	if err := r.send(h, number); err != nil {
		return err
	}
	return r.arrive(h, to)
}

// wasSent reports a status that only a sent invoice has.
func wasSent(s Status) bool { return !s.unsent() && s != Cancelled && s.String() != "" }

// compare refuses sums that the lines do not come to.
func (r *Revision) compare(h *History) {
	for _, sum := range []struct {
		name string
		said *Cents
		is   Cents
	}{{"subtotal_cents", h.Subtotal, r.Subtotal}, {"discount_cents", h.Discount, r.Discount}, {"total_cents", h.Total, r.Total}} {
		if sum.said != nil && *sum.said != sum.is {
			r.Refused.Add(sum.name, fmt.Sprintf("is %d, and the lines and the tax come to %d", *sum.said, sum.is))
		}
	}
}

// refuseSending refuses what only happens to an invoice that is sent.
func (r *Revision) refuseSending(h *History) {
	const reason = "is taken with a status after the sending alone"
	if h.SentAt != nil {
		r.Refused.Add("sent_at", reason)
	}
	if h.Paid != nil && *h.Paid != 0 {
		r.Refused.Add("amount_paid_cents", reason)
	}
}

// send is the first sending, when it was.
func (r *Revision) send(h *History, number func() error) error {
	now := r.now
	if h.SentAt != nil {
		r.now = *h.SentAt
	}
	err := r.step(Sent, nil)
	r.now = now
	if err != nil || !r.NeedsNumber() {
		return err
	}
	return number()
}

// arrive takes a sent invoice where it has come to.
func (r *Revision) arrive(h *History, to Status) error {
	if to == Paid {
		if h.Paid != nil && *h.Paid != r.Due() {
			return input.Invalid("amount_paid_cents", fmt.Sprintf("is not the %d that are due on a PAID invoice", r.Due()))
		}
		return r.step(Paid, h.PaidDate)
	}
	if h.Paid != nil && *h.Paid != 0 {
		if err := r.TakePayment(*h.Paid, time.Time{}, ""); err != nil {
			return renamed(err)
		}
	}
	switch {
	case to == Overdue:
		return r.Move(&InvoicePatch{Status: &to}, r.StatusAt(r.now) == Overdue)
	case to == Sent && r.Status == PartiallyPaid: // and disputed in between
		if err := r.step(Disputed, nil); err != nil {
			return err
		}
	}
	return r.step(to, nil)
}

// step is one move.
func (r *Revision) step(to Status, paid *time.Time) error {
	return r.Move(&InvoicePatch{Status: &to, PaidDate: paid}, false)
}

// renamed puts the name of a history's field in the place of a payment's.
func renamed(err error) error {
	if invalid, ok := err.(*input.InvalidError); ok {
		for i := range invalid.Problems {
			if p := &invalid.Problems[i]; p.Path == "amount_cents" {
				p.Path = "amount_paid_cents"
			}
		}
	}
	return err
}
