package billing

import (
	"slices"

	"exante/auth/uid"
	"exante/storage/input"
)

const (
	maxLines = 1000 // of an invoice
	maxSKU   = 64   // characters
)

// LineItem is one line of an invoice, in the invoice's currency.
type LineItem struct {
	ID        uid.ID
	Type      ContextType
	TypeID    uid.ID // the catalogue entry of Type, SKU and currency
	SKU       string
	Quantity  Quantity
	UnitPrice Cents
	Total     Cents // Quantity × UnitPrice, rounded half to even
}

// LinePatch carries the fields of a line item that were sent; nil: default on
// creation, unchanged on update.
type LinePatch struct {
	ID        uid.ID       // which line; UpdateLines only
	Type      *ContextType // required on creation
	SKU       *string      // 1..64 characters, required on creation
	Quantity  *Quantity    // at least 0; default 1
	UnitPrice *Cents       // at least 0; default: what was last charged for Type, SKU and currency
	Currency  *Currency    // the invoice's, or refused
}

// OpenLines refuses a call about no line, and one on a sent invoice.
func (r *Revision) OpenLines(n int) error {
	if n == 0 {
		return input.Invalid("line_items", "at least one is required")
	}
	if r.isLocked("line_items") {
		return r.Err()
	}
	return nil
}

// RoomFor refuses n more lines than an invoice may have.
func (r *Revision) RoomFor(n int) error {
	if len(r.Lines)+n > maxLines {
		return input.Invalid("line_items", "an invoice has at most 1000 lines")
	}
	return nil
}

// AppendLine adds a line of quantity 1 with nothing else but its ID. The pointer
// is good until the next line is added.
func (r *Revision) AppendLine(id uid.ID) *LineItem {
	r.Lines = append(r.Lines, LineItem{ID: id, Quantity: One})
	return &r.Lines[len(r.Lines)-1]
}

// SetLine gives l the fields of p that need nothing but p and the invoice. What is
// wrong goes to Refused under path.
func (r *Revision) SetLine(l *LineItem, p *LinePatch, path string) {
	switch {
	case p.Type == nil && l.Type == 0:
		r.Refused.Add(path+"context_type", "is required")
	case p.Type != nil && p.Type.String() == "":
		r.Refused.Add(path+"context_type", "is not known")
	case p.Type != nil:
		l.Type = *p.Type
	}
	if p.SKU != nil || l.SKU == "" {
		l.SKU = r.Refused.Text(path+"sku", deref(p.SKU), 1, maxSKU)
	}
	if p.Quantity != nil {
		if l.Quantity = *p.Quantity; l.Quantity < 0 {
			r.Refused.Add(path+"quantity", "must be at least 0")
		}
	}
	if p.UnitPrice != nil {
		l.UnitPrice = *p.UnitPrice
		if reason := validAmount(l.UnitPrice); reason != "" {
			r.Refused.Add(path+"unit_price", reason)
		}
	}
	if p.Currency != nil && *p.Currency != r.Currency {
		r.Refused.Add(path+"currency", "must be that of the invoice, "+string(r.Currency))
	}
}

// TotalLine computes the total of l unless something was refused, and reports
// whether l is no longer as it was.
func (r *Revision) TotalLine(l *LineItem, was LineItem, path string) (changed bool) {
	if len(r.Refused) > 0 {
		return false
	}
	var fits bool
	if l.Total, fits = LineTotal(l.Quantity, l.UnitPrice); !fits {
		r.Refused.Add(path+"quantity", "times unit_price is above 9007199254740991")
		return false
	}
	if *l == was {
		return false
	}
	r.change("line_items")
	return true
}

// RemoveLines takes out the lines at places.
func (r *Revision) RemoveLines(places []int) {
	for _, place := range slices.Backward(slices.Sorted(slices.Values(places))) {
		r.Lines = slices.Delete(r.Lines, place, place+1)
	}
	r.change("line_items")
}

// Sum computes the totals anew, if nothing was refused.
func (r *Revision) Sum() error {
	if err := r.Err(); err != nil {
		return err
	}
	t, err := sum(r.Lines, r.Tax)
	if err != nil {
		return err
	}
	r.Subtotal, r.Discount, r.Total = t.subtotal, t.discount, t.total
	return nil
}

// totals are the sums of an invoice.
type totals struct{ subtotal, discount, total Cents }

// sum adds up lines and tax. It fails on a sum above MaxCents and on a negative total.
func sum(lines []LineItem, tax Cents) (totals, error) {
	var t totals
	for i := range lines {
		into := &t.subtotal
		if lines[i].Type == Discount {
			into = &t.discount
		}
		if *into += lines[i].Total; *into > MaxCents {
			return totals{}, input.Invalid("line_items", "their sum is above 9007199254740991")
		}
	}
	t.total = t.subtotal - t.discount + tax
	switch {
	case t.total > MaxCents:
		return totals{}, input.Invalid("total_cents", "would be above 9007199254740991")
	case t.total < 0:
		return totals{}, input.Invalid("total_cents", "would be negative: the discounts are larger than the rest")
	}
	return t, nil
}
