package server

import (
	"fmt"
	"strings"

	"exante/auth/uid"
	"exante/server/filter"
	"exante/storage"
	"exante/storage/billing"
	"exante/storage/index"
)

// ownOrg is the organization that the path names, if it is the caller's: no other
// exists for him.
func (x *exchange) ownOrg() (uid.ID, error) {
	if idOrNowhere(x.path.Params("organization_uid"), 0) != x.org() {
		return uid.ID{}, storage.ErrNotFound
	}
	return x.org(), nil
}

func invoiceStats(x *exchange) error {
	q := x.query()
	currency := filter.Currency(q)
	if err := q.Done(); err != nil {
		return err
	}
	org, err := x.ownOrg()
	if err != nil {
		return err
	}
	sums, own, err := x.store.InvoiceSums(x.ctx(), org)
	if err != nil {
		return err
	}
	if currency == "" {
		currency = own
	}
	s := statsOf(sums)
	if err := s.checkAmounts(); err != nil {
		return err
	}
	return x.answer(200, "Invoice stats retrieved", func(w *jsonWriter) { writeStats(w, currency, s) })
}

func invoiceFilterOptions(x *exchange) error {
	org, err := x.ownOrg()
	if err != nil {
		return err
	}
	spans := x.store.InvoiceSpans(org)
	return x.answer(200, "Filter options retrieved", func(w *jsonWriter) { writeFilterOptions(w, &spans) })
}

// stats are the sums of an organization in the order in which they are shown.
type stats struct {
	counts  map[billing.Status]int
	amounts map[billing.Currency]amounts
}

// amounts are the totals of one currency by status.
type amounts map[billing.Status]index.Amount

func statsOf(sums []storage.InvoiceSum) stats {
	s := stats{map[billing.Status]int{}, map[billing.Currency]amounts{}}
	for _, sum := range sums {
		s.counts[sum.Status] += sum.Count
		if s.amounts[sum.Currency] == nil {
			s.amounts[sum.Currency] = amounts{}
		}
		s.amounts[sum.Currency][sum.Status] = sum.Total
	}
	return s
}

// checkAmounts refuses sums that not every client could hold: a wrong number is
// worse than none.
func (s stats) checkAmounts() error {
	p := &problems{}
	for c, byStatus := range s.amounts {
		for status, amount := range byStatus {
			if n, fits := amount.Int64(); !fits || n > int64(billing.MaxCents) {
				p.add(fmt.Sprintf("amountTotalsByCurrency.%s.%s", c, memberOf(status)), "comes to more than 2^53-1")
			}
		}
	}
	return p.err()
}

// memberOf is the name of a status in stats: "partially_paid".
func memberOf(s billing.Status) string { return strings.ToLower(s.String()) }
