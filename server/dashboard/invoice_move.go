package dashboard

import (
	"errors"
	"net/http"
	"strconv"

	"exante/storage"
	"exante/storage/billing"
)

// move is a change of status that a person makes, and what he is told before.
type move struct {
	to      billing.Status
	page    string // its template
	title   string
	word    string // said when it is done
	illegal string
}

var (
	sending = move{billing.Sent, "invoice_send", "Send invoice", "invoice-sent", "This invoice can't be sent: it is "}
	voiding = move{billing.Void, "invoice_void", "Void invoice", "invoice-void", "This invoice can't be made void: it is "}
)

// movePage asks whether an invoice is to be moved.
type movePage struct {
	invoiceRow
	Form  *form
	Legal bool
}

func askToSend(v *visit) error   { return sending.ask(v) }
func sendInvoice(v *visit) error { return sending.carryOut(v) }
func askToVoid(v *visit) error   { return voiding.ask(v) }
func voidInvoice(v *visit) error { return voiding.carryOut(v) }

func (m move) ask(v *visit) error { return m.show(v, http.StatusOK, v.blank()) }

// show asks with the invoice as it is now.
func (m move) show(v *visit, status int, f *form) error {
	inv, err := v.invoice()
	if err != nil {
		return err
	}
	p := movePage{invoiceRow: rowOf(&inv, v.now), Form: f}
	if p.Legal = p.May(m.to.String()); !p.Legal {
		status = http.StatusConflict
		f.object(m.illegal + p.Word.InText() + ".")
	}
	return v.show(status, m.page, m.title, p)
}

// carryOut moves the invoice that was shown: if it is another by now, it asks again.
func (m move) carryOut(v *visit) error {
	f := v.form()
	version, ok := f.version()
	if !ok {
		return m.show(v, http.StatusUnprocessableEntity, f)
	}
	_, err := v.store.UpdateInvoice(v.req.Context, v.by(), v.pathID(), billing.InvoicePatch{Status: &m.to}, version)
	var invalid bool
	if err, invalid = f.takeRule(err); err != nil {
		return err
	}
	if invalid {
		return m.show(v, http.StatusConflict, f)
	}
	v.say(m.word)
	return v.goTo("/invoices/" + v.pathID().String())
}

// version reads the hidden field that says which state of a record was shown.
func (f *form) version() (version uint64, ok bool) {
	version, err := strconv.ParseUint(f.value("version"), 10, 64)
	if err != nil || version == 0 {
		f.object(changedMeanwhile)
		return 0, false
	}
	return version, true
}

const changedMeanwhile = "It has changed meanwhile. This is how it is now: look at it again."

// object says what is wrong with no field of the form.
func (f *form) object(reason string) {
	f.general = append(f.general, reason)
}

// takeRule is take for what the rules of invoices say: refused reports that they
// did. Any other error comes back.
func (f *form) takeRule(err error, names ...string) (other error, refused bool) {
	var transition *billing.TransitionError
	switch {
	case err == nil:
		return nil, false
	case errors.Is(err, storage.ErrConflict):
		f.object(changedMeanwhile)
		return nil, true
	case errors.As(err, &transition):
		return nil, true // what is shown anew says so
	}
	return f.take(err, names...), true
}
