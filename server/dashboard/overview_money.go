package dashboard

import (
	"slices"
	"strings"

	"exante/storage"
	"exante/storage/billing"
	"exante/storage/index"
)

// moneyFact is what some invoices come to.
type moneyFact struct {
	Name    string
	Count   int
	Amounts []string // one a currency, that of the organization first; nil: none
	Path    string   // to these invoices
	Alarm   bool     // somebody should do something
}

// Invoices says how many there are.
func (m moneyFact) Invoices() string { return plural(int64(m.Count), "invoice") }

// moneyFacts are what is owed, what of that is late, and what was paid; nil without
// any invoice. A partly paid invoice counts with its whole total: that is what there
// is a sum of.
func moneyFacts(sums []storage.InvoiceSum, own billing.Currency) []moneyFact {
	if len(sums) == 0 {
		return nil
	}
	late := moneyFactOf("Overdue", sums, own, billing.Overdue)
	late.Alarm = late.Count > 0
	return []moneyFact{
		moneyFactOf("Outstanding", sums, own, billing.Sent, billing.PartiallyPaid, billing.Disputed, billing.Overdue),
		late,
		moneyFactOf("Paid", sums, own, billing.Paid),
	}
}

func moneyFactOf(name string, sums []storage.InvoiceSum, own billing.Currency, statuses ...billing.Status) moneyFact {
	words := make([]string, len(statuses))
	for i, s := range statuses {
		words[i] = s.String()
	}
	m := moneyFact{Name: name, Path: "/invoices?status=" + strings.Join(words, ",")}
	for _, currency := range currenciesOf(sums, own) {
		var total index.Amount
		count := 0
		for _, s := range sums {
			if s.Currency == currency && slices.Contains(statuses, s.Status) {
				count, total = count+s.Count, total.Plus(s.Total)
			}
		}
		if count > 0 {
			m.Count += count
			m.Amounts = append(m.Amounts, bigMoney(total, currency))
		}
	}
	return m
}
