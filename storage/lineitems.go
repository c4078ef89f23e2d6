package storage

import (
	"context"
	"fmt"
	"slices"

	"exante/auth"
	"exante/auth/uid"
)

const (
	maxLines = 1000 // of an invoice
	maxSKU   = 64   // characters
)

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

// AddLines appends lines to an unsent invoice. It returns the new lines and the
// invoice with them. Errors: ErrNotFound, ErrConflict, *LockedError,
// *InvalidError with paths such as "[3].unit_price", ErrTooLarge.
func (s *Store) AddLines(ctx context.Context, by auth.Principal, inv uid.ID, lines []LinePatch, ifMatch uint64) ([]LineItem, Invoice, error) {
	var added []LineItem
	out, err := s.revise(ctx, by, invoiceLinesAdd, inv, ifMatch, func(t *tx, r *revision) error {
		if err := r.openLines(len(lines)); err != nil {
			return err
		}
		had := len(r.Lines)
		if err := t.appendLines(r, lines, ""); err != nil {
			return err
		}
		added = slices.Clone(r.Lines[had:])
		return nil
	})
	return added, out, err
}

// UpdateLines changes lines of an unsent invoice, each named once by its ID. It
// returns them in the order asked. Errors as AddLines, and *MissingError for IDs
// that are no lines of the invoice.
func (s *Store) UpdateLines(ctx context.Context, by auth.Principal, inv uid.ID, lines []LinePatch, ifMatch uint64) ([]LineItem, Invoice, error) {
	var written []LineItem
	out, err := s.revise(ctx, by, invoiceLinesUpdate, inv, ifMatch, func(t *tx, r *revision) error {
		if err := r.openLines(len(lines)); err != nil {
			return err
		}
		places, err := r.find(len(lines), func(i int) uid.ID { return lines[i].ID })
		if err != nil {
			return err
		}
		for i, place := range places {
			if err := t.writeLine(r, &r.Lines[place], &lines[i], fmt.Sprintf("[%d].", i)); err != nil {
				return err
			}
		}
		written = nil
		for _, place := range places {
			written = append(written, r.Lines[place])
		}
		return r.sumLines()
	})
	return written, out, err
}

// DeleteLines removes lines of an unsent invoice. Errors as UpdateLines.
func (s *Store) DeleteLines(ctx context.Context, by auth.Principal, inv uid.ID, ids []uid.ID, ifMatch uint64) (Invoice, error) {
	return s.revise(ctx, by, invoiceLinesDelete, inv, ifMatch, func(t *tx, r *revision) error {
		if err := r.openLines(len(ids)); err != nil {
			return err
		}
		places, err := r.find(len(ids), func(i int) uid.ID { return ids[i] })
		if err != nil {
			return err
		}
		slices.Sort(places)
		for _, place := range slices.Backward(places) {
			r.Lines = slices.Delete(r.Lines, place, place+1)
		}
		r.change("line_items")
		return r.sumLines()
	})
}

// openLines refuses a call about no line, and one on a sent invoice.
func (r *revision) openLines(n int) error {
	if n == 0 {
		return Invalid("line_items", "at least one is required")
	}
	if r.isLocked("line_items") {
		return r.err()
	}
	return nil
}

// find returns the places of n lines by their IDs.
func (r *revision) find(n int, id func(i int) uid.ID) ([]int, error) {
	at := make(map[uid.ID]int, len(r.Lines))
	for place := range r.Lines {
		at[r.Lines[place].ID] = place
	}
	var missing, twice refusals
	places, seen := make([]int, 0, n), make(map[uid.ID]bool, n)
	for i := range n {
		place, known := at[id(i)]
		switch {
		case !known:
			missing.add(fmt.Sprintf("[%d]", i), "not found")
		case seen[id(i)]:
			twice.add(fmt.Sprintf("[%d]", i), "names the same line item again")
		}
		seen[id(i)] = true
		places = append(places, place)
	}
	if len(missing) > 0 {
		return nil, &MissingError{missing}
	}
	return places, twice.err()
}

// appendLines adds new lines; path leads to their array: "" or "line_items".
func (t *tx) appendLines(r *revision, lines []LinePatch, path string) error {
	if len(r.Lines)+len(lines) > maxLines {
		return Invalid("line_items", "an invoice has at most 1000 lines")
	}
	for i := range lines {
		id, err := t.store.ids.New()
		if err != nil {
			return err
		}
		r.Lines = append(r.Lines, LineItem{ID: id, Quantity: One})
		at := fmt.Sprintf("%s[%d].", path, i)
		if err := t.writeLine(r, &r.Lines[len(r.Lines)-1], &lines[i], at); err != nil {
			return err
		}
	}
	return r.sumLines()
}

// writeLine gives l the fields of p. What is wrong goes to r.refused under path.
func (t *tx) writeLine(r *revision, l *LineItem, p *LinePatch, path string) error {
	was := *l
	r.checkLine(l, p, path)
	if was.Type == 0 && p.UnitPrice == nil {
		if err := t.recallPrice(r, l, path); err != nil {
			return err
		}
	}
	if len(r.refused) > 0 {
		return nil
	}
	var fits bool
	if l.Total, fits = LineTotal(l.Quantity, l.UnitPrice); !fits {
		r.refused.add(path+"quantity", "times unit_price is above 9007199254740991")
		return nil
	}
	if *l == was {
		return nil
	}
	r.change("line_items")
	if l.Type == was.Type && l.SKU == was.SKU && l.UnitPrice == was.UnitPrice {
		return nil
	}
	return t.remember(l, r.Currency)
}

// recallPrice gives a new line the price that was last used for its like.
func (t *tx) recallPrice(r *revision, l *LineItem, path string) error {
	if len(r.refused) > 0 {
		return nil // context_type and sku may be wrong
	}
	price, known, err := t.lastPrice(l, r.Currency)
	if !known {
		r.refused.add(path+"unit_price", "is required: no price is known yet for this sku")
	}
	l.UnitPrice = price
	return err
}

// checkLine takes over the fields of p that need nothing but p and the invoice.
func (r *revision) checkLine(l *LineItem, p *LinePatch, path string) {
	switch {
	case p.Type == nil && l.Type == 0:
		r.refused.add(path+"context_type", "is required")
	case p.Type != nil && p.Type.String() == "":
		r.refused.add(path+"context_type", "is not known")
	case p.Type != nil:
		l.Type = *p.Type
	}
	if p.SKU != nil || l.SKU == "" {
		l.SKU = r.refused.text(path+"sku", deref(p.SKU), 1, maxSKU)
	}
	if p.Quantity != nil {
		if l.Quantity = *p.Quantity; l.Quantity < 0 {
			r.refused.add(path+"quantity", "must be at least 0")
		}
	}
	if p.UnitPrice != nil {
		l.UnitPrice = *p.UnitPrice
		if reason := validAmount(l.UnitPrice); reason != "" {
			r.refused.add(path+"unit_price", reason)
		}
	}
	if p.Currency != nil && *p.Currency != r.Currency {
		r.refused.add(path+"currency", "must be that of the invoice, "+string(r.Currency))
	}
}

// sumLines computes the totals anew, if nothing was refused.
func (r *revision) sumLines() error {
	if err := r.err(); err != nil {
		return err
	}
	t, err := sum(r.Lines, r.Tax)
	if err != nil {
		return err
	}
	r.Subtotal, r.Discount, r.Total = t.subtotal, t.discount, t.total
	return nil
}
