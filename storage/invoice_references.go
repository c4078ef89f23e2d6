package storage

import (
	"errors"

	"exante/auth/uid"
	"exante/storage/billing"
	"exante/storage/kv"
)

// What a change of an invoice reads and writes beside the invoice: the party,
// the owner, the register of numbers, the catalogue.

// numberRecord says whose number it is.
type numberRecord struct {
	Invoice uid.ID `cbor:"1,keyasint"`
}

// apply makes of an invoice what p asks for.
func (t *tx) apply(r *billing.Revision, p *billing.InvoicePatch) error {
	wasOverdue := r.StatusAt(t.now) == billing.Overdue
	if err := t.amend(r, p); err != nil {
		return err
	}
	return t.move(r, p, wasOverdue)
}

// amend applies all of p but the status.
func (t *tx) amend(r *billing.Revision, p *billing.InvoicePatch) error {
	had := *r.Invoice
	r.Apply(p)
	if r.PartyID != had.PartyID {
		if err := t.takeClient(r); err != nil {
			return err
		}
	}
	if err := r.Err(); err != nil {
		return err
	}
	if r.Number != had.Number {
		if err := t.renumber(r, had.Number); err != nil {
			return err
		}
	}
	if r.Currency != had.Currency {
		for i := range r.Lines {
			if err := t.remember(&r.Lines[i], r.Currency); err != nil {
				return err
			}
		}
	}
	return r.Sum()
}

// move gives the status that p asks for.
func (t *tx) move(r *billing.Revision, p *billing.InvoicePatch, wasOverdue bool) error {
	if err := r.Move(p, wasOverdue); err != nil {
		return err
	}
	if r.NeedsNumber() {
		return t.assignNumber(r)
	}
	return nil
}

// takeClient reads the party that the invoice now names.
func (t *tx) takeClient(r *billing.Revision) (err error) {
	var record partyRecord
	err = recall(t, keyParty(r.OrgID, r.PartyID), famParty, &record)
	if errors.Is(err, ErrNotFound) {
		r.Client = billing.Party{}
		r.Refused.Add("target_party_uid", "names no party of this organization")
		return nil
	}
	r.Client = record.party(r.OrgID, r.PartyID)
	return err
}

// takeOwner gives a new invoice the owner sent, or else the user who acts, or
// else the owner of the organization.
func (t *tx) takeOwner(r *billing.Revision, sent *uid.ID) (err error) {
	switch {
	case sent != nil:
		r.OwnerID = *sent
	case !t.by.UserID.IsZero():
		r.OwnerID = t.by.UserID
	default:
		owner, err := ownerOf(t, r.OrgID)
		r.OwnerID = owner.ID
		return err
	}
	err = recall(t, keyUser(r.OrgID, r.OwnerID), famUser, &userRecord{})
	if errors.Is(err, ErrNotFound) {
		r.Refused.Add("owner_uid", "names no user of this organization")
		return nil
	}
	return err
}

// renumber moves the invoice in the register of numbers.
func (t *tx) renumber(r *billing.Revision, had string) error {
	if err := t.releaseNumber(r.OrgID, had); err != nil {
		return err
	}
	if r.Number == "" {
		return nil
	}
	return t.takeNumber(r)
}

// releaseNumber takes a number, if it is one, out of the register.
func (t *tx) releaseNumber(org uid.ID, number string) error {
	if number == "" {
		return nil
	}
	if err := t.Delete(keyNumber(org, number)); err != nil {
		return err
	}
	return t.count(func(c *counts) { c.Numbers-- })
}

// takeNumber enters r's number. The key is read and written in this transaction,
// which makes numbers unique.
func (t *tx) takeNumber(r *billing.Revision) error {
	err := insert(t, keyNumber(r.OrgID, r.Number), famNumber, &numberRecord{r.ID})
	if errors.Is(err, kv.ErrExists) {
		return &ExistsError{Field: "invoice_number"}
	}
	if err != nil {
		return err
	}
	return t.count(func(c *counts) { c.Numbers++ })
}

// assignNumber gives the next number of the organization's series. It has no gap,
// since it is counted in the transaction that uses the number. After a change of
// the pattern a client's own number may be in the way: that is *ExistsError,
// until the pattern or that number is changed.
func (t *tx) assignNumber(r *billing.Revision) error {
	err := t.count(func(c *counts) {
		c.LastSeries++
		r.GiveNumber(c.LastSeries)
	})
	if err != nil {
		return err
	}
	return t.takeNumber(r)
}
