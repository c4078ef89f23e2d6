package filter

import (
	"exante/storage"
	"exante/storage/billing"
	"exante/storage/input"
)

// The words that a request may use.
var (
	StatusWords   = WordsOf(billing.Statuses())
	MethodWords   = []string{"send_invoice", "charge_automatically"}
	CurrencyWords = []string{"the upper-case codes of ISO 4217"}
)

// WordsOf are the names of statuses.
func WordsOf(statuses []billing.Status) []string {
	words := make([]string, len(statuses))
	for i, status := range statuses {
		words[i] = status.String()
	}
	return words
}

// Invoices reads what selects and orders invoices.
func Invoices(q *Query) (iq storage.InvoiceQuery) {
	iq.Statuses = List(q, "status", billing.ParseStatus, input.OneOf(StatusWords))
	iq.CollectionMethods = List(q, "collection_method", billing.ParseCollectionMethod, input.OneOf(MethodWords))
	iq.PartyIDs = List(q, "target_party_uid", parseID, "must be a uid")
	iq.Currencies = List(q, "currency", billing.ParseCurrency, input.OneOf(CurrencyWords))
	iq.Number, iq.Search = readNumber(q), q.Text("search", 200)
	iq.Issue, iq.Due, iq.PaidOn = q.Times("issue_date"), q.Times("due_date"), q.Times("paid_date")
	iq.Total = q.Integers("total", -int64(billing.MaxCents), int64(billing.MaxCents))
	iq.OverdueDays = q.Integers("overdue_days", 0, 10_000_000)
	iq.UpdatedSince = q.Instant("updated_since", false)
	field, desc := q.Sort(invoiceSortNames, "-created_at")
	iq.Sort, iq.Desc = invoiceSorts[field], desc
	return iq
}

// readNumber brings a number into the form in which it is kept.
func readNumber(q *Query) string {
	text := q.Text("invoice_number", 64)
	if text == "" {
		return ""
	}
	clean, reason := input.Text(text, 1, 64)
	if reason != "" {
		q.Refuse("invoice_number", "%s", reason)
	}
	return clean
}

var invoiceSortNames = []string{"issue_date", "due_date", "paid_date", "created_at", "updated_at",
	"invoice_number", "status", "total", "overdue_days"}

var invoiceSorts = map[string]storage.InvoiceSort{
	"issue_date": storage.ByIssueDate, "due_date": storage.ByDueDate, "paid_date": storage.ByPaidDate,
	"created_at": storage.ByCreated, "updated_at": storage.ByUpdated, "invoice_number": storage.ByNumber,
	"status": storage.ByStatus, "total": storage.ByTotal, "overdue_days": storage.ByOverdueDays,
}

// Currency reads one currency; "" for none.
func Currency(q *Query) billing.Currency {
	v, sent := q.Take("currency")
	if !sent {
		return ""
	}
	c, ok := billing.ParseCurrency(v)
	if !ok {
		q.Refuse("currency", "%s", input.OneOf(CurrencyWords))
	}
	return c
}
