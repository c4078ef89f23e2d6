package dashboard

import (
	"encoding/json"
	"net/http"
	"slices"

	"exante/auth/uid"
	"exante/storage"
	"exante/storage/billing"
)

// invoicePage is one invoice with all that belongs to it.
type invoicePage struct {
	invoiceRow
	Party       string // link to all invoices of the client
	Fields      []ownField
	Payments    []billing.Payment
	Attachments []storage.Attachment
	History     []historyEntry
	Whole       bool // the history is
}

func showInvoice(v *visit) error {
	inv, err := v.invoice()
	if err != nil {
		return err
	}
	p := invoicePage{invoiceRow: rowOf(&inv, v.now), Party: "/invoices?target_party_uid=" + inv.PartyID.String(), Fields: fieldsOf(&inv)}
	ctx, org := v.req.Context, v.org.ID
	if p.Payments, err = v.store.Payments(ctx, org, inv.ID); err != nil {
		return err
	}
	if p.Attachments, _, _, err = v.store.Attachments(ctx, org, inv.ID, 1, storage.MaxAttachments); err != nil {
		return err
	}
	if p.History, p.Whole, err = v.history(&inv); err != nil {
		return err
	}
	return v.show(http.StatusOK, "invoice", p.Title(), p)
}

// invoice is the one in the path.
func (v *visit) invoice() (billing.Invoice, error) {
	return v.store.Invoice(v.req.Context, v.org.ID, v.pathID())
}

// Title is what the invoice is called: by its number, if it has one.
func (r invoiceRow) Title() string {
	if r.Number != "" {
		return "Invoice " + r.Number
	}
	return r.Word.Label + " invoice"
}

// Path leads to the invoice.
func (r invoiceRow) Path() string { return "/invoices/" + r.ID.String() }

// May reports whether the invoice may be given a status now, by its name.
func (r invoiceRow) May(status string) bool { return slices.Contains(r.Actions(), status) }

// Sendable reports whether it may be sent for the first time.
func (r invoiceRow) Sendable() bool { return r.May("SENT") && r.SentAt.IsZero() }

// Payable reports whether it takes a payment now.
func (r invoiceRow) Payable() bool { return r.May("PAID") && r.Remaining() > 0 }

// Money is an amount of the invoice.
func (r invoiceRow) Money(n billing.Cents) string { return money(n, r.Currency) }

// Amount is one without the currency.
func (r invoiceRow) Amount(n billing.Cents) string { return n.Format(r.Currency) }

// Taken reports whether a line takes off what others add.
func (invoicePage) Taken(l billing.LineItem) bool { return l.Type == billing.Discount }

// ownField is a field of invoice_fields.
type ownField struct{ Name, Value string }

// fieldsOf are the fields that a client added, texts without their quotes.
func fieldsOf(inv *billing.Invoice) (list []ownField) {
	for _, f := range inv.Fields {
		value := string(f.JSON)
		var text string
		if json.Unmarshal(f.JSON, &text) == nil && value != "null" {
			value = text
		}
		list = append(list, ownField{f.Key, value})
	}
	return list
}

// openAttachment leads to the signed link of a file, as the API gives it out.
func openAttachment(v *visit) error {
	id, err := uid.Parse(v.req.Param("attachment"))
	if err != nil {
		return storage.ErrNotFound
	}
	inv := v.pathID()
	all, _, _, err := v.store.Attachments(v.req.Context, v.org.ID, inv, 1, storage.MaxAttachments)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(all, func(a storage.Attachment) bool { return a.ID == id }) {
		return storage.ErrNotFound
	}
	return v.goTo(v.FileLink(v.org.ID, inv, id))
}
