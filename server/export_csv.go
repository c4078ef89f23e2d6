package server

import (
	"strconv"
	"strings"
	"time"

	"exante/auth/uid"
	"exante/storage/billing"
)

// csvColumns are the columns of an export as CSV (RFC 4180), in their order: what a
// list item has, flat. An absent value is an empty cell.
var csvColumns = []struct {
	name string
	cell func(c *csvRow)
}{
	{"uid", func(c *csvRow) { c.id(c.inv.ID) }},
	{"invoice_number", func(c *csvRow) { c.text(c.inv.Number) }},
	{"status", func(c *csvRow) { c.text(c.inv.StatusAt(c.now).String()) }},
	{"collection_method", func(c *csvRow) { c.text(c.inv.CollectionMethod.String()) }},
	{"client_uid", func(c *csvRow) { c.id(c.inv.PartyID) }},
	{"client_name", func(c *csvRow) { c.text(c.inv.Client.Name) }},
	{"issue_date", func(c *csvRow) { c.time(c.inv.IssueDate) }},
	{"due_date", func(c *csvRow) { c.time(c.inv.DueDate) }},
	{"paid_date", func(c *csvRow) { c.time(c.inv.PaidDate) }},
	{"currency", func(c *csvRow) { c.text(string(c.inv.Currency)) }},
	{"subtotal_cents", func(c *csvRow) { c.int(int64(c.inv.Subtotal)) }},
	{"discount_cents", func(c *csvRow) { c.int(int64(c.inv.Discount)) }},
	{"tax_cents", func(c *csvRow) { c.int(int64(c.inv.Tax)) }},
	{"total_cents", func(c *csvRow) { c.int(int64(c.inv.Total)) }},
	{"pre_payment_credit_notes_cents", func(c *csvRow) { c.int(int64(c.inv.Total - c.inv.Due())) }},
	{"amount_due_cents", func(c *csvRow) { c.int(int64(c.inv.Due())) }},
	{"amount_paid_cents", func(c *csvRow) { c.int(int64(c.inv.Paid)) }},
	{"amount_remaining_cents", func(c *csvRow) { c.int(int64(c.inv.Remaining())) }},
	{"overdue_days", func(c *csvRow) { c.int(int64(c.inv.OverdueDays(c.now))) }},
	{"document_uid", func(c *csvRow) { c.id(c.inv.DocumentID) }},
	{"invoice_blueprint_uid", func(c *csvRow) { c.id(c.inv.BlueprintID) }},
	{"created_at", func(c *csvRow) { c.time(c.inv.CreatedAt) }},
	{"updated_at", func(c *csvRow) { c.time(c.inv.UpdatedAt) }},
}

// csvRow is the row of one invoice on its way into a writer.
type csvRow struct {
	w   *jsonWriter
	inv *billing.Invoice
	now time.Time
}

func csvHead() string {
	names := make([]string, len(csvColumns))
	for i, c := range csvColumns {
		names[i] = c.name
	}
	return strings.Join(names, ",") + "\r\n"
}

func writeInvoiceRow(w *jsonWriter, inv *billing.Invoice, now time.Time) {
	row := csvRow{w, inv, now}
	for i := range csvColumns {
		if i > 0 {
			w.buf = append(w.buf, ',')
		}
		csvColumns[i].cell(&row)
	}
	w.buf = append(w.buf, "\r\n"...)
}

func (c *csvRow) id(id uid.ID) {
	if !id.IsZero() {
		c.w.buf = id.Append(c.w.buf)
	}
}

func (c *csvRow) time(t time.Time) {
	if !t.IsZero() {
		c.w.buf = t.UTC().AppendFormat(c.w.buf, time.RFC3339)
	}
}

func (c *csvRow) int(n int64) { c.w.buf = strconv.AppendInt(c.w.buf, n, 10) }

// text writes a cell that a spreadsheet takes for text (harmless), quoted where a
// comma, a quote or a line break is in it.
func (c *csvRow) text(s string) {
	s = harmless(s)
	if strings.ContainsAny(s, ",\"\r\n") {
		s = `"` + strings.ReplaceAll(s, `"`, `""`) + `"`
	}
	c.w.buf = append(c.w.buf, s...)
}

// A spreadsheet runs a cell that begins with one of these as a formula.
const startsFormula = "=+-@\t\r"

// harmless puts an apostrophe before a text that would be a formula, and one more
// before a text that looks as if that had been done to it, so that an import can
// undo it exactly.
func harmless(s string) string {
	if isFormula(s) {
		return "'" + s
	}
	return s
}

func isFormula(s string) bool {
	s = strings.TrimLeft(s, "'")
	return s != "" && strings.IndexByte(startsFormula, s[0]) >= 0
}
