package server

import (
	"errors"
	"fmt"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"exante/auth/uid"
	"exante/storage"
	"exante/storage/billing"
)

// Wire is how invoices are read and written outside, for commands: the forms of the
// API, and what only an import may say.
type Wire struct{}

// Invoice is what GET /api/invoices/{uid} answers as data.
func (Wire) Invoice(inv *billing.Invoice, now time.Time) []byte {
	w := jsonWriter{}
	writeInvoice(&w, inv, now)
	return w.buf
}

// Payment is what POST /api/invoices/{uid}/payments answers as data.
func (Wire) Payment(p *billing.Payment) []byte {
	w := jsonWriter{}
	writePayment(&w, p)
	return w.buf
}

// Export is one of the forms of an export, "ndjson" or "csv": what comes before
// the first invoice, and what appends one as it reads at now. add is nil for
// another form.
func (Wire) Export(form string) (head []byte, add func(b []byte, inv *billing.Invoice, now time.Time) []byte) {
	for _, f := range exportFormats {
		if f.name == form {
			return f.head, func(b []byte, inv *billing.Invoice, now time.Time) []byte {
				w := jsonWriter{buf: b}
				f.append(&w, inv, now)
				return w.buf
			}
		}
	}
	return nil, nil
}

// ReadImport reads one line of an import into org: the body of a creation, or what
// an export wrote. What is wrong with it is in the line's Refused.
func (Wire) ReadImport(org uid.ID, line []byte) (l storage.ImportLine) {
	f, err := readObject(line)
	if err != nil {
		return storage.ImportLine{Refused: err}
	}
	f.drop(computedMembers...)
	exported := takeExportedFields(f)
	l.Party = readImportedParty(f, takeForeign(f, org))
	l.Past = readHistory(f)
	l.Patch = readInvoicePatch(f)
	l.Patch.OwnerID = f.id("owner_uid")
	l.Patch.Type = word(f, "invoice_type", billing.ParseInvoiceType, typeWords)
	l.Patch.Lines = readImportedLines(f)
	if exported != nil {
		l.Patch.Fields = exported
	}
	l.Refused = f.done()
	return l
}

// Reasons are what is wrong with a refused line, in the words of the API.
func (Wire) Reasons(err error) []string {
	var illegal *billing.TransitionError
	if errors.As(err, &illegal) {
		return []string{fmt.Sprintf("status: %s can't become %s", illegal.From, illegal.To)}
	}
	if list := details(err); len(list) > 0 {
		return list
	}
	return []string{rowOf(err).text}
}

// computedMembers are those of an exported invoice that follow from the others, or
// are given anew.
var computedMembers = []string{
	"uid", "updated_at", "age", "overdue_days", "available_actions", "invoice_link", "has_comments",
	"pre_payment_credit_notes_cents", "amount_due_cents", "amount_remaining_cents",
}

// takeForeign reads organization_uid. In a line of another organization uids of
// parties and users mean nothing: they are left out.
func takeForeign(f *fields, org uid.ID) (foreign bool) {
	of := f.id("organization_uid")
	if of == nil || *of == org {
		f.drop("parties")
		return false
	}
	f.drop("target_party_uid", "owner_uid")
	return true
}

// readImportedParty reads the party of a line, if it is not named by its uid: the
// member party, or in a line of another organization the client of parties.
func readImportedParty(f *fields, foreign bool) *billing.PartyPatch {
	switch {
	case f.has("party") && f.has("target_party_uid"):
		f.refuse("party", "does not go with target_party_uid")
	case f.has("party"):
		v, _ := f.take("party")
		return readPartyOf(openObject(f.problems, f.path+"party", v))
	case !foreign:
		f.require("target_party_uid")
	default:
		f.require("parties")
		if v, sent := f.take("parties"); sent {
			parties := openObject(f.problems, f.path+"parties", v)
			parties.require("client")
			defer parties.unknown()
			if v, sent := parties.take("client"); sent {
				return readPartyOf(openObject(f.problems, parties.path+"client", v))
			}
		}
	}
	return nil
}

func readPartyOf(f *fields) *billing.PartyPatch {
	f.drop("uid", "role", "created_at", "updated_at")
	f.require("name")
	defer f.unknown()
	return &billing.PartyPatch{
		Name: f.text("name", length{1, 200}), Address: f.textOrNull("address", length{0, 1000}), Contact: readContact(f, "uid", "party_uid"),
	}
}

func readHistory(f *fields) billing.History {
	h := billing.History{
		CreatedAt: f.time("created_at"), SentAt: f.timeOrNull("sent_at"), PaidDate: f.timeOrNull("paid_date"), Paid: f.cents("amount_paid_cents"),
		Subtotal: f.cents("subtotal_cents"), Discount: f.cents("discount_cents"), Total: f.cents("total_cents"),
	}
	if h.SentAt != nil && h.SentAt.IsZero() {
		h.SentAt = nil
	}
	switch total := f.cents("total"); {
	case total != nil && h.Total != nil && *total != *h.Total:
		f.bad("total", "is not total_cents")
	case h.Total == nil:
		h.Total = total
	}
	return h
}

// readImportedLines reads line_items as those of a creation, or of an export.
func readImportedLines(f *fields) *[]billing.LinePatch {
	v, sent := f.take("line_items")
	if !sent {
		return nil
	}
	lines := []billing.LinePatch{}
	if string(v) != "[]" {
		lines = readEach(f.problems, "line_items", v, maxLines, readImportedLine)
	}
	return &lines
}

func readImportedLine(f *fields, i int) billing.LinePatch {
	f.drop("uid", "invoice_uid", "context_type_uid")
	if !f.has("sku") {
		f.rename("context_name", "sku")
	}
	total := f.cents("line_total")
	line := readNewLine(f, i)
	if total == nil {
		return line
	}
	quantity := billing.One
	if line.Quantity != nil {
		quantity = *line.Quantity
	}
	if line.UnitPrice == nil {
		f.bad("line_total", "is taken with unit_price alone")
	} else if is, fits := billing.LineTotal(quantity, *line.UnitPrice); !fits || is != *total {
		f.bad("line_total", "is not quantity times unit_price")
	}
	return line
}

// takeExportedFields reads invoice_fields as an export writes them, an array; nil
// if they are none.
func takeExportedFields(f *fields) *[]billing.Field {
	if v, sent := f.take("invoice_fields"); !sent || kindOf(v) != '[' {
		return nil
	}
	v, _ := f.take("invoice_fields")
	f.drop("invoice_fields")
	list := []billing.Field{}
	if string(v) != "[]" {
		list = readEach(f.problems, "invoice_fields", v, maxInvoiceFields, readExportedField)
	}
	return &list
}

func readExportedField(f *fields, _ int) (field billing.Field) {
	f.require("key", "value")
	if key := f.text("key", length{0, maxBody}); key != nil {
		field.Key = *key
	}
	if v, sent := f.take("value"); sent {
		of := openObject(f.problems, f.path+"value", v)
		of.drop("type", "original_type")
		of.require("value")
		if v, sent := of.take("value"); sent {
			field.JSON, _ = jsontext.AppendFormat(nil, v)
		}
		of.unknown()
	}
	return field
}
