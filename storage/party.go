package storage

import (
	"time"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"exante/auth/uid"
	"exante/storage/kv"
)

// Party is a business partner that invoices go to.
type Party struct {
	ID, OrgID            uid.ID
	Name                 string
	Address              string
	Contact              *Contact // billing contact; nil: none
	CreatedAt, UpdatedAt time.Time
	Version              uint64 // grows with every change
}

// Contact is the person at a party who deals with invoices. It has a uid of its
// own, which stays while there is a contact.
type Contact struct {
	ID                        uid.ID
	Name, Title, Email, Phone string
}

// PartyPatch carries the fields sent; nil: unchanged. A pointer to "" clears.
type PartyPatch struct {
	Name    *string        // 1..200, required on creation
	Address *string        // 0..1000
	Contact **ContactDraft // pointer to nil clears
}

// ContactDraft is a billing contact as asked for; it replaces all of the old one.
type ContactDraft struct {
	Name  string // 1..200
	Title string // 0..200
	Email string // 0..254
	Phone string // 0..50
}

// apply gives p the fields sent. A new contact has no ID yet.
func (patch *PartyPatch) apply(p *Party) error {
	var refused refusals
	if patch.Name != nil || p.Name == "" {
		p.Name = refused.text("name", deref(patch.Name), 1, 200)
	}
	if patch.Address != nil {
		p.Address = refused.lines("address", *patch.Address, 1000)
	}
	if patch.Contact != nil {
		p.Contact = (*patch.Contact).contact(p.Contact, &refused)
	}
	return refused.err()
}

// contact is the draft in the place of had.
func (d *ContactDraft) contact(had *Contact, refused *refusals) *Contact {
	if d == nil {
		return nil
	}
	c := &Contact{
		Name:  refused.text("billing_contact.name", d.Name, 1, 200),
		Title: refused.text("billing_contact.title", d.Title, 0, 200),
		Email: refused.text("billing_contact.email", d.Email, 0, 254),
		Phone: refused.text("billing_contact.phone", d.Phone, 0, 50),
	}
	if had != nil {
		c.ID = had.ID
	}
	return c
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// equals compares all that a client can change.
func (p *Party) equals(o *Party) bool {
	if p.Contact == nil || o.Contact == nil {
		return p.Contact == o.Contact && p.Name == o.Name && p.Address == o.Address
	}
	return *p.Contact == *o.Contact && p.Name == o.Name && p.Address == o.Address
}

// folded is the form in which names are compared and searched: composed, and
// without case by the rules of Unicode rather than of one language.
func folded(text string) string { return norm.NFC.String(cases.Fold().String(norm.NFC.String(text))) }

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

func partyRecordOf(p *Party) partyRecord {
	return partyRecord{p.Version, p.Name, p.Address, (*contactRecord)(p.Contact), stampOf(p.CreatedAt), stampOf(p.UpdatedAt)}
}

func (r *partyRecord) party(org, id uid.ID) Party {
	return Party{
		ID: id, OrgID: org, Version: r.Version, Name: r.Name, Address: r.Address, Contact: (*Contact)(r.Contact),
		CreatedAt: r.CreatedAt.time(), UpdatedAt: r.UpdatedAt.time(),
	}
}

// readParty reads one party; ErrNotFound.
func readParty(r kv.Reader, org, id uid.ID) (Party, error) {
	var record partyRecord
	if err := get(r, keyParty(org, id), famParty, &record); err != nil {
		return Party{}, err
	}
	return record.party(org, id), nil
}

// scanParties reads all parties of an organization, by creation.
func scanParties(r kv.Reader, org uid.ID, fn func(*Party) error) error {
	return scan(r, inFamily(org, famParty), famParty, func(key []byte, record *partyRecord) error {
		id, err := idAt(key, orgKeyHead)
		if err != nil {
			return err
		}
		p := record.party(org, id)
		return fn(&p)
	})
}
