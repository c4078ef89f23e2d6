package dashboard

import (
	"cmp"
	"html/template"
	"slices"
	"strconv"
	"strings"

	"exante/server/dashboard/chart"
	"exante/storage"
	"exante/storage/billing"
	"exante/storage/index"
)

// statusWord is a status for people.
type statusWord struct {
	Name  string // on the wire: "PARTIALLY_PAID"
	Label string // "Partially paid"
	Class string // of its badge
}

func wordOf(s billing.Status) statusWord {
	name := s.String()
	return statusWord{Name: name, Label: sentenceCase(name), Class: statusClasses[s]}
}

// statusClasses colour the badges; a status without one is grey.
var statusClasses = map[billing.Status]string{
	billing.Approved: "info", billing.Scheduled: "info", billing.Sent: "info", billing.Overdue: "bad",
	billing.PartiallyPaid: "warn", billing.Paid: "good", billing.Disputed: "warn",
}

// sentenceCase makes "Partially paid" of "PARTIALLY_PAID".
func sentenceCase(word string) string {
	text := strings.ToLower(strings.ReplaceAll(word, "_", " "))
	return strings.ToUpper(text[:1]) + text[1:]
}

// statusTotal is what the invoices of one status come to.
type statusTotal struct {
	statusWord
	Count   int
	Amounts []string // one a currency, that of the organization first
	Link    string   // to these invoices
}

// invoiceTotals are the totals of the statuses that an invoice has, in the order of
// an invoice's life, with links that keep the filter of f but for the status.
func invoiceTotals(f *invoiceFilter, sums []storage.InvoiceSum, currencies []billing.Currency) (totals []statusTotal) {
	for _, status := range billing.Statuses() {
		t := statusTotal{statusWord: wordOf(status), Link: f.with("status", status.String())}
		for _, currency := range currencies {
			for i := range sums {
				if s := &sums[i]; s.Status == status && s.Currency == currency {
					t.Count += s.Count
					t.Amounts = append(t.Amounts, bigMoney(s.Total, currency))
				}
			}
		}
		if t.Count > 0 {
			totals = append(totals, t)
		}
	}
	return totals
}

// currenciesOf are the currencies of sums, that of the organization first, then
// by name.
func currenciesOf(sums []storage.InvoiceSum, own billing.Currency) []billing.Currency {
	var others []billing.Currency
	for _, s := range sums {
		if s.Currency != own {
			others = append(others, s.Currency)
		}
	}
	slices.Sort(others)
	return append([]billing.Currency{own}, slices.Compact(others)...)
}

// bigMoney is money for a sum that may be larger than any amount.
func bigMoney(a index.Amount, c billing.Currency) string {
	if n, fits := a.Int64(); fits {
		return money(billing.Cents(n), c)
	}
	text, digits := a.String(), c.MinorDigits()
	if digits > 0 {
		text = text[:len(text)-digits] + "." + text[len(text)-digits:]
	}
	return text + " " + string(c)
}

// money is an amount with its currency: "123.45 EUR".
func money(n billing.Cents, c billing.Currency) string { return n.Format(c) + " " + string(c) }

// Bars are the totals as a chart.
func (p invoicesPage) Bars() template.HTML {
	rows := make([]chart.Row, 0, len(p.Totals))
	for _, t := range p.Totals {
		rows = append(rows, chart.Row{
			Label: t.Label, Value: uint64(t.Count), Text: t.Text(), Class: cmp.Or(t.Class, "calm"), Href: t.Link,
		})
	}
	return chart.Rows(rows)
}

// Text is the count and the amount in the first currency: on a narrow screen there is
// room for no more.
func (t statusTotal) Text() string {
	text := strconv.Itoa(t.Count) + " · " + t.Amounts[0]
	if len(t.Amounts) > 1 {
		text += " …"
	}
	return text
}

// InText is the label inside of a sentence: "partially paid".
func (w statusWord) InText() string { return strings.ToLower(w.Label) }
