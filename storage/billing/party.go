package billing

import (
	"time"

	"exante/auth/uid"
	"exante/storage/input"
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

// Apply gives p the fields sent. A new contact has no ID yet.
// Errors: *input.InvalidError.
func (patch *PartyPatch) Apply(p *Party) error {
	var refused input.Refusals
	if patch.Name != nil || p.Name == "" {
		p.Name = refused.Text("name", deref(patch.Name), 1, 200)
	}
	if patch.Address != nil {
		p.Address = refused.Lines("address", *patch.Address, 1000)
	}
	if patch.Contact != nil {
		p.Contact = (*patch.Contact).contact(p.Contact, &refused)
	}
	return refused.Err()
}

// contact is the draft in the place of had.
func (d *ContactDraft) contact(had *Contact, refused *input.Refusals) *Contact {
	if d == nil {
		return nil
	}
	c := &Contact{
		Name:  refused.Text("billing_contact.name", d.Name, 1, 200),
		Title: refused.Text("billing_contact.title", d.Title, 0, 200),
		Email: refused.Text("billing_contact.email", d.Email, 0, 254),
		Phone: refused.Text("billing_contact.phone", d.Phone, 0, 50),
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

// Equals compares all that a client can change.
func (p *Party) Equals(o *Party) bool {
	if p.Contact == nil || o.Contact == nil {
		return p.Contact == o.Contact && p.Name == o.Name && p.Address == o.Address
	}
	return *p.Contact == *o.Contact && p.Name == o.Name && p.Address == o.Address
}
