package server

import "exante/storage/billing"

// The shapes of answers stand here and in wire_invoice.go and wire_key.go:
// one function a shape, one line a member, in the order in which it is written.
// Each writes a value at the place where the jsonWriter stands. Around them are
// success and page, here, and failure (errors.go).

// success writes the envelope of every answer under /api that is no error.
func (w *jsonWriter) success(status int, message string, data func(w *jsonWriter)) {
	w.open('{')
	w.text("status", "success")
	w.int("status_code", int64(status))
	w.text("message", message)
	w.name("data")
	data(w)
	w.close('}')
}

// page writes the data of a list: items, where the page stands, and its
// neighbours as absolute-path references.
func page[T any](w *jsonWriter, q *query, path string, at paging, items []T, item func(*jsonWriter, *T)) {
	w.open('{')
	w.name("items")
	w.open('[')
	for i := range items {
		item(w, &items[i])
	}
	w.close(']')

	pages := (at.total + at.perPage - 1) / at.perPage
	w.name("_meta")
	w.open('{')
	w.int("page", int64(at.page))
	w.int("per_page", int64(at.perPage))
	w.int("total_pages", int64(pages))
	w.int("total_items", int64(at.total))
	w.close('}')

	w.name("_links")
	w.open('{')
	w.text("self", q.link(path, at.page))
	if next := at.page + 1; next <= pages {
		w.text("next", q.link(path, next))
	} else {
		w.null("next")
	}
	if previous := min(at.page-1, pages); previous >= 1 {
		w.text("prev", q.link(path, previous))
	} else {
		w.null("prev")
	}
	w.close('}')
	w.close('}')
}

// paging is where a page stands in its list.
type paging struct{ page, perPage, total int }

// writeParty is a party, alone and as the client of an invoice.
func writeParty(w *jsonWriter, p *billing.Party) {
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

func writeContact(w *jsonWriter, p *billing.Party) {
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
