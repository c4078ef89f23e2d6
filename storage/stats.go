package storage

import (
	"context"
	"time"

	"exante/auth/uid"
	"exante/storage/billing"
	"exante/storage/index"
)

// InvoiceSum is what the receivable invoices of one status and currency come to.
type InvoiceSum struct {
	Status   billing.Status // as read
	Currency billing.Currency
	Count    int
	Total    index.Amount // of their totals, exact however many there are
}

// InvoiceSums are the sums of an organization, in no order, none without an
// invoice, and its own currency. ErrNotFound.
func (s *Store) InvoiceSums(ctx context.Context, org uid.ID) ([]InvoiceSum, billing.Currency, error) {
	o, err := s.Org(ctx, org)
	if err != nil {
		return nil, "", err
	}
	var sums []InvoiceSum
	for _, sum := range s.lists.Sums(org, s.now()) {
		sums = append(sums, InvoiceSum{billing.Status(sum.Status), billing.Currency(sum.Currency), sum.Count, sum.Total})
	}
	return sums, o.Currency, nil
}

// InvoiceSpans is what there is to filter by in the lists of an organization.
type InvoiceSpans struct {
	Statuses          []billing.Status // as read now
	CollectionMethods []billing.CollectionMethod

	Issue, Due, Paid   TimeRange // both zero: no invoice has the date
	Total, OverdueDays IntRange  // without ends: there is no invoice
}

// InvoiceSpans looks at all receivable invoices of an organization.
func (s *Store) InvoiceSpans(org uid.ID) InvoiceSpans {
	found := s.lists.Spans(org, s.now())
	spans := InvoiceSpans{
		Issue: timesOf(found.Issue), Due: timesOf(found.Due), Paid: timesOf(found.Paid),
		Total: integersOf(found.Total), OverdueDays: integersOf(found.OverdueDays),
	}
	for _, status := range found.Statuses {
		spans.Statuses = append(spans.Statuses, billing.Status(status))
	}
	for _, method := range found.Methods {
		spans.CollectionMethods = append(spans.CollectionMethods, billing.CollectionMethod(method))
	}
	return spans
}

func timesOf(s index.Span) TimeRange {
	if !s.Any {
		return TimeRange{}
	}
	return TimeRange{time.Unix(s.Min, 0).UTC(), time.Unix(s.Max, 0).UTC()}
}

func integersOf(s index.Span) IntRange { return IntRange{s.Min, s.Max, s.Any, s.Any} }
