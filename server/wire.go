package server

import (
	"exante/server/filter"
	"exante/storage/billing"
)

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
func page[T any](w *jsonWriter, q *filter.Query, path string, at paging, items []T, item func(*jsonWriter, *T)) {
	w.open('{')
	w.name("items")
	w.open('[')
	for i := range items {
		item(w, &items[i])
	}
	w.close(']')

	w.name("_meta")
	at.writeMeta(w)
	w.name("_links")
	at.writeLinks(w, q, path)
	w.close('}')
}

// paging is where a page stands in its list: by its number, or in a walk, which
// has no numbers and goes forward only.
type paging struct {
	page, perPage, total int
	walk                 bool
	next                 string // cursor of the next page of a walk, "" at its end
}

func (at paging) pages() int { return (at.total + at.perPage - 1) / at.perPage }

func (at paging) writeMeta(w *jsonWriter) {
	w.open('{')
	if at.walk {
		w.null("page")
	} else {
		w.int("page", int64(at.page))
	}
	w.int("per_page", int64(at.perPage))
	w.int("total_pages", int64(at.pages()))
	w.int("total_items", int64(at.total))
	w.close('}')
}

func (at paging) writeLinks(w *jsonWriter, q *filter.Query, path string) {
	var next, prev string
	switch {
	case at.walk && at.next != "":
		next = q.Link(path, "cursor", at.next)
	case at.walk:
	default:
		if n := at.page + 1; n <= at.pages() {
			next = q.PageLink(path, n)
		}
		if n := min(at.page-1, at.pages()); n >= 1 {
			prev = q.PageLink(path, n)
		}
	}
	w.open('{')
	w.text("self", q.Link(path, "", ""))
	w.text("next", next)
	w.text("prev", prev)
	w.close('}')
}

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
