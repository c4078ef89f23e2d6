package storage_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"exante/storage"
	"exante/storage/billing"
	"exante/storage/input"
)

func contact(d billing.ContactDraft) **billing.ContactDraft {
	p := &d
	return &p
}

func TestPartyIsKeptAsSent(t *testing.T) {
	b := openBooks(t)
	p, err := b.CreateParty(t.Context(), b.by, billing.PartyPatch{
		Name: new("  Müller & Söhne "), Address: new("Hauptstr. 1 \r\n 12345 Ort\n"),
		Contact: contact(billing.ContactDraft{Name: "Eva", Title: "CFO", Email: "eva@example.com", Phone: "+49 1"}),
	})
	if err != nil {
		t.Fatal(err)
	}
	want := billing.Party{
		ID: p.ID, OrgID: b.org.ID, Name: "Müller & Söhne", Address: "Hauptstr. 1\n12345 Ort",
		Contact:   &billing.Contact{ID: p.Contact.ID, Name: "Eva", Title: "CFO", Email: "eva@example.com", Phone: "+49 1"},
		CreatedAt: b.clock.Now(), UpdatedAt: b.clock.Now(), Version: 1,
	}
	got, err := b.Party(t.Context(), b.org.ID, p.ID)
	if err != nil || !reflect.DeepEqual(got, want) || !reflect.DeepEqual(p, want) || p.ID.IsZero() || p.Contact.ID.IsZero() {
		t.Errorf("answered %+v\nstored %+v, %v\nwant %+v", p, got, err, want)
	}
}

func TestUpdatingAPartyChangesOnlyWhatIsSent(t *testing.T) {
	b := openBooks(t)
	id := b.party.ID
	b.clock.Advance(time.Minute)
	for _, c := range []struct {
		patch  billing.PartyPatch
		change func(*billing.Party)
	}{
		{billing.PartyPatch{Name: new("New")}, func(p *billing.Party) { p.Name = "New" }},
		{billing.PartyPatch{Address: new("There")}, func(p *billing.Party) { p.Address = "There" }},
		{billing.PartyPatch{Contact: contact(billing.ContactDraft{Name: "A", Phone: "1"})},
			func(p *billing.Party) { p.Contact = &billing.Contact{Name: "A", Phone: "1"} }},
		{billing.PartyPatch{Contact: contact(billing.ContactDraft{Name: "B"})},
			func(p *billing.Party) { p.Contact = &billing.Contact{ID: p.Contact.ID, Name: "B"} }},
		{billing.PartyPatch{Contact: new(*billing.ContactDraft)}, func(p *billing.Party) { p.Contact = nil }},
		{billing.PartyPatch{Address: new("")}, func(p *billing.Party) { p.Address = "" }},
	} {
		want, err := b.Party(t.Context(), b.org.ID, id)
		if err != nil {
			t.Fatal(err)
		}
		c.change(&want)
		want.Version++
		want.UpdatedAt = b.clock.Now()
		got, err := b.UpdateParty(t.Context(), b.by, id, c.patch, 0)
		if want.Contact != nil && want.Contact.ID.IsZero() {
			want.Contact.ID = got.Contact.ID
		}
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("after %+v: %+v, %v\nwant %+v", c.patch, got, err, want)
		}
		again, err := b.UpdateParty(t.Context(), b.by, id, c.patch, got.Version)
		if err != nil || again.Version != got.Version {
			t.Errorf("%+v sent again made version %d of %d, %v", c.patch, again.Version, got.Version, err)
		}
	}
}

func TestPartyNamesAllThatIsWrong(t *testing.T) {
	b := openBooks(t)
	long := strings.Repeat("x", 1001)
	bad := billing.PartyPatch{
		Name: new(" "), Address: &long,
		Contact: contact(billing.ContactDraft{Title: "a\tb", Email: strings.Repeat("e", 255), Phone: strings.Repeat("1", 51)}),
	}
	text := "invalid: [name: must have 1 to 200 characters address: must have 0 to 1000 characters " +
		"billing_contact.name: must have 1 to 200 characters billing_contact.title: has a character that does not print (U+0009) " +
		"billing_contact.email: must have 0 to 254 characters billing_contact.phone: must have 0 to 50 characters]"
	_, err := b.CreateParty(t.Context(), b.by, bad)
	refused(t, err, input.ErrInvalid, text)
	_, err = b.UpdateParty(t.Context(), b.by, b.party.ID, bad, 0)
	refused(t, err, input.ErrInvalid, text)
	_, err = b.CreateParty(t.Context(), b.by, billing.PartyPatch{Address: new("a\x00b")})
	refused(t, err, input.ErrInvalid, "invalid: [name: must have 1 to 200 characters address: has a character that does not print (U+0000)]")
	_, err = b.CreateParty(t.Context(), b.by, billing.PartyPatch{Name: new("n"), Address: new(strings.Repeat("ab\n", 400))})
	refused(t, err, input.ErrInvalid, "invalid: [address: must have 0 to 1000 characters]")
}

func TestPartyListSearchesSortsAndPages(t *testing.T) {
	b := openBooks(t)
	for _, name := range []string{"acme", "Zeta", "ÉTOILE", "Étoile du Nord", "Straße", "beta"} {
		b.clock.Advance(time.Second)
		b.newParty(name)
	}
	for _, c := range []struct {
		query storage.PartyQuery
		want  []string
		total int
	}{
		{storage.PartyQuery{Page: 1, PerPage: 10}, []string{"Globex", "acme", "Zeta", "ÉTOILE", "Étoile du Nord", "Straße", "beta"}, 7},
		{storage.PartyQuery{Desc: true, Page: 2, PerPage: 3}, []string{"ÉTOILE", "Zeta", "acme"}, 7},
		{storage.PartyQuery{Sort: "name", Page: 1, PerPage: 10}, []string{"acme", "beta", "Globex", "Straße", "Zeta", "ÉTOILE", "Étoile du Nord"}, 7},
		{storage.PartyQuery{Sort: "name", Desc: true, Page: 1, PerPage: 2}, []string{"Étoile du Nord", "ÉTOILE"}, 7},
		{storage.PartyQuery{Search: "e\u0301toile", Page: 1, PerPage: 10}, []string{"ÉTOILE", "Étoile du Nord"}, 2},
		{storage.PartyQuery{Search: "STRASSE", Page: 1, PerPage: 10}, []string{"Straße"}, 1},
		{storage.PartyQuery{Search: "LOB", Page: 1, PerPage: 10}, []string{"Globex"}, 1},
		{storage.PartyQuery{Search: "nobody", Page: 1, PerPage: 10}, nil, 0},
		{storage.PartyQuery{Page: 9, PerPage: 10}, nil, 7},
		{storage.PartyQuery{Page: 1 << 62, PerPage: 100}, nil, 7},
	} {
		items, total, err := b.Parties(t.Context(), b.org.ID, c.query)
		var names []string
		for _, p := range items {
			names = append(names, p.Name)
		}
		if err != nil || total != c.total || !slices.Equal(names, c.want) {
			t.Errorf("%+v: %q of %d, %v, want %q of %d", c.query, names, total, err, c.want, c.total)
		}
	}
	if _, err := b.UpdateParty(t.Context(), b.by, b.party.ID, billing.PartyPatch{Name: new("Renamed")}, 0); err != nil {
		t.Fatal(err)
	}
	if _, total, _ := b.Parties(t.Context(), b.org.ID, storage.PartyQuery{Search: "globex", PerPage: 1}); total != 0 {
		t.Errorf("%d parties are found by a name that none has any more", total)
	}
	if items, total, err := b.Parties(t.Context(), b.party.ID, storage.PartyQuery{PerPage: 1}); total != 0 || len(items) != 0 || err != nil {
		t.Errorf("an unknown organization has %s", fmt.Sprint(items, total, err))
	}
}
