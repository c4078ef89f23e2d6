package server

import "exante/storage"

// writeParty is a party, alone and as the client of an invoice.
func writeParty(w *jsonWriter, p *storage.Party) {
	w.open('{')
	w.id("uid", p.ID)
	w.text("name", p.Name)
	w.text("address", p.Address)
	writeContact(w, p)
	w.text("role", "client")
	w.time("created_at", p.CreatedAt)
	w.time("updated_at", p.UpdatedAt)
	w.close('}')
}

func writeContact(w *jsonWriter, p *storage.Party) {
	if p.Contact == nil {
		w.null("billing_contact")
		return
	}
	w.name("billing_contact")
	w.open('{')
	w.id("uid", p.Contact.ID)
	w.id("party_uid", p.ID)
	w.text("name", p.Contact.Name)
	w.text("title", p.Contact.Title)
	w.text("email", p.Contact.Email)
	w.text("phone", p.Contact.Phone)
	w.close('}')
}
