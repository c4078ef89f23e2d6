package dashboard_test

import (
	"regexp"
	"strings"
	"testing"

	"exante/server/dashboard"
	"exante/storage"
	"exante/storage/billing"
)

var anyID = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|name="once" value="[A-Z2-7]{26}"`)

// TestRecordsOfOthersAreAsIfTheyWereNot asks for every path with a uid in it, and every
// filter that takes one, with those of another organization: whatever is answered is
// what is answered for one that nobody has.
func TestRecordsOfOthersAreAsIfTheyWereNot(t *testing.T) {
	s := open(t)
	inv := s.bill(s.rival, s.client(s.rival, "Theirs"), 31337, billing.Sent)
	k, _ := s.keyIn(s.rival, storage.KeyDraft{Name: "Theirs too"})
	s.as(s.rival.owner)
	sessions, err := s.store.Sessions(t.Context(), s.rival.org.ID, s.rival.owner.ID)
	s.must(err)
	ids := map[string]string{
		"invoice": inv.ID.String(), "party": inv.PartyID.String(), "key": k.ID.String(), "user": s.rival.viewer.ID.String(),
		"session": sessions[0].ID.String(), "organization": s.rival.org.ID.String(),
	}
	own := s.bill(s.acme, s.client(s.acme, "Ours"), 100).ID.String()
	v := s.as(s.acme.owner)
	const nobodys = "018f2a4e-0000-7000-8000-000000000000"
	ask := func(method, path string) reply {
		body := "version=1&once=ABCDEFGHIJKLMNOPQRSTUVWXYZ&role=viewer&grace_days=7&amount=1&name=x&access=full&scopes=*"
		if method == "GET" {
			body = ""
		}
		r := v.send(method, path, body, "Sec-Fetch-Site", "same-origin", "Content-Type", "application/x-www-form-urlencoded")
		if r.status == 303 {
			v.get("/overview") // which says what was done
		}
		return r
	}
	paths := map[string]string{}
	for _, row := range dashboard.Routes() {
		if strings.Contains(row.Path, ":uid") {
			paths[row.Method+" "+strings.Replace(somewhere(strings.Replace(row.Path, ":uid", "\x00", 1)), "\x00", "ID", 1)] = ""
		}
	}
	for _, path := range []string{
		"/audit?who=ID", "/invoices?target_party_uid=ID", "/settings/api-keys?owner=ID", "/settings/api-keys?find=ID", "/settings/users?find=ID",
		"/invoices?search=ID", "/invoices/" + own + "/attachments/ID",
	} {
		paths["GET "+path] = ""
	}
	for path := range paths {
		method, path, _ := strings.Cut(path, " ")
		none := ask(method, strings.Replace(path, "ID", nobodys, 1))
		for what, id := range ids {
			r := ask(method, strings.Replace(path, "ID", id, 1))
			if r.status != none.status || anyID.ReplaceAllString(r.body, "") != anyID.ReplaceAllString(none.body, "") {
				t.Errorf("%s %s tells of a foreign %s: %d, of none it is %d\n%s\n%s", method, path, what, r.status, none.status, r.text(), none.text())
			}
			r.hides("Theirs", s.rival.owner.Email, s.rival.viewer.Email, "313.37")
		}
	}
	s.invoiceIs(inv)
	if now, err := s.store.Key(s.rival.org.ID, k.ID); err != nil || now.Usable(s.clock.Now()) != nil || now.Name != k.Name {
		t.Errorf("the key was changed: %+v, %v", now, err)
	}
}

// invoiceIs checks that nothing has changed it.
func (s *site) invoiceIs(was billing.Invoice) {
	s.tb.Helper()
	now, err := s.store.Invoice(s.tb.Context(), was.OrgID, was.ID)
	s.must(err)
	if now.Version != was.Version {
		s.tb.Errorf("the invoice was changed: %+v", now)
	}
}
