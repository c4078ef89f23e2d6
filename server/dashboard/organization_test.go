package dashboard_test

import (
	"strings"
	"testing"
)

func TestAnOwnerChangesTheOrganization(t *testing.T) {
	s := open(t)
	owner, second := s.as(s.acme.owner), s.as(s.acme.owner)
	owner.get("/settings/organization").shows(200, "Acme", "USD", s.acme.org.ID.String(), "Save").hides(s.rival.org.ID.String())
	const path = "/settings/organization"
	for _, c := range []struct{ name, currency, field, reason string }{
		{"", "USD", "name", "Must have 1 to 200 characters."}, {strings.Repeat("x", 201), "USD", "name", ""},
		{"Acme", "", "currency", "no active ISO 4217 code"}, {"Acme", "XXX", "currency", "no active ISO 4217 code"},
	} {
		r := owner.post(path, "name", c.name, "currency", c.currency, "version", "1").shows(422, c.reason)
		if !strings.Contains(r.body, `id="`+c.field+`-help"`) {
			t.Errorf("%+v: nothing is said beside the field", c)
		}
	}
	owner.post(path, "name", "Acme", "currency", "USD").shows(422, "this form is not whole")
	owner.post(path, "name", "Acme & Sons", "currency", "eur", "version", "1").leadsTo(path)
	owner.get(path).shows(200, "The organization is changed", "Acme & Sons", "EUR")
	second.post(path, "name", "Acme Ltd", "currency", "USD", "version", "1").shows(422, "Somebody else has changed this", "Acme & Sons")
	if o, err := s.store.Org(t.Context(), s.acme.org.ID); err != nil || o.Name != "Acme & Sons" || o.Currency != "EUR" {
		t.Errorf("%+v, %v", o, err)
	}
	if o, err := s.store.Org(t.Context(), s.rival.org.ID); err != nil || o.Name != "Rival" {
		t.Errorf("the other organization is %+v, %v", o, err)
	}
	admin := s.as(s.acme.admin)
	admin.get(path).shows(200, "An owner can change").hides("Save", "<button>Save")
	admin.post(path, "name", "Mine", "currency", "USD", "version", "2").shows(403)
}
