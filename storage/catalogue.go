package storage

import (
	"errors"

	"exante/auth/uid"
)

// catalogueRecord remembers what an organization last charged for a SKU, by
// context type and currency. Its uid is the context_type_uid of the lines.
type catalogueRecord struct {
	ID        uid.ID `cbor:"1,keyasint"`
	UnitPrice Cents  `cbor:"2,keyasint"`
	UpdatedAt stamp  `cbor:"3,keyasint"`
}

// lastPrice is the unit price last used for such a line; false if there is none.
func (t *tx) lastPrice(l *LineItem, c Currency) (Cents, bool, error) {
	var entry catalogueRecord
	err := get(t, keyCatalogue(t.by.OrgID, l.Type, c, l.SKU), famCatalogue, &entry)
	if errors.Is(err, ErrNotFound) {
		return 0, false, nil
	}
	return entry.UnitPrice, err == nil, err
}

// remember makes l's price the last one used, and gives l the uid of its entry.
func (t *tx) remember(l *LineItem, c Currency) error {
	key := keyCatalogue(t.by.OrgID, l.Type, c, l.SKU)
	var entry catalogueRecord
	err := get(t, key, famCatalogue, &entry)
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
