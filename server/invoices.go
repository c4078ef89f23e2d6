package server

import (
	"bytes"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"exante/server/filter"
	"exante/storage"
	"exante/storage/billing"
	"exante/storage/input"
)

func getInvoice(x *exchange) error {
	r, err := x.store.RenderedInvoice(x.ctx(), x.org(), x.pathID(), x.render)
	if err != nil {
		return err
	}
	return x.tag(r.Version).send(200, r.Body)
}

// renderInvoice makes the whole answer to getInvoice, which the store keeps for as
// long as it is true.
func (s *Server) renderInvoice(inv *billing.Invoice, now time.Time) ([]byte, error) {
	w := s.newWriter()
	defer s.free(w)
	w.success(200, "Invoice retrieved", func(w *jsonWriter) { writeInvoice(w, inv, now) })
	return bytes.Clone(w.buf), nil
}

func createInvoice(x *exchange) error {
	patch, err := readInvoice(x.body(), true)
	if err != nil {
		return err
	}
	p := post(x, &invoiceCreated)
	inv, err := x.store.CreateInvoice(x.ctx(), x.by(), patch, p.once)
	if err != nil {
		return err
	}
	return p.answer(inv)
}

var invoiceCreated = receipt[billing.Invoice]{201, "Invoice created",
	func(inv billing.Invoice) uint64 { return inv.Version },
	func(_ *exchange, w *jsonWriter, inv billing.Invoice, now time.Time) { writeInvoice(w, &inv, now) },
}

func updateInvoice(x *exchange) error {
	patch, err := readInvoice(x.body(), false)
	if err != nil {
		return err
	}
	inv, err := x.store.UpdateInvoice(x.ctx(), x.by(), x.pathID(), patch, x.ifMatch())
	if err != nil {
		return err
	}
	return x.answerInvoice(200, "Invoice updated", &inv)
}

func listInvoices(x *exchange) error {
	q := x.query()
	iq, walk, err := x.readInvoiceList(q)
	if err != nil {
		return err
	}
	found, err := x.store.Invoices(x.ctx(), x.org(), iq)
	if err != nil {
		return err
	}
	at := paging{page: iq.Page, perPage: iq.PerPage, total: found.Total, walk: walk}
	if walk {
		at.next = x.cursorOf(q, found.Next)
	}
	return x.answer(200, "Invoices retrieved", func(w *jsonWriter) {
		page(w, q, "/api/invoices", at, found.Items, itemAt(x.options.Now()))
	})
}

// readInvoiceList reads the parameters of the list; walk says that it goes by
// cursors.
func (x *exchange) readInvoiceList(q *filter.Query) (iq storage.InvoiceQuery, walk bool, err error) {
	iq = filter.Invoices(q)
	_, numbered := q.TakeEmpty("page")
	iq.Page, iq.PerPage = q.Page()
	if iq.After, walk = x.readCursor(q); walk && numbered {
		q.Refuse("page", "does not go with a cursor")
	}
	return iq, walk, q.Done()
}

func itemAt(now time.Time) func(*jsonWriter, *billing.Invoice) {
	return func(w *jsonWriter, inv *billing.Invoice) { writeInvoiceItem(w, inv, now) }
}

func (x *exchange) answerInvoice(status int, message string, inv *billing.Invoice) error {
	now := x.options.Now()
	return x.tag(inv.Version).answer(status, message, func(w *jsonWriter) { writeInvoice(w, inv, now) })
}

var (
	typeWords    = []string{"ACCOUNTS_RECEIVABLE", "ACCOUNTS_PAYABLE"}
	contextWords = []string{"PRODUCT", "DISCOUNT"}
)

// readInvoice reads the body of a creation or an update: all fields of the one but
// owner and type, and paid_date.
func readInvoice(body []byte, creation bool) (billing.InvoicePatch, error) {
	f, err := readObject(body)
	if err != nil {
		return billing.InvoicePatch{}, err
	}
	if creation {
		p := readNewInvoice(f)
		return p, f.done()
	}
	p := readChangedInvoice(f)
	return p, f.done()
}

func readNewInvoice(f *fields) billing.InvoicePatch {
	f.require("target_party_uid")
	p := readInvoicePatch(f)
	p.OwnerID = f.id("owner_uid")
	p.Type = word(f, "invoice_type", billing.ParseInvoiceType, typeWords)
	p.Lines = readInvoiceLines(f)
	return p
}

func readChangedInvoice(f *fields) billing.InvoicePatch {
	p := readInvoicePatch(f)
	p.PaidDate = f.timeOrNull("paid_date")
	f.refuse("owner_uid", "is set at creation")
	f.refuse("invoice_type", "is set at creation")
	f.refuse("line_items", "have routes of their own: /api/invoices/{uid}/line_items")
	return p
}

// readInvoicePatch reads what creation and update share.
func readInvoicePatch(f *fields) billing.InvoicePatch {
	return billing.InvoicePatch{
		PartyID:          f.id("target_party_uid"),
		DocumentID:       f.idOrNull("document_uid"),
		BlueprintID:      f.idOrNull("invoice_blueprint_uid"),
		IssueDate:        f.time("issue_date"),
		DueDate:          f.time("due_date"),
		Number:           f.textOrNull("invoice_number", length{1, 64}),
		Status:           word(f, "status", billing.ParseStatus, filter.StatusWords),
		Currency:         readCurrency(f),
		CollectionMethod: word(f, "collection_method", billing.ParseCollectionMethod, filter.MethodWords),
		Fields:           readInvoiceFields(f),
		Tax:              f.cents("tax_cents"),
	}
}

func readCurrency(f *fields) *billing.Currency {
	return word(f, "currency", billing.ParseCurrency, filter.CurrencyWords)
}

const maxInvoiceFields = 100

// readInvoiceFields keeps each value as compact JSON, its numbers digit for digit.
// null clears.
func readInvoiceFields(f *fields) *[]billing.Field {
	if f.tookNull("invoice_fields") {
		return new([]billing.Field)
	}
	v, sent := f.take("invoice_fields")
	if !sent {
		return nil
	}
	if kindOf(v) != '{' {
		f.bad("invoice_fields", "must be an object")
		return nil
	}
	members, _ := membersOf(v)
	if len(members) > maxInvoiceFields {
		f.bad("invoice_fields", "must have at most %d keys", maxInvoiceFields)
		return nil
	}
	list := make([]billing.Field, 0, len(members))
	for _, m := range members {
		value, err := jsontext.AppendFormat(nil, m.value)
		if err != nil {
			f.bad("invoice_fields."+input.ShortName(m.name), "is not JSON")
			continue
		}
		list = append(list, billing.Field{Key: m.name, JSON: value})
	}
	return &list
}
