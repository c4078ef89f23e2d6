package server

import (
	"time"

	"exante/storage"
	"exante/storage/billing"
)

func recordPayment(x *exchange) error {
	sent, err := readPayment(x.body())
	if err != nil {
		return err
	}
	p := post(x, &paymentRecorded)
	made, inv, err := x.store.RecordPayment(x.ctx(), x.by(), x.pathID(), sent.amount, sent.paidAt, sent.reference, x.ifMatch(), p.once)
	if err != nil {
		return err
	}
	return p.answer(storage.RecordedPayment{Payment: made, Invoice: inv})
}

var paymentRecorded = receipt[storage.RecordedPayment]{201, "Payment recorded",
	func(r storage.RecordedPayment) uint64 { return r.Invoice.Version },
	func(_ *exchange, w *jsonWriter, r storage.RecordedPayment, _ time.Time) { writePayment(w, &r.Payment) },
}

// listPayments pages through the payments of one invoice, which are few: 1,001 at most.
func listPayments(x *exchange) error {
	q := x.query()
	at := paging{}
	at.page, at.perPage = q.Page()
	if err := q.Done(); err != nil {
		return err
	}
	all, err := x.store.Payments(x.ctx(), x.org(), x.pathID())
	if err != nil {
		return err
	}
	at.total = len(all)
	return x.answer(200, "Payments retrieved", func(w *jsonWriter) {
		page(w, q, x.path.Path(), at, slice(all, at), writePayment)
	})
}

// slice is the page of a list that is all in memory.
func slice[T any](all []T, at paging) []T {
	from := min((at.page-1)*at.perPage, len(all))
	return all[from:min(from+at.perPage, len(all))]
}

// payment is the body of one, as it was sent.
type payment struct {
	amount    billing.Cents
	paidAt    time.Time // zero: now
	reference string
}

func readPayment(body []byte) (p payment, err error) {
	f, err := readObject(body)
	if err != nil {
		return p, err
	}
	f.require("amount_cents")
	if amount := f.integer("amount_cents", 1, int64(billing.MaxCents)); amount != nil {
		p.amount = billing.Cents(*amount)
	}
	if at := f.time("paid_at"); at != nil {
		p.paidAt = *at
	}
	p.reference = orEmpty(f.textOrNull("reference", length{0, 200}))
	return p, f.done()
}
