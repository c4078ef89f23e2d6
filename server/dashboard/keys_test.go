package dashboard_test

import (
	"html"
	"regexp"
	"strings"
	"testing"
	"time"

	"exante/auth"
	"exante/storage"
)

// keyIn makes a key of a company, as its operator does.
func (s *site) keyIn(c company, d storage.KeyDraft) (auth.Key, auth.Token) {
	s.tb.Helper()
	if d.Scopes == 0 {
		d.Scopes = auth.FullAccess
	}
	k, token, err := s.store.CreateKey(s.tb.Context(), c.by, d)
	s.must(err)
	return k, token
}

// calls asks the API with a key, and returns the status.
func (s *site) calls(token string) int {
	s.tb.Helper()
	return s.visitor().get("/api/invoices", "Authorization", "Bearer "+token).status
}

var onceName = regexp.MustCompile(`name="once" value="([A-Z2-7]{26})"`)

// once is the name of the form in a page.
func (r reply) once() string {
	r.tb.Helper()
	m := onceName.FindStringSubmatch(r.body)
	if m == nil {
		r.tb.Fatalf("%s has no form with a name: %d\n%s", r.what, r.status, r.body)
	}
	return m[1]
}

var keyValue = regexp.MustCompile(`id="secret-key" value="(ex_live_\w+)"`)

// secret is the key that a page shows.
func (r reply) secret() string {
	r.tb.Helper()
	m := keyValue.FindStringSubmatch(r.body)
	if m == nil {
		r.tb.Fatalf("%s shows no key: %d\n%s", r.what, r.status, r.body)
	}
	return m[1]
}

// key is the key of that name that no other has replaced.
func (s *site) key(c company, name string) *auth.Key {
	s.tb.Helper()
	for _, k := range s.store.Keys(c.org.ID) {
		if k.Name == name && k.RotatedTo.IsZero() {
			return k
		}
	}
	s.tb.Fatalf("there is no key %q", name)
	return nil
}

func keyPathOf(k *auth.Key, action string) string {
	return "/settings/api-keys/" + k.ID.String() + "/" + action
}

// The story: from nothing to a key that works, is rotated, and revoked.
func TestKeyFromCreationToRevocation(t *testing.T) {
	s := open(t)
	v := s.as(s.acme.admin)
	v.get("/settings/api-keys").shows(200, "No API keys yet", "Create the first key")
	s.as(s.acme.viewer).get("/settings/api-keys").shows(200, "An admin of your organization can create one.").hides("/settings/api-keys/new")

	form := v.get("/settings/api-keys/new").shows(200, "Read only", "invoices:write", "In 90 days", "A key that never ends")
	shown := v.post("/settings/api-keys", "once", form.once(), "name", "Billing sync", "access", "invoices", "expires_in_days", "90",
		"rate_limits", "600/1m, 20000/1d", "allowed_cidrs", "127.0.0.0/8\r\n2001:db8::/32").shows(200, "shown this once")
	token := shown.secret()
	for _, value := range []string{"Authorization: Bearer " + token, `curl -H "Authorization: Bearer ` + token + `" ` + s.url + "/api/api-keys/current", "EXANTE_API_KEY=" + token} {
		if !strings.Contains(html.UnescapeString(shown.body), `value="`+value+`"`) {
			t.Errorf("it does not show %s:\n%s", value, shown.body)
		}
	}
	k := s.key(s.acme, "Billing sync")
	if k.Scopes.String() != "invoices:write,parties:write" || k.Limits.String() != "600/1m,20000/24h" || len(k.Networks) != 2 ||
		!k.ExpiresAt.Equal(s.clock.Now().Add(90*24*time.Hour)) || k.UserID != s.acme.admin.ID {
		t.Errorf("it made %+v", k)
	}
	v.get("/settings/api-keys").shows(200, "Billing sync", k.Snippet, "Active", "Invoices", "Never", "0 requests in 24 h", "in 90 days", s.acme.admin.Email).hides(token)
	if got := s.calls(token); got != 200 {
		t.Fatalf("the key is good for %d", got)
	}
	v.get("/settings/api-keys").shows(200, "127.0.0.1", "1 request in 24 h")

	rotate := v.get(keyPathOf(k, "rotate")).shows(200, "It stops at once", "Both keys work until 2026-11-30 09:30 UTC", "lives for 90 days")
	next := v.post(keyPathOf(k, "rotate"), "once", rotate.once(), "grace_days", "1").shows(200, "works until 2026-11-24 09:30 UTC").secret()
	if s.calls(token) != 200 || s.calls(next) != 200 {
		t.Errorf("in grace the old key is good for %d, the new one for %d", s.calls(token), s.calls(next))
	}
	v.get("/settings/api-keys").shows(200, "Retiring", "in 1 day")

	k = s.key(s.acme, "Billing sync")
	v.get(keyPathOf(k, "revoke")).shows(200, "What uses this key stops working.", "less than a minute ago from 127.0.0.1", "1 request in 24 h", "Go-http-client")
	v.post(keyPathOf(k, "revoke"), "name", "  billing   SYNC ").leadsTo("/settings/api-keys")
	v.get("/settings/api-keys").shows(200, "The key is revoked.", "2 keys, 1 ended", "Revoked", "Retiring")
	if got := s.calls(next); got != 401 {
		t.Errorf("once it is revoked the key is good for %d", got)
	}
	s.clock.Advance(24 * time.Hour)
	if got := s.calls(token); got != 401 {
		t.Errorf("after its grace the old key is good for %d", got)
	}
	s.as(s.acme.admin).get("/settings/api-keys").shows(200, "2 keys, 2 ended")
}

// Whoever sends a form twice has one key.
func TestFormThatIsSentTwiceMakesOneKey(t *testing.T) {
	s := open(t)
	v := s.as(s.acme.owner)
	pairs := []string{"once", v.get("/settings/api-keys/new").once(), "name", "Twice", "access", "read", "expires_in_days", "30"}
	v.post("/settings/api-keys", pairs...).secret()
	pairs[3] = "Another name"
	v.post("/settings/api-keys", pairs...).shows(200, "This key exists already", "Twice").hides("secret-key")
	if n := len(s.store.Keys(s.acme.org.ID)); n != 1 {
		t.Errorf("there are %d keys", n)
	}

	pairs[1], pairs[3] = v.get("/settings/api-keys/new").once(), "Ten"
	bodies := make(chan string, 10)
	for range cap(bodies) {
		go func() { bodies <- v.post("/settings/api-keys", pairs...).body }()
	}
	secrets := 0
	for range cap(bodies) {
		if body := <-bodies; strings.Contains(body, "secret-key") {
			secrets++
		} else if !strings.Contains(body, "exists already") {
			t.Errorf("neither: %s", body)
		}
	}
	if n := len(s.store.Keys(s.acme.org.ID)); n != 2 || secrets != 1 {
		t.Errorf("there are %d keys, and %d secrets were shown", n, secrets)
	}

	k := s.key(s.acme, "Twice")
	rotate := []string{"once", v.get(keyPathOf(k, "rotate")).once(), "grace_days", "7"}
	v.post(keyPathOf(k, "rotate"), rotate...).secret()
	v.post(keyPathOf(k, "rotate"), rotate...).shows(200, "This key exists already")
	if n := len(s.store.Keys(s.acme.org.ID)); n != 3 {
		t.Errorf("after a rotation there are %d keys", n)
	}
	s.as(s.acme.admin).post("/settings/api-keys", pairs...).secret() // somebody else's form is another
}

// The secret is in the one answer, and in nothing that is kept.
func TestKeyIsShownOnce(t *testing.T) {
	s := open(t)
	v := s.as(s.acme.owner)
	body := "once=" + v.get("/settings/api-keys/new").once() + "&name=Once&access=full&expires_in_days=never"
	r := v.send("POST", "/settings/api-keys", body, "Sec-Fetch-Site", "same-origin", "Content-Type", "application/x-www-form-urlencoded", "Accept-Encoding", "gzip")
	secret := r.shows(200).secret()[len("ex_live_"):]
	if r.header.Get("Cache-Control") != "no-store" || r.header.Get("Content-Encoding") != "" {
		t.Errorf("its header is %v", r.header)
	}
	if strings.Contains(strings.Join(r.header.Values("Set-Cookie"), " ")+r.header.Get("Location"), secret) {
		t.Errorf("the header has the key: %v", r.header)
	}
	k := s.key(s.acme, "Once")
	for _, path := range []string{"/settings/api-keys", keyPathOf(k, "edit"), keyPathOf(k, "rotate"), keyPathOf(k, "revoke"), "/overview"} {
		v.get(path).shows(200).hides(secret)
	}
	if strings.Contains(s.log.String(), secret) {
		t.Error("the log has the key")
	}
}

// The audit log says who did it, from where, and in which request.
func TestAuditOfChangesToKeys(t *testing.T) {
	s := open(t)
	v := s.as(s.acme.admin)
	v.post("/settings/api-keys", "once", v.get("/settings/api-keys/new").once(), "name", "Audited", "access", "full", "expires_in_days", "30").secret()
	k := s.key(s.acme, "Audited")
	v.post(keyPathOf(k, "edit"), "name", "Audited", "access", "custom", "scopes", "invoices:read").leadsTo("/settings/api-keys/" + k.ID.String())
	v.post(keyPathOf(k, "rotate"), "once", v.get(keyPathOf(k, "rotate")).once(), "grace_days", "0").secret()
	last := v.post(keyPathOf(s.key(s.acme, "Audited"), "revoke")).leadsTo("/settings/api-keys")
	entries, err := s.store.Audit(t.Context(), storage.AuditQuery{OrgID: s.acme.org.ID, Action: "key."})
	s.must(err)
	var actions []string
	for _, e := range entries {
		actions = append(actions, string(e.Action))
		if e.Actor.Kind != storage.ByUser || e.Actor.UserID != s.acme.admin.ID || e.Addr.String() != "127.0.0.1" || e.RequestID == "" {
			t.Errorf("%s: %+v", e.Action, e)
		}
	}
	if got := strings.Join(actions, " "); got != "key.create key.update key.rotate key.revoke" {
		t.Fatalf("the log has %s", got)
	}
	if id := last.header.Get("X-Request-Id"); id == "" || entries[3].RequestID != id {
		t.Errorf("the last is of request %q, want %q", entries[3].RequestID, id)
	}
}
