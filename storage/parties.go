package storage

import (
	"context"

	"exante/auth"
	"exante/auth/uid"
	"exante/storage/billing"
	"exante/storage/index"
	"exante/storage/input"
	"exante/storage/kv"
)

// partyRecord is a party on disk. Its IDs are in the key, or in the invoice that keeps it.
type partyRecord struct {
	Version   uint64         `cbor:"1,keyasint"`
	Name      string         `cbor:"2,keyasint"`
	Address   string         `cbor:"3,keyasint,omitempty"`
	Contact   *contactRecord `cbor:"4,keyasint,omitempty"`
	CreatedAt stamp          `cbor:"5,keyasint"`
	UpdatedAt stamp          `cbor:"6,keyasint"`
}

type contactRecord struct {
	ID    uid.ID `cbor:"1,keyasint"`
	Name  string `cbor:"2,keyasint,omitempty"`
	Title string `cbor:"3,keyasint,omitempty"`
	Email string `cbor:"4,keyasint,omitempty"`
	Phone string `cbor:"5,keyasint,omitempty"`
}

func partyRecordOf(p *billing.Party) partyRecord {
	return partyRecord{p.Version, p.Name, p.Address, (*contactRecord)(p.Contact), stampOf(p.CreatedAt), stampOf(p.UpdatedAt)}
}

func (r *partyRecord) party(org, id uid.ID) billing.Party {
	return billing.Party{
		ID: id, OrgID: org, Version: r.Version, Name: r.Name, Address: r.Address, Contact: (*billing.Contact)(r.Contact),
		CreatedAt: r.CreatedAt.time(), UpdatedAt: r.UpdatedAt.time(),
	}
}

// CreateParty makes a party. Errors: *input.InvalidError, and those of Once.
func (s *Store) CreateParty(ctx context.Context, by auth.Principal, patch billing.PartyPatch, once ...*Once[billing.Party]) (billing.Party, error) {
	id, err := s.ids.New()
	if err != nil {
		return billing.Party{}, err
	}
	var p billing.Party
	err = s.update(ctx, by, only(once).around(&p, func(t *tx) error {
		p = billing.Party{ID: id, OrgID: by.OrgID, CreatedAt: t.now}
		if err := patch.Apply(&p); err != nil {
			return err
		}
		if err := t.count(func(c *counts) { c.Parties++ }); err != nil {
			return err
		}
		return t.writeParty(&p, partyCreate)
	}))
	return p, err
}

// Party is one party of an organization; ErrNotFound.
func (s *Store) Party(ctx context.Context, org, id uid.ID) (billing.Party, error) {
	var p billing.Party
	err := s.db.View(ctx, func(r kv.Reader) (err error) {
		p, err = readParty(r, org, id)
		return err
	})
	return p, err
}

// UpdateParty changes the fields sent; an update without a change writes
// nothing. Invoices that were sent keep the party as it was. ifMatch 0: any
// version. Errors: ErrNotFound, ErrConflict, *input.InvalidError.
func (s *Store) UpdateParty(ctx context.Context, by auth.Principal, id uid.ID, patch billing.PartyPatch, ifMatch uint64) (billing.Party, error) {
	var p billing.Party
	err := s.update(ctx, by, func(t *tx) (err error) {
		if p, err = readParty(t, by.OrgID, id); err != nil {
			return err
		}
		if ifMatch != 0 && ifMatch != p.Version {
			return ErrConflict
		}
		had := p
		if err := patch.Apply(&p); err != nil || p.Equals(&had) {
			return err
		}
		return t.writeParty(&p, partyUpdate)
	})
	return p, err
}

// writeParty is keepParty with an audit record.
func (t *tx) writeParty(p *billing.Party, a Action) error {
	if err := t.keepParty(p); err != nil {
		return err
	}
	return t.audit(a, p.ID, nil)
}

// keepParty records a changed party, and has the list and the bodies that show it
// follow once it is durable.
func (t *tx) keepParty(p *billing.Party) error {
	p.Version++
	p.UpdatedAt = t.now
	if err := t.nameContact(p); err != nil {
		return err
	}
	record := partyRecordOf(p)
	if err := put(t, keyParty(p.OrgID, p.ID), famParty, &record); err != nil {
		return err
	}
	store, org, name, shown := t.store, p.OrgID, nameRowOf(p), p.Name
	t.OnCommit(func() {
		store.parties.Put(org, name)
		store.lists.Rename(org, name.ID, shown)
		store.bodies.Outdate(name.ID)
	})
	return nil
}

// nameContact gives a new contact its uid.
func (t *tx) nameContact(p *billing.Party) (err error) {
	if p.Contact != nil && p.Contact.ID.IsZero() {
		p.Contact.ID, err = t.store.ids.New()
	}
	return err
}

func nameRowOf(p *billing.Party) index.Name {
	return index.Name{ID: p.ID, Folded: input.Fold(p.Name), Created: p.CreatedAt.UnixMilli()}
}

// PartyQuery selects, orders and pages parties.
type PartyQuery struct {
	Search        string // part of the name, without regard to case; "": any
	Sort          string // "name" (without regard to case) or "created_at", the default
	Desc          bool   // reverses the order, ties by uid included
	Page, PerPage int    // from 1
}

// Parties is one page of the parties that match, and how many match in all.
func (s *Store) Parties(ctx context.Context, org uid.ID, q PartyQuery) (items []billing.Party, total int, err error) {
	ids, total := s.parties.Find(org, index.NameQuery{
		Contains: input.Fold(q.Search), ByName: q.Sort == "name", Desc: q.Desc,
		Offset: offset(q.Page, q.PerPage), Limit: q.PerPage,
	})
	items = make([]billing.Party, 0, len(ids))
	err = s.db.View(ctx, func(r kv.Reader) error {
		found, err := readParties(r, org, ids)
		for _, id := range ids {
			items = append(items, found[id])
		}
		return err
	})
	return items, total, err
}

// readParty reads one party; ErrNotFound.
func readParty(r kv.Reader, org, id uid.ID) (billing.Party, error) {
	var record partyRecord
	if err := get(r, keyParty(org, id), famParty, &record); err != nil {
		return billing.Party{}, err
	}
	return record.party(org, id), nil
}

// scanParties reads all parties of an organization, by creation.
func scanParties(r kv.Reader, org uid.ID, fn func(*billing.Party) error) error {
	return scan(r, inFamily(org, famParty), famParty, func(key []byte, record *partyRecord) error {
		id, err := idAt(key, orgKeyHead)
		if err != nil {
			return err
		}
		p := record.party(org, id)
		return fn(&p)
	})
}

// readParties reads parties of which other records say that they exist.
func readParties(r kv.Reader, org uid.ID, ids []uid.ID) (map[uid.ID]billing.Party, error) {
	parties := make(map[uid.ID]billing.Party, len(ids))
	keys := make([][]byte, len(ids))
	for i, id := range ids {
		keys[i] = keyParty(org, id)
	}
	values, err := r.GetMany(keys)
	if err != nil {
		return nil, err
	}
	for i, value := range values {
		if value == nil {
			return nil, missing(ErrNotFound, "party", keys[i])
		}
		var record partyRecord
		if err := open(keys[i], famParty, value, &record); err != nil {
			return nil, err
		}
		parties[ids[i]] = record.party(org, ids[i])
	}
	return parties, nil
}

// offset is the number of rows before a page.
func offset(page, perPage int) int {
	const most = 1 << 40
	return (min(max(page, 1), most/max(perPage, 1)) - 1) * perPage
}
