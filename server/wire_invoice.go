package server

import (
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"exante/auth/uid"
	"exante/storage/billing"
)

// writeInvoice is a full invoice as it reads at now.
func writeInvoice(w *jsonWriter, inv *billing.Invoice, now time.Time) {
	w.open('{')
	w.id("uid", inv.ID)
	w.text("invoice_number", inv.Number)
	w.text("invoice_type", inv.Type.String())
	w.text("status", inv.StatusAt(now).String())
	w.text("collection_method", inv.CollectionMethod.String())
	w.time("issue_date", inv.IssueDate)
	w.time("due_date", inv.DueDate)
	w.time("paid_date", inv.PaidDate)
	writeAmounts(w, inv, now)
	w.text("currency", string(inv.Currency))
	w.null("invoice_link")
	w.id("document_uid", inv.DocumentID)
	w.id("invoice_blueprint_uid", inv.BlueprintID)
	w.id("target_party_uid", inv.PartyID)
	w.int("age", int64(inv.Age(now)))
	w.bool("has_comments", false)
	w.name("line_items")
	writeLines(w, inv.ID, inv.Currency, inv.Lines)
	w.name("invoice_fields")
	writeFields(w, inv.Fields)
	writeParties(w, inv)
	w.id("owner_uid", inv.OwnerID)
	w.id("organization_uid", inv.OrgID)
	w.time("created_at", inv.CreatedAt)
	w.time("updated_at", inv.UpdatedAt)
	w.texts("available_actions", inv.Actions())
	w.close('}')
}

// writeInvoiceItem is an invoice in a list.
func writeInvoiceItem(w *jsonWriter, inv *billing.Invoice, now time.Time) {
	w.open('{')
	w.id("uid", inv.ID)
	w.null("parent_contract")
	w.text("invoice_number", inv.Number)
	writeAmounts(w, inv, now)
	w.time("issue_date", inv.IssueDate)
	w.time("due_date", inv.DueDate)
	w.time("paid_date", inv.PaidDate)
	w.id("document_uid", inv.DocumentID)
	w.text("status", inv.StatusAt(now).String())
	w.text("collection_method", inv.CollectionMethod.String())
	writeBlueprint(w, inv.BlueprintID)
	writeParties(w, inv)
	w.text("currency", string(inv.Currency))
	w.time("updated_at", inv.UpdatedAt)
	w.close('}')
}

// writeAmounts are the members about money that both shapes share, and the days
// for which some of it is overdue. total repeats total_cents.
func writeAmounts(w *jsonWriter, inv *billing.Invoice, now time.Time) {
	w.cents("subtotal_cents", inv.Subtotal)
	w.cents("discount_cents", inv.Discount)
	w.cents("tax_cents", inv.Tax)
	w.cents("total", inv.Total)
	w.cents("total_cents", inv.Total)
	w.cents("pre_payment_credit_notes_cents", inv.Total-inv.Due())
	w.cents("amount_due_cents", inv.Due())
	w.cents("amount_paid_cents", inv.Paid)
	w.cents("amount_remaining_cents", inv.Remaining())
	w.int("overdue_days", int64(inv.OverdueDays(now)))
}

// writeBlueprint: an invoice only names its blueprint, which is taken as in use.
func writeBlueprint(w *jsonWriter, blueprint uid.ID) {
	if blueprint.IsZero() {
		w.null("blueprint")
		return
	}
	w.name("blueprint")
	w.open('{')
	w.bool("is_active", true)
	w.close('}')
}

func writeParties(w *jsonWriter, inv *billing.Invoice) {
	w.name("parties")
	w.open('{')
	w.name("client")
	writeParty(w, &inv.Client)
	w.close('}')
}

func writeLines(w *jsonWriter, invoice uid.ID, currency billing.Currency, lines []billing.LineItem) {
	w.open('[')
	for i := range lines {
		writeLine(w, invoice, currency, &lines[i])
	}
	w.close(']')
}

func writeLine(w *jsonWriter, invoice uid.ID, currency billing.Currency, line *billing.LineItem) {
	w.open('{')
	w.id("uid", line.ID)
	w.id("invoice_uid", invoice)
	w.id("context_type_uid", line.TypeID)
	w.text("context_type", line.Type.String())
	w.text("context_name", line.SKU)
	w.text("currency", string(currency))
	w.quantity("quantity", line.Quantity)
	w.cents("unit_price", line.UnitPrice)
	w.cents("line_total", line.Total)
	w.close('}')
}

// writePayment is money that came in for an invoice.
func writePayment(w *jsonWriter, p *billing.Payment) {
	w.open('{')
	w.id("uid", p.ID)
	w.id("invoice_uid", p.InvoiceID)
	w.cents("amount_cents", p.Amount)
	w.text("currency", string(p.Currency))
	w.time("paid_at", p.PaidAt)
	w.text("reference", p.Reference)
	w.time("created_at", p.CreatedAt)
	w.close('}')
}

// writeFields are the client's own fields, one entry a key, each value with the
// name of its JSON type.
func writeFields(w *jsonWriter, fields []billing.Field) {
	w.open('[')
	for _, f := range fields {
		kind := typeName(jsontext.Value(f.JSON).Kind())
		w.open('{')
		w.name("key")
		w.quote(f.Key)
		w.name("value")
		w.open('{')
		w.text("type", kind)
		w.text("original_type", kind)
		w.raw("value", f.JSON)
		w.close('}')
		w.close('}')
	}
	w.close(']')
}

func typeName(k jsontext.Kind) string {
	switch k {
	case '"':
		return "string"
	case '0':
		return "number"
	case 't', 'f':
		return "boolean"
	case '{':
		return "object"
	case '[':
		return "array"
	}
	return "null"
}
