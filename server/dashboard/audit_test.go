package dashboard_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"exante/auth"
	"exante/storage"
	"exante/storage/billing"
)

func TestAuditSaysWhoDidWhat(t *testing.T) {
	s := open(t)
	key, _, err := s.store.CreateKey(t.Context(), s.acme.by, storage.KeyDraft{Name: "Billing", Scopes: auth.FullAccess, UserID: s.acme.admin.ID})
	s.must(err)
	name := "Customer"
	by := auth.Principal{OrgID: s.acme.org.ID, UserID: s.acme.admin.ID, Key: &key, RequestID: "req-7"}
	party, err := s.store.CreateParty(t.Context(), by, billing.PartyPatch{Name: &name})
	s.must(err)
	number := "INV-7"
	invoice, err := s.store.CreateInvoice(t.Context(), by, billing.InvoicePatch{PartyID: &party.ID, Number: &number})
	s.must(err)
	_, err = s.store.RevokeKey(t.Context(), s.acme.by, key.ID, 0)
	s.must(err)
	secret, _, err := s.store.CreateKey(t.Context(), s.rival.by, storage.KeyDraft{Name: "Rival's own", Scopes: auth.FullAccess})
	s.must(err)

	v := s.as(s.acme.viewer)
	r := v.get("/audit").shows(200, "Revoked the API key Billing", "key.revoke", "Created the invoice INV-7", "Added the party Customer", "Billing "+key.Snippet,
		"req-7", "Operator in the shell", "Created the API key Billing", "Signed in", "127.0.0.1", "this machine")
	r.hides("Rival", secret.Snippet, s.rival.owner.Email, s.rival.org.ID.String())
	for _, link := range []string{"/settings/api-keys/" + key.ID.String(), "/invoices/" + invoice.ID.String(), "/settings/users/" + s.acme.admin.ID.String()} {
		if !strings.Contains(r.body, `href="`+link+`"`) {
			t.Errorf("there is no link to %s", link)
		}
	}
	v.get("/audit?action=key.").shows(200, "Revoked the API key").hides("invoice.create</code>")
	v.get("/audit?action=key.revoke").shows(200, "Revoked the API key").hides("key.create</code>")
	for _, who := range []string{"billing", "Billing", key.ID.String(), key.Snippet} {
		v.get("/audit?who="+who).shows(200, "Created the invoice", "Revoked the API key").hides("session.create</code>", "party.update</code>")
	}
	v.get("/audit?who="+s.acme.viewer.Email).shows(200, "Signed in").hides("key.create</code>")
	v.get("/audit?who="+s.acme.viewer.ID.String()).shows(200, "Signed in").hides("key.create</code>")
	v.get("/audit?from=2026-11-23&to=2026-11-23").shows(200, "Signed in")
	v.get("/audit?from=2026-11-24").shows(200, "No record matches", "Show everything")
	v.get("/audit?to=2026-11-22").shows(200, "No record matches")
}

func TestAnAuditFilterSaysWhatIsWrongBesideTheField(t *testing.T) {
	s := open(t)
	for range 2 {
		_, _, err := s.store.CreateKey(t.Context(), s.acme.by, storage.KeyDraft{Name: "Twin", Scopes: auth.FullAccess})
		s.must(err)
	}
	stranger, _, err := s.store.CreateKey(t.Context(), s.rival.by, storage.KeyDraft{Name: "Rival's own", Scopes: auth.FullAccess})
	s.must(err)
	v := s.as(s.acme.viewer)
	nobody := "No user of the organization has this address, and no API key this name."
	for query, c := range map[string][2]string{
		"action=key.borrow": {"action", "There is no such action."}, "action=%3Cscript%3E": {"action", "There is no such action."},
		"who=" + s.rival.owner.Email: {"who", nobody}, "who=nobody@acme.example": {"who", nobody}, "who=Rival's+own": {"who", nobody},
		"who=" + stranger.Snippet: {"who", nobody}, "who=twin": {"who", "2 API keys have this name"},
		"from=tomorrow": {"from", "Write a day as"}, "to=2026-02-30": {"to", "Write a day as"}, "from=2026-03-02&to=2026-03-01": {"to", "before the first day"},
	} {
		r := v.get("/audit?"+query).shows(422, c[1])
		if !strings.Contains(r.body, `id="`+c[0]+`-help"`) {
			t.Errorf("%s: nothing is said beside %s", query, c[0])
		}
	}
	v.get("/audit?before=x").shows(422, "not whole")
	v.get("/audit?who="+stranger.ID.String()).shows(200, "No record matches").hides("Rival")
	v.get("/audit?who="+s.rival.owner.ID.String()).shows(200, "No record matches").hides("Rival")
}

func TestAuditIsReadByThePage(t *testing.T) {
	s := open(t)
	for n := range 120 {
		_, err := s.store.CreateUser(t.Context(), s.acme.by, storage.UserDraft{Email: fmt.Sprintf("u%03d@acme.example", n)})
		s.must(err)
	}
	v := s.as(s.acme.viewer)
	older := regexp.MustCompile(`href="(/audit\?[^"]*before=[^"]*)"`)
	path, seen := "/audit?action=user.create", 0
	for pages := 1; ; pages++ {
		r := v.get(path).shows(200)
		rows := strings.Count(r.body, "<tr>") - 1
		seen += rows
		found := older.FindStringSubmatch(r.body)
		if found == nil {
			if pages != 3 || seen != 123 {
				t.Errorf("%d records in %d pages, want 123 in 3", seen, pages)
			}
			r.shows(200, "To the newest", s.acme.owner.Email)
			return
		}
		if rows != 50 {
			t.Fatalf("page %d has %d records", pages, rows)
		}
		path = strings.ReplaceAll(found[1], "&amp;", "&")
	}
}

// However long the log is, and whoever else wrote it, a page of it comes at once, and
// says how far back it looked.
func TestALongAuditLogIsSearchedInSteps(t *testing.T) {
	s := open(t)
	const more = 5100 // than a step reads
	for n, start := 0, time.Now(); n < more; n++ {
		_, err := s.store.CreateUser(t.Context(), s.rival.by, storage.UserDraft{Email: fmt.Sprintf("u%d@rival.example", n)})
		s.must(err)
		if time.Since(start) > time.Minute {
			t.Fatal("the log is not made in a minute")
		}
	}
	v := s.as(s.acme.viewer)
	r := v.get("/audit?action=user.role").shows(200, "Nothing yet", "No record back to 2026-11-23 09:30 UTC matches", "Search further back")
	found := regexp.MustCompile(`href="(/audit\?[^"]*before=[^"]*)"`).FindStringSubmatch(r.body)
	v.get(strings.ReplaceAll(found[1], "&amp;", "&")).shows(200, "No record matches")
}
