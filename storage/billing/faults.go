package billing

import "slices"

// Faults are the rules that a stored invoice breaks by itself: none, unless it was
// damaged or written past the rules.
func (i *Invoice) Faults() (faults []string) {
	t, err := sum(i.Lines, i.Tax)
	for _, rule := range []struct {
		broken bool
		fault  string
	}{
		{i.Version == 0, "has no version"},
		{i.Type.String() == "" || i.CollectionMethod.String() == "" || i.Status.String() == "", "has an unknown type, method or status"},
		{i.Status == Overdue, "is stored as OVERDUE"},
		{validCurrency(i.Currency) != "", "has an unknown currency"},
		{!i.Tax.Valid(), "has a tax out of range"},
		{len(i.Lines) > maxLines, "has more lines than an invoice has"},
		{slices.ContainsFunc(i.Lines, LineItem.isWrong), "has a line whose total is not quantity × price"},
		{err != nil || t != totals{i.Subtotal, i.Discount, i.Total}, "has totals other than its lines"},
		{dayOf(i.DueDate) < dayOf(i.IssueDate), "is due before its issue"},
		{i.SentAt.IsZero() != (i.Status.unsent() || i.Status == Cancelled), "was sent, or not, against its status"},
		{!i.SentAt.IsZero() && (i.Number == "" || i.Client.Name == ""), "was sent without a number or a client"},
		{i.SentAt.IsZero() && (i.Series > 0 || i.Paid != 0), "has a place in the series, or was paid, before it was sent"},
		{i.Paid < 0 || i.Paid > i.Total || (i.Paid > 0) != (i.Payments > 0), "has an amount paid against its total or its payments"},
		{(i.Status == Paid) == i.PaidDate.IsZero() || i.Status == Paid && i.Paid != i.Total, "is PAID, or not, against its amounts"},
		{i.Status == PartiallyPaid && (i.Paid == 0 || i.Paid == i.Total), "is PARTIALLY_PAID against its amounts"},
	} {
		if rule.broken {
			faults = append(faults, rule.fault)
		}
	}
	return faults
}

func (l LineItem) isWrong() bool {
	if l.Quantity < 0 || l.UnitPrice < 0 || l.Type.String() == "" {
		return true
	}
	total, fits := LineTotal(l.Quantity, l.UnitPrice)
	return !fits || total != l.Total
}
