package dashboard

import (
	"maps"
	"math/big"
	"slices"
	"strings"

	"exante/storage"
	"exante/storage/billing"
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
	totals := map[billing.Currency]*big.Int{}
	for _, s := range sums {
		if slices.Contains(statuses, s.Status) {
			m.Count += s.Count
			if totals[s.Currency] == nil {
				totals[s.Currency] = new(big.Int)
			}
			totals[s.Currency].Add(totals[s.Currency], s.Total.Big())
		}
	}
	order := func(c billing.Currency) string { return strings.TrimPrefix(string(c), string(own)) } // its own is before all
	currencies := slices.SortedFunc(maps.Keys(totals), func(a, b billing.Currency) int { return strings.Compare(order(a), order(b)) })
	for _, c := range currencies {
		m.Amounts = append(m.Amounts, amountText(totals[c], c))
	}
	return m
}

// amountText is an amount of any size with its currency: "1234.50 EUR".
func amountText(n *big.Int, c billing.Currency) string {
	if n.IsInt64() {
		return billing.Cents(n.Int64()).Format(c) + " " + string(c)
	}
	text, digits := n.String(), c.MinorDigits() // long, since it is more than 64 bits
	if digits > 0 {
		text = text[:len(text)-digits] + "." + text[len(text)-digits:]
	}
	return text + " " + string(c)
}
