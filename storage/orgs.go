package storage

import (
	"context"
	"errors"
	"strings"
	"time"

	"exante/auth"
	"exante/auth/uid"
	"exante/storage/billing"
	"exante/storage/input"
	"exante/storage/kv"
)

// Organization owns everything else.
type Organization struct {
	ID        uid.ID
	Name      string
	Currency  billing.Currency // default of stats and new invoices
	CreatedAt time.Time
	UpdatedAt time.Time
	Version   uint64
}

// OrgDraft is a new organization and its owner, who has no password until set up.
type OrgDraft struct {
	Name       string // 1..200 characters
	OwnerEmail string // "": owner@<org uid>.invalid
}

// maxName is the length in characters of every name of an organization, a
// person, a key or a party.
const maxName = 200

// orgRecord is an organization on disk; its ID is in the key.
type orgRecord struct {
	Name      string           `cbor:"1,keyasint"`
	Currency  billing.Currency `cbor:"2,keyasint"`
	CreatedAt stamp            `cbor:"3,keyasint"`
	UpdatedAt stamp            `cbor:"4,keyasint"`
	Version   uint64           `cbor:"5,keyasint"`
}

func recordOfOrg(o Organization) *orgRecord {
	return &orgRecord{o.Name, o.Currency, stampOf(o.CreatedAt), stampOf(o.UpdatedAt), o.Version}
}

func (r *orgRecord) organization(id uid.ID) Organization {
	return Organization{id, r.Name, r.Currency, r.CreatedAt.time(), r.UpdatedAt.time(), r.Version}
}

// CreateOrg makes an organization and its owner. Errors: input.ErrInvalid; ErrExists
// if the owner's address is taken.
func (s *Store) CreateOrg(ctx context.Context, by auth.Principal, d OrgDraft) (Organization, User, error) {
	var bad input.Refusals
	org := Organization{Name: bad.Text("name", d.Name, 1, maxName), Currency: billing.DefaultCurrency, Version: 1}
	var err error
	if org.ID, err = s.ids.New(); err != nil {
		return Organization{}, User{}, err
	}
	if d.OwnerEmail == "" {
		d.OwnerEmail = "owner@" + org.ID.String() + ".invalid" // RFC 2606: never a real one
	}
	owner := User{Email: bad.Email("owner_email", d.OwnerEmail), Role: Owner}
	if err := bad.Err(); err != nil {
		return Organization{}, User{}, err
	}
	by.OrgID = org.ID
	err = s.update(ctx, by, func(t *tx) error {
		org.CreatedAt, org.UpdatedAt = t.now, t.now
		if err := t.insertOrg(org); err != nil {
			return err
		}
		var err error
		owner, err = t.insertUser(owner, "owner_email")
		return err
	})
	if err != nil {
		return Organization{}, User{}, err
	}
	return org, owner, nil
}

// insertOrg writes a new organization that has nothing yet.
func (t *tx) insertOrg(o Organization) error {
	var totals totalsRecord
	if err := missing(get(t, keyTotals(), famTotals, &totals), "record", keyTotals()); err != nil {
		return err
	}
	totals.Orgs++
	return errors.Join(
		put(t, keyTotals(), famTotals, &totals),
		insert(t, keyOrg(o.ID), famOrg, recordOfOrg(o)),
		insert(t, keyCounts(o.ID), famCounts, &counts{}),
		t.audit(orgCreate, o.ID, nil),
	)
}

// Org is one organization; ErrNotFound.
func (s *Store) Org(ctx context.Context, org uid.ID) (Organization, error) {
	var o Organization
	err := s.db.View(ctx, func(r kv.Reader) (err error) {
		o, err = orgOf(r, org)
		return err
	})
	return o, err
}

// OrgPatch carries what of an organization is to change; nil: unchanged. Amounts have
// a currency of their own, so another default changes none of them.
type OrgPatch struct {
	Name     *string // 1..200 characters
	Currency *billing.Currency
}

// UpdateOrg changes by's organization. What has its value already is no change, and an
// update without a change writes nothing. ifMatch 0: any version. Errors:
// input.ErrInvalid, ErrNotFound, ErrConflict.
func (s *Store) UpdateOrg(ctx context.Context, by auth.Principal, p OrgPatch, ifMatch uint64) (Organization, error) {
	var org Organization
	err := s.update(ctx, by, func(t *tx) (err error) {
		if org, err = orgOf(t, by.OrgID); err != nil {
			return err
		}
		if ifMatch != 0 && ifMatch != org.Version {
			return ErrConflict
		}
		fields, err := p.apply(&org)
		if err != nil || len(fields) == 0 {
			return err
		}
		org.UpdatedAt = t.now
		org.Version++
		return errors.Join(
			put(t, keyOrg(org.ID), famOrg, recordOfOrg(org)),
			t.audit(orgUpdate, org.ID, Detail{"fields": strings.Join(fields, " ")}),
		)
	})
	if err != nil {
		return Organization{}, err
	}
	return org, nil
}

// apply changes o and returns the names of the fields that it changed.
func (p OrgPatch) apply(o *Organization) (fields []string, err error) {
	var bad input.Refusals
	had := *o
	if p.Name != nil {
		o.Name = bad.Text("name", *p.Name, 1, maxName)
	}
	if p.Currency != nil {
		o.Currency = *p.Currency
		if _, ok := billing.ParseCurrency(string(o.Currency)); !ok {
			bad.Add("currency", "is no active ISO 4217 code")
		}
	}
	if o.Name != had.Name {
		fields = append(fields, "name")
	}
	if o.Currency != had.Currency {
		fields = append(fields, "currency")
	}
	return fields, bad.Err()
}

// orgOf reads one organization; ErrNotFound.
func orgOf(r kv.Reader, org uid.ID) (Organization, error) {
	var rec orgRecord
	if err := get(r, keyOrg(org), famOrg, &rec); err != nil {
		return Organization{}, err
	}
	return rec.organization(org), nil
}

// Orgs are all organizations, by creation.
func (s *Store) Orgs(ctx context.Context) ([]Organization, error) {
	var orgs []Organization
	err := s.db.View(ctx, func(r kv.Reader) (err error) {
		orgs, err = allOrgs(r)
		return err
	})
	return orgs, err
}

func allOrgs(r kv.Reader) ([]Organization, error) {
	var totals totalsRecord
	if err := missing(get(r, keyTotals(), famTotals, &totals), "record", keyTotals()); err != nil {
		return nil, err
	}
	orgs := []Organization{}
	err := scan(r, inGlobal(famOrg), famOrg, func(key []byte, rec *orgRecord) error {
		id, err := idAt(key, globalKeyHead)
		orgs = append(orgs, rec.organization(id))
		return err
	})
	if err != nil {
		return nil, err
	}
	return orgs, agree("organizations", len(orgs), totals.Orgs)
}
