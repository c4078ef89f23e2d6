package transfer

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"exante/storage/billing"
	"exante/storage/input"
)

// kind says what becomes of the cells of a column.
type kind uint8

const (
	skipped kind = iota // computed, in what an export wrote
	text                // a member of the invoice
	number              // the same, not quoted
	party               // a member of its party
	contact             // a member of the party's billing_contact
	item                // a member of its one line item
	amount              // of the item, not quoted
)

// column is a column of CSV. member is its name in the object, "" if that is the same.
type column struct {
	name   string
	kind   kind
	member string
}

// columns are all that a file may have, in the order of the help text.
var columns = []column{
	{"invoice_number", text, ""}, {"status", text, ""}, {"collection_method", text, ""}, {"invoice_type", text, ""}, {"currency", text, ""},
	{"issue_date", text, ""}, {"due_date", text, ""}, {"paid_date", text, ""}, {"sent_at", text, ""}, {"created_at", text, ""},
	{"target_party_uid", text, ""}, {"owner_uid", text, ""}, {"document_uid", text, ""}, {"invoice_blueprint_uid", text, ""},
	{"client_name", party, "name"}, {"client_address", party, "address"},
	{"contact_name", contact, "name"}, {"contact_title", contact, "title"}, {"contact_email", contact, "email"}, {"contact_phone", contact, "phone"},
	{"sku", item, ""}, {"context_type", item, ""}, {"quantity", amount, ""}, {"unit_price", amount, ""},
	{"subtotal_cents", number, ""}, {"discount_cents", number, ""}, {"tax_cents", number, ""}, {"total_cents", number, ""}, {"amount_paid_cents", number, ""},
	{"uid", skipped, ""}, {"client_uid", skipped, ""}, {"overdue_days", skipped, ""}, {"updated_at", skipped, ""},
	{"pre_payment_credit_notes_cents", skipped, ""}, {"amount_due_cents", skipped, ""}, {"amount_remaining_cents", skipped, ""},
}

// Columns are the names of the columns that are not merely skipped.
func Columns() (names []string) {
	for _, c := range columns {
		if c.kind != skipped {
			names = append(names, c.name)
		}
	}
	return names
}

// rows turns rows of CSV into the objects that they stand for.
type rows struct{ columns []column }

// readHead reads the header line.
func readHead(head []byte) (*rows, error) {
	cells, reason := splitRow(bytes.TrimPrefix(head, []byte("\ufeff")))
	if reason != "" {
		return nil, input.Invalid("header line", reason)
	}
	var r rows
	var refused input.Refusals
	for _, name := range cells {
		at := slices.IndexFunc(columns, func(c column) bool { return c.name == name })
		switch {
		case at < 0:
			refused.Add("header line", fmt.Sprintf("has an unknown column, %.40q", name))
			continue
		case slices.ContainsFunc(r.columns, func(c column) bool { return c.name == name }):
			refused.Add("header line", fmt.Sprintf("has column %s twice", name))
		}
		c := columns[at]
		if c.member == "" {
			c.member = c.name
		}
		r.columns = append(r.columns, c)
	}
	return &r, refused.Err()
}

// object is the row as an object of an import. An empty cell is left out.
func (r *rows) object(row []byte) ([]byte, error) {
	cells, reason := splitRow(row)
	switch {
	case reason != "":
		return nil, input.Invalid("row", reason)
	case len(cells) != len(r.columns):
		return nil, input.Invalid("row", fmt.Sprintf("has %d cells, the header line has %d", len(cells), len(r.columns)))
	case !utf8.Valid(row):
		return nil, input.Invalid("row", "is not valid UTF-8")
	}
	var all object
	of := [...]*object{text: &all, number: &all, party: {}, contact: {}, item: {}, amount: {}}
	of[amount] = of[item]
	for i, c := range r.columns {
		if c.kind != skipped && cells[i] != "" {
			of[c.kind].add(c.member, value(cells[i], c.kind))
		}
	}
	if of[contact].any() {
		of[party].add("billing_contact", of[contact].text())
	}
	if of[party].any() {
		all.add("party", of[party].text())
	}
	if of[item].any() {
		if !of[item].has("context_type") {
			of[item].add("context_type", `"PRODUCT"`)
		}
		all.add("line_items", "["+of[item].text()+"]")
	} else if lines := all.sums(); lines != "" {
		all.add("line_items", lines)
	}
	return []byte(all.text()), nil
}

// value is a cell as JSON. What is no number where one belongs stays a text, for
// the reader to refuse.
func value(cell string, k kind) string {
	if (k == number || k == amount) && isNumber(cell) {
		return cell
	}
	return quote(Harmful(cell))
}

func isNumber(cell string) bool {
	digits := strings.TrimPrefix(cell, "-")
	whole, fraction, pointed := strings.Cut(digits, ".")
	isDigits := func(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }
	return len(cell) <= 40 && isDigits(whole) && (whole == "0" || whole[0] != '0') && (!pointed || isDigits(fraction))
}

// quote is a JSON string. Text that is not UTF-8 was refused before.
func quote(s string) string {
	b := []byte{'"'}
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c < ' ':
			b = fmt.Appendf(b, `\u%04x`, c)
		default:
			b = append(b, c)
		}
	}
	return string(append(b, '"'))
}

// Harmful undoes what an export did to a cell that a spreadsheet would have run: an
// apostrophe before = + - @ TAB or CR, or before more apostrophes and one of those.
func Harmful(cell string) string {
	bare := strings.TrimLeft(cell, "'")
	if bare != "" && bare != cell && strings.IndexByte("=+-@\t\r", bare[0]) >= 0 {
		return cell[1:]
	}
	return cell
}

// object is a JSON object in the making.
type object struct{ members [][2]string }

func (o *object) add(name, value string) { o.members = append(o.members, [2]string{name, value}) }
func (o *object) any() bool              { return len(o.members) > 0 }
func (o *object) has(name string) bool   { return o.get(name) != "" }

func (o *object) get(name string) string {
	for _, m := range o.members {
		if m[0] == name {
			return m[1]
		}
	}
	return ""
}

func (o *object) text() string {
	var b strings.Builder
	for i, m := range o.members {
		b.WriteString([]string{"{", ","}[min(i, 1)])
		b.WriteString(quote(m[0]) + ":" + m[1])
	}
	if len(o.members) == 0 {
		b.WriteByte('{')
	}
	b.WriteByte('}')
	return b.String()
}

// sums are line items for a row that has only sums: one PRODUCT of the subtotal,
// or else of the total less the tax, and one DISCOUNT. "" if it has none.
func (o *object) sums() string {
	cents := func(name string) (n int64, known bool) {
		n, err := strconv.ParseInt(o.get(name), 10, 64)
		return n, err == nil && n >= 0 && n <= int64(billing.MaxCents)
	}
	subtotal, known := cents("subtotal_cents")
	discount, _ := cents("discount_cents")
	if !known {
		total, given := cents("total_cents")
		if tax, _ := cents("tax_cents"); given {
			subtotal, known = total+discount-tax, total+discount >= tax
		}
	}
	if !known {
		return ""
	}
	lines := fmt.Sprintf(`[{"context_type":"PRODUCT","sku":"subtotal","unit_price":%d}`, subtotal)
	if discount > 0 {
		lines += fmt.Sprintf(`,{"context_type":"DISCOUNT","sku":"discount","unit_price":%d}`, discount)
	}
	return lines + "]"
}

// splitRow splits a row into its cells (RFC 4180), or says why it can't.
func splitRow(row []byte) (cells []string, reason string) {
	for rest := string(row); ; {
		cell := ""
		if strings.HasPrefix(rest, `"`) {
			if cell, rest, reason = quotedCell(rest[1:]); reason != "" {
				return nil, reason
			}
		} else {
			end := strings.IndexByte(rest, ',')
			if end < 0 {
				end = len(rest)
			}
			if cell, rest = rest[:end], rest[end:]; strings.Contains(cell, `"`) {
				return nil, "has a quote in a cell that is not quoted"
			}
		}
		cells = append(cells, cell)
		if rest == "" {
			return cells, ""
		}
		rest = rest[1:] // the comma
	}
}

// quotedCell reads a cell behind its opening quote.
func quotedCell(s string) (cell, rest, reason string) {
	var b strings.Builder
	for {
		end := strings.IndexByte(s, '"')
		if end < 0 {
			return "", "", "has a quoted cell that does not end"
		}
		b.WriteString(s[:end])
		switch s = s[end+1:]; {
		case s == "" || s[0] == ',':
			return b.String(), s, ""
		case s[0] != '"':
			return "", "", "has something between a quoted cell and the comma"
		}
		b.WriteByte('"')
		s = s[1:]
	}
}
