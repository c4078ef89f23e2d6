package dashboard

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"net/http"
	"time"

	"exante/auth/uid"
	"exante/storage"
	"exante/storage/billing"
	"exante/storage/input"
)

// paymentPage takes a payment that came in.
type paymentPage struct {
	invoiceRow
	Form *form
	Once string // names this form: sent twice, it is one payment
}

func askPayment(v *visit) error {
	inv, err := v.invoice()
	if err != nil {
		return err
	}
	f := v.blank()
	f.set("amount", inv.Remaining().Format(inv.Currency))
	f.set("paid_at", v.now.UTC().Format(time.DateOnly))
	return v.showPayment(http.StatusOK, &inv, f)
}

// showPayment asks for a payment of inv under a new name.
func (v *visit) showPayment(status int, inv *billing.Invoice, f *form) error {
	p := paymentPage{invoiceRow: rowOf(inv, v.now), Form: f, Once: rand.Text()}
	if !p.Payable() {
		status = http.StatusConflict
		f.object("This invoice takes no payment: it is " + p.Word.InText() + ".")
	}
	return v.show(status, "payment", "Record a payment", p)
}

func recordPayment(v *visit) error {
	f := v.form()
	inv, err := v.invoice()
	if err != nil {
		return err
	}
	version, _ := f.version()
	amount, paidAt := f.payment(&inv)
	once := v.once(f, inv.ID)
	if once == nil {
		f.object("This form is not complete. Fill it in again.")
	}
	if !f.ok() {
		return v.showPayment(http.StatusUnprocessableEntity, &inv, f)
	}
	_, _, err = v.store.RecordPayment(v.req.Context, v.by(), inv.ID, amount, paidAt, f.value("reference"), version, once)
	var replay *storage.ReplayError
	switch {
	case errors.As(err, &replay): // the same form, sent again
	case errors.Is(err, storage.ErrReused):
		f.object("This form was sent before, with something else in it, and that payment is recorded. Send it again to record another.")
		return v.showPayment(http.StatusConflict, &inv, f)
	case err != nil:
		return v.refusePayment(f, amount, err)
	}
	v.say("payment-recorded")
	return v.goTo("/invoices/" + inv.ID.String())
}

// refusePayment shows the form and the invoice as it is now.
func (v *visit) refusePayment(f *form, amount billing.Cents, refusal error) error {
	inv, err := v.invoice()
	if err != nil {
		return err
	}
	status := http.StatusUnprocessableEntity
	if errors.Is(refusal, storage.ErrConflict) {
		status = http.StatusConflict
	}
	if rest := inv.Remaining(); rest > 0 && amount > rest {
		f.refuse("amount", "Only "+money(rest, inv.Currency)+" remain.")
	}
	if refusal, _ = f.takeRule(refusal, "amount_cents", "paid_at", "reference"); refusal != nil {
		return refusal
	}
	if reason := f.Error("amount_cents"); reason != "" {
		f.refuse("amount", reason)
	}
	return v.showPayment(status, &inv, f)
}

// payment reads the amount, in the currency of inv, and the date.
func (f *form) payment(inv *billing.Invoice) (amount billing.Cents, paidAt time.Time) {
	amount, reason := billing.ParseAmount(f.value("amount"), inv.Currency)
	switch {
	case f.value("amount") == "":
		f.refuse("amount", "Say how much came in.")
	case reason != "":
		f.refuse("amount", sentence(reason))
	case amount == 0:
		f.refuse("amount", "Must be more than nothing.")
	}
	if text := f.value("paid_at"); text != "" {
		var ok bool
		if paidAt, _, ok = input.Time(text); !ok {
			f.refuse("paid_at", "Must be a date such as 2026-11-23.")
		}
	}
	return amount, paidAt
}

// once keeps a form from doing twice what it does: its name, of who is signed in
// and for one invoice, and all that was typed. nil: it has none.
func (v *visit) once(f *form, inv uid.ID) *storage.Once[storage.RecordedPayment] {
	const least, most = 16, 64
	name := f.value("once")
	if len(name) < least || len(name) > most {
		return nil
	}
	typed := bytes.Join([][]byte{[]byte(f.value("amount")), []byte(f.value("paid_at")), []byte(f.value("reference"))}, []byte{0})
	return &storage.Once[storage.RecordedPayment]{
		ID:          sha256.Sum256(bytes.Join([][]byte{[]byte("exante payment form v1"), v.user.ID[:], inv[:], []byte(name)}, []byte{0})),
		Fingerprint: sha256.Sum256(typed),
		Render:      func(storage.RecordedPayment) storage.Answer { return storage.Answer{Status: http.StatusCreated} },
	}
}
