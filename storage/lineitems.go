package storage

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"exante/auth"
	"exante/auth/uid"
	"exante/storage/billing"
	"exante/storage/input"
)

// AddLines appends lines to an unsent invoice. It returns the new lines and the
// invoice with them. Errors: ErrNotFound, ErrConflict, *billing.LockedError,
// *input.InvalidError with paths such as "[3].unit_price", ErrTooLarge, and those
// of Once.
func (s *Store) AddLines(ctx context.Context, by auth.Principal, inv uid.ID, lines []billing.LinePatch, ifMatch uint64, once ...*Once[AddedLines]) ([]billing.LineItem, billing.Invoice, error) {
	var added AddedLines
	r := revising{action: invoiceLinesAdd, id: inv, ifMatch: ifMatch, change: func(t *tx, r *billing.Revision) error {
		if err := r.OpenLines(len(lines)); err != nil {
			return err
		}
		had := len(r.Lines)
		if err := t.appendLines(r, lines, ""); err != nil {
			return err
		}
		added.Lines = slices.Clone(r.Lines[had:])
		return nil
	}}
	err := s.update(ctx, by, only(once).around(&added, func(t *tx) error {
		err := r.run(t)
		added.Invoice = r.Invoice
		return err
	}))
	return added.Lines, added.Invoice, s.lost(ctx, err, by.OrgID, r.absent...)
}

// AddedLines are new lines and the invoice with them.
type AddedLines struct {
	Lines   []billing.LineItem
	Invoice billing.Invoice
}

// UpdateLines changes lines of an unsent invoice, each named once by its ID. It
// returns them in the order asked. Errors as AddLines, and *MissingError for IDs
// that are no lines of the invoice.
func (s *Store) UpdateLines(ctx context.Context, by auth.Principal, inv uid.ID, lines []billing.LinePatch, ifMatch uint64) ([]billing.LineItem, billing.Invoice, error) {
	var written []billing.LineItem
	out, err := s.revise(ctx, by, invoiceLinesUpdate, inv, ifMatch, func(t *tx, r *billing.Revision) error {
		if err := r.OpenLines(len(lines)); err != nil {
			return err
		}
		places, err := findLines(r.Lines, len(lines), func(i int) uid.ID { return lines[i].ID })
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
		return r.Sum()
	})
	return written, out, err
}

// DeleteLines removes lines of an unsent invoice. Errors as UpdateLines.
func (s *Store) DeleteLines(ctx context.Context, by auth.Principal, inv uid.ID, ids []uid.ID, ifMatch uint64) (billing.Invoice, error) {
	return s.revise(ctx, by, invoiceLinesDelete, inv, ifMatch, func(t *tx, r *billing.Revision) error {
		if err := r.OpenLines(len(ids)); err != nil {
			return err
		}
		places, err := findLines(r.Lines, len(ids), func(i int) uid.ID { return ids[i] })
		if err != nil {
			return err
		}
		r.RemoveLines(places)
		return r.Sum()
	})
}

// findLines returns the places of n lines by their IDs.
func findLines(lines []billing.LineItem, n int, id func(i int) uid.ID) ([]int, error) {
	at := make(map[uid.ID]int, len(lines))
	for place := range lines {
		at[lines[place].ID] = place
	}
	var missing, twice input.Refusals
	places, seen := make([]int, 0, n), make(map[uid.ID]bool, n)
	for i := range n {
		place, known := at[id(i)]
		switch {
		case !known:
			missing.Add(fmt.Sprintf("[%d]", i), "not found")
		case seen[id(i)]:
			twice.Add(fmt.Sprintf("[%d]", i), "names the same line item again")
		}
		seen[id(i)] = true
		places = append(places, place)
	}
	if len(missing) > 0 {
		return nil, &MissingError{missing}
	}
	return places, twice.Err()
}

// appendLines adds new lines; path leads to their array: "" or "line_items".
func (t *tx) appendLines(r *billing.Revision, lines []billing.LinePatch, path string) error {
	if err := r.RoomFor(len(lines)); err != nil {
		return err
	}
	for i := range lines {
		id, err := t.store.ids.New()
		if err != nil {
			return err
		}
		at := fmt.Sprintf("%s[%d].", path, i)
		if err := t.writeLine(r, r.AppendLine(id), &lines[i], at); err != nil {
			return err
		}
	}
	return r.Sum()
}

// writeLine gives l the fields of p. What is wrong goes to r.Refused under path.
func (t *tx) writeLine(r *billing.Revision, l *billing.LineItem, p *billing.LinePatch, path string) error {
	was := *l
	r.SetLine(l, p, path)
	if was.Type == 0 && p.UnitPrice == nil {
		if err := t.recallPrice(r, l, path); err != nil {
			return err
		}
	}
	if !r.TotalLine(l, was, path) {
		return nil
	}
	if l.Type == was.Type && l.SKU == was.SKU && l.UnitPrice == was.UnitPrice {
		return nil
	}
	return t.remember(l, r.Currency)
}

// recallPrice gives a new line the price that was last used for its like.
func (t *tx) recallPrice(r *billing.Revision, l *billing.LineItem, path string) error {
	if len(r.Refused) > 0 {
		return nil // context_type and sku may be wrong
	}
	price, known, err := t.lastPrice(l, r.Currency)
	if !known {
		r.Refused.Add(path+"unit_price", "is required: no price is known yet for this sku")
	}
	l.UnitPrice = price
	return err
}

// catalogueRecord remembers what an organization last charged for a SKU, by
// context type and currency. Its uid is the context_type_uid of the lines.
type catalogueRecord struct {
	ID        uid.ID        `cbor:"1,keyasint"`
	UnitPrice billing.Cents `cbor:"2,keyasint"`
	UpdatedAt stamp         `cbor:"3,keyasint"`
}

// lastPrice is the unit price last used for such a line; false if there is none.
func (t *tx) lastPrice(l *billing.LineItem, c billing.Currency) (billing.Cents, bool, error) {
	var entry catalogueRecord
	err := recall(t, keyCatalogue(t.by.OrgID, l.Type, c, l.SKU), famCatalogue, &entry)
	if errors.Is(err, ErrNotFound) {
		return 0, false, nil
	}
	return entry.UnitPrice, err == nil, err
}

// remember makes l's price the last one used, and gives l the uid of its entry.
func (t *tx) remember(l *billing.LineItem, c billing.Currency) error {
	key := keyCatalogue(t.by.OrgID, l.Type, c, l.SKU)
	var entry catalogueRecord
	err := recall(t, key, famCatalogue, &entry)
	switch {
	case errors.Is(err, ErrNotFound):
		if entry.ID, err = t.store.ids.New(); err == nil {
			err = t.count(func(c *counts) { c.Catalogue++ })
		}
	case err == nil && entry.UnitPrice == l.UnitPrice:
		l.TypeID = entry.ID
		return nil
	}
	if err != nil {
		return err
	}
	l.TypeID = entry.ID
	entry.UnitPrice, entry.UpdatedAt = l.UnitPrice, stampOf(t.now)
	return put(t, key, famCatalogue, &entry)
}
