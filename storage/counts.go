package storage

import (
	"errors"
	"fmt"

	"exante/auth/uid"
	"exante/storage/kv"
)

// A damaged block can end a scan early without an error. So what an organization
// has is counted in the transaction that adds it, and whoever scans compares.

// counts are what one organization has.
type counts struct {
	Users      uint64 `cbor:"1,keyasint,omitempty"`
	Keys       uint64 `cbor:"2,keyasint,omitempty"`
	Parties    uint64 `cbor:"3,keyasint,omitempty"`
	Invoices   uint64 `cbor:"4,keyasint,omitempty"`
	Payments   uint64 `cbor:"5,keyasint,omitempty"`
	Catalogue  uint64 `cbor:"6,keyasint,omitempty"`
	Numbers    uint64 `cbor:"7,keyasint,omitempty"` // invoices that have a number
	LastSeries uint64 `cbor:"8,keyasint,omitempty"` // place of the last number that the series gave
	Rows       uint64 `cbor:"9,keyasint,omitempty"` // invoices that are listed

	Attachments uint64 `cbor:"20,keyasint,omitempty"`
}

// totalsRecord is what the instance has.
type totalsRecord struct {
	Orgs uint64 `cbor:"1,keyasint,omitempty"`
}

// countsOf reads the counts of an organization; ErrNotFound if there is none.
func countsOf(r kv.Reader, org uid.ID) (counts, error) {
	var c counts
	return c, get(r, keyCounts(org), famCounts, &c)
}

// count changes the counts of the organization that is acted in; ErrNotFound if
// there is none.
func (t *tx) count(change func(*counts)) error {
	if t.counts != nil {
		change(t.counts)
		return nil
	}
	c, err := countsOf(t, t.by.OrgID)
	if err != nil {
		return err
	}
	change(&c)
	return put(t, keyCounts(t.by.OrgID), famCounts, &c)
}

// agree refuses a scan that found another number of records than were counted.
func agree(what string, found int, counted uint64) error {
	if uint64(found) != counted {
		return fmt.Errorf("%w: %d %s found, %d counted", ErrCorrupt, found, what, counted)
	}
	return nil
}

// missing turns an absent record into damage, where another record says that it exists.
func missing(err error, what string, key []byte) error {
	if errors.Is(err, ErrNotFound) {
		return fmt.Errorf("%w: %s %s is missing", ErrCorrupt, what, describe(key))
	}
	return err
}
