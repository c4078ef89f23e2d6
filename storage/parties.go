package storage

import (
	"context"

	"exante/auth"
	"exante/auth/uid"
	"exante/storage/index"
	"exante/storage/kv"
)

// CreateParty makes a party. Errors: *InvalidError.
func (s *Store) CreateParty(ctx context.Context, by auth.Principal, patch PartyPatch) (Party, error) {
	id, err := s.ids.New()
	if err != nil {
		return Party{}, err
	}
	var p Party
	err = s.update(ctx, by, func(t *tx) error {
		p = Party{ID: id, OrgID: by.OrgID, CreatedAt: t.now}
		if err := patch.apply(&p); err != nil {
			return err
		}
		if err := t.count(func(c *counts) { c.Parties++ }); err != nil {
			return err
		}
		return t.writeParty(&p, partyCreate)
	})
	return p, err
}

// Party is one party of an organization; ErrNotFound.
func (s *Store) Party(ctx context.Context, org, id uid.ID) (Party, error) {
	var p Party
	err := s.db.View(ctx, func(r kv.Reader) (err error) {
		p, err = readParty(r, org, id)
		return err
	})
	return p, err
}

// UpdateParty changes the fields sent; an update without a change writes
// nothing. Invoices that were sent keep the party as it was. ifMatch 0: any
// version. Errors: ErrNotFound, ErrConflict, *InvalidError.
func (s *Store) UpdateParty(ctx context.Context, by auth.Principal, id uid.ID, patch PartyPatch, ifMatch uint64) (Party, error) {
	var p Party
	err := s.update(ctx, by, func(t *tx) (err error) {
		if p, err = readParty(t, by.OrgID, id); err != nil {
			return err
		}
		if ifMatch != 0 && ifMatch != p.Version {
			return ErrConflict
		}
		had := p
		if err := patch.apply(&p); err != nil || p.equals(&had) {
			return err
		}
		return t.writeParty(&p, partyUpdate)
	})
	return p, err
}

// writeParty records a changed party with its audit record, and has the list and
// the bodies that show it follow once it is durable.
func (t *tx) writeParty(p *Party, a Action) (err error) {
	p.Version++
	p.UpdatedAt = t.now
	if p.Contact != nil && p.Contact.ID.IsZero() {
		if p.Contact.ID, err = t.store.ids.New(); err != nil {
			return err
		}
	}
	record := partyRecordOf(p)
	if err := put(t, keyParty(p.OrgID, p.ID), famParty, &record); err != nil {
		return err
	}
	if err := t.audit(a, p.ID, nil); err != nil {
		return err
	}
	store, org, name := t.store, p.OrgID, nameRowOf(p)
	t.OnCommit(func() {
		store.parties.Put(org, name)
		store.bodies.Outdate(name.ID)
	})
	return nil
}

func nameRowOf(p *Party) index.Name {
	return index.Name{ID: p.ID, Folded: folded(p.Name), Created: p.CreatedAt.UnixMilli()}
}

// PartyQuery selects, orders and pages parties.
type PartyQuery struct {
	Search        string // part of the name, without regard to case; "": any
	Sort          string // "name" (without regard to case) or "created_at", the default
	Desc          bool   // reverses Sort; ties stay by uid, ascending
	Page, PerPage int    // from 1
}

// Parties is one page of the parties that match, and how many match in all.
func (s *Store) Parties(ctx context.Context, org uid.ID, q PartyQuery) (items []Party, total int, err error) {
	ids, total := s.parties.Find(org, index.NameQuery{
		Contains: folded(q.Search), ByName: q.Sort == "name", Desc: q.Desc,
		Offset: offset(q.Page, q.PerPage), Limit: q.PerPage,
	})
	items = make([]Party, 0, len(ids))
	err = s.db.View(ctx, func(r kv.Reader) error {
		found, err := readParties(r, org, ids)
		for _, id := range ids {
			items = append(items, found[id])
		}
		return err
	})
	return items, total, err
}

// readParties reads parties of which other records say that they exist.
func readParties(r kv.Reader, org uid.ID, ids []uid.ID) (map[uid.ID]Party, error) {
	parties := make(map[uid.ID]Party, len(ids))
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
