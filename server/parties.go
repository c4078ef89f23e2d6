package server

import (
	"time"

	"exante/server/filter"
	"exante/storage"
	"exante/storage/billing"
)

func getParty(x *exchange) error {
	p, err := x.store.Party(x.ctx(), x.org(), x.pathID())
	if err != nil {
		return err
	}
	return x.answerParty(200, "Party retrieved", &p)
}

func createParty(x *exchange) error {
	patch, err := readParty(x.body(), true)
	if err != nil {
		return err
	}
	p := post(x, &partyCreated)
	made, err := x.store.CreateParty(x.ctx(), x.by(), patch, p.once)
	if err != nil {
		return err
	}
	return p.answer(made)
}

var partyCreated = receipt[billing.Party]{201, "Party created",
	func(p billing.Party) uint64 { return p.Version },
	func(_ *exchange, w *jsonWriter, p billing.Party, _ time.Time) { writeParty(w, &p) },
}

func updateParty(x *exchange) error {
	patch, err := readParty(x.body(), false)
	if err != nil {
		return err
	}
	p, err := x.store.UpdateParty(x.ctx(), x.by(), x.pathID(), patch, x.ifMatch())
	if err != nil {
		return err
	}
	return x.answerParty(200, "Party updated", &p)
}

func listParties(x *exchange) error {
	q := x.query()
	pq, err := readPartyQuery(q)
	if err != nil {
		return err
	}
	items, total, err := x.store.Parties(x.ctx(), x.org(), pq)
	if err != nil {
		return err
	}
	return x.answer(200, "Parties retrieved", func(w *jsonWriter) {
		page(w, q, "/api/parties", paging{page: pq.Page, perPage: pq.PerPage, total: total}, items, writeParty)
	})
}

func (x *exchange) answerParty(status int, message string, p *billing.Party) error {
	return x.tag(p.Version).answer(status, message, func(w *jsonWriter) { writeParty(w, p) })
}

func readPartyQuery(q *filter.Query) (pq storage.PartyQuery, err error) {
	pq.Page, pq.PerPage = q.Page()
	pq.Search = q.Text("search", 200)
	pq.Sort, pq.Desc = q.Sort([]string{"name", "created_at"}, "-created_at")
	return pq, q.Done()
}

// readParty reads the body of a creation or an update.
func readParty(body []byte, creation bool) (billing.PartyPatch, error) {
	f, err := readObject(body)
	if err != nil {
		return billing.PartyPatch{}, err
	}
	if creation {
		f.require("name")
	}
	return billing.PartyPatch{
		Name:    f.text("name", length{1, 200}),
		Address: f.textOrNull("address", length{0, 1000}),
		Contact: readContact(f),
	}, f.done()
}

// readContact reads billing_contact. Members of it that are in skip mean nothing.
func readContact(f *fields, skip ...string) **billing.ContactDraft {
	if f.tookNull("billing_contact") {
		return new(*billing.ContactDraft)
	}
	v, sent := f.take("billing_contact")
	if !sent {
		return nil
	}
	c := openObject(f.problems, f.path+"billing_contact", v)
	c.drop(skip...)
	c.require("name")
	draft := &billing.ContactDraft{
		Name:  orEmpty(c.text("name", length{1, 200})),
		Title: orEmpty(c.textOrNull("title", length{0, 200})),
		Email: orEmpty(c.textOrNull("email", length{0, 254})),
		Phone: orEmpty(c.textOrNull("phone", length{0, 50})),
	}
	c.unknown()
	return &draft
}

func orEmpty(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
