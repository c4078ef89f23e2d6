package admin

import (
	"context"
	"errors"
	"fmt"
	"time"

	"exante/auth/uid"
	"exante/storage"
	"exante/storage/billing"
	"exante/storage/input"
)

// Invoice implements Ops.
func (l Local) Invoice(ctx context.Context, in InvoiceRef) (InvoiceAnswer, error) {
	inv, err := l.findInvoice(ctx, in)
	return l.answer(inv, nil, err)
}

// SendInvoice implements Ops.
func (l Local) SendInvoice(ctx context.Context, in InvoiceRef) (InvoiceAnswer, error) {
	return l.moveInvoice(ctx, "send", in, billing.Sent)
}

// VoidInvoice implements Ops.
func (l Local) VoidInvoice(ctx context.Context, in InvoiceRef) (InvoiceAnswer, error) {
	return l.moveInvoice(ctx, "void", in, billing.Void)
}

// moveInvoice gives an invoice another status; verb says what that is.
func (l Local) moveInvoice(ctx context.Context, verb string, in InvoiceRef, to billing.Status) (InvoiceAnswer, error) {
	inv, err := l.findInvoice(ctx, in)
	if err != nil {
		return InvoiceAnswer{}, err
	}
	inv, err = l.store.UpdateInvoice(ctx, l.by.In(inv.OrgID), inv.ID, billing.InvoicePatch{Status: &to}, 0)
	if err != nil {
		return InvoiceAnswer{}, fmt.Errorf("%s invoice %s: %w", verb, in.Invoice, err)
	}
	return l.answer(inv, nil, nil)
}

// PayInvoice implements Ops.
func (l Local) PayInvoice(ctx context.Context, in PayRequest) (InvoiceAnswer, error) {
	inv, err := l.findInvoice(ctx, in.InvoiceRef)
	if err != nil {
		return InvoiceAnswer{}, err
	}
	amount, paidAt, err := in.read(inv.Currency)
	if err != nil {
		return InvoiceAnswer{}, err
	}
	p, inv, err := l.store.RecordPayment(ctx, l.by.In(inv.OrgID), inv.ID, amount, paidAt, in.Reference, 0)
	if err != nil {
		return InvoiceAnswer{}, fmt.Errorf("pay invoice %s: %w", in.Invoice, err)
	}
	return l.answer(inv, &p, nil)
}

// read is the amount and the time that are asked for. The store judges them.
func (in PayRequest) read(c billing.Currency) (amount billing.Cents, paidAt time.Time, err error) {
	var refused input.Refusals
	switch {
	case (in.Amount == "") == (in.AmountCents == nil):
		refused.Add("amount", "is needed: give it or amount_cents")
	case in.AmountCents != nil && !billing.Cents(*in.AmountCents).Valid():
		refused.Add("amount_cents", fmt.Sprintf("must be 1 to %d", billing.MaxCents))
	case in.AmountCents != nil:
		amount = billing.Cents(*in.AmountCents)
	default:
		var reason string
		if amount, reason = billing.ParseAmount(in.Amount, c); reason != "" {
			refused.Add("amount", reason)
		}
	}
	if in.PaidAt != "" {
		if paidAt, err = parseTime(in.PaidAt); err != nil {
			refused.Add("paid_at", err.Error())
		}
	}
	return amount, paidAt, refused.Err()
}

// answer is inv, and p if there is a payment, in the forms of the API.
func (l Local) answer(inv billing.Invoice, p *billing.Payment, err error) (InvoiceAnswer, error) {
	if err != nil {
		return InvoiceAnswer{}, err
	}
	a := InvoiceAnswer{Invoice: l.wire.Invoice(&inv, l.now())}
	if p != nil {
		a.Payment = l.wire.Payment(p)
	}
	return a, nil
}

// findInvoice is the invoice with that uid, or that number.
func (l Local) findInvoice(ctx context.Context, in InvoiceRef) (billing.Invoice, error) {
	org, id, err := l.invoiceNamed(ctx, in)
	if err != nil {
		return billing.Invoice{}, err
	}
	inv, err := l.store.Invoice(ctx, org, id)
	if err != nil {
		err = fmt.Errorf("invoice %q: %w", in.Invoice, err)
	}
	return inv, err
}

// invoiceNamed is where the invoice of in lies. A uid names one of the instance, a
// number one of an organization.
func (l Local) invoiceNamed(ctx context.Context, in InvoiceRef) (org, id uid.ID, err error) {
	id, err = uid.Parse(in.Invoice)
	switch {
	case err == nil && in.Org == "":
		org, err = l.store.InvoiceOrg(ctx, id)
	case err == nil:
		org, err = l.namedOrg(ctx, in.Org)
		return org, id, err
	default:
		if org, err = l.oneOrg(ctx, in.Org); err != nil {
			return org, id, err
		}
		id, err = l.store.InvoiceNumbered(ctx, org, in.Invoice)
	}
	if errors.Is(err, storage.ErrNotFound) {
		err = fmt.Errorf("invoice %q: %w", in.Invoice, err)
	}
	return org, id, err
}
