package dashboard_test

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"exante/auth"
	"exante/auth/uid"
	"exante/server"
	"exante/storage"
)

// Each mistake stands beside its field, and what was typed is kept.
func TestMistakesInANewKey(t *testing.T) {
	s := open(t, func(o *server.Options) { o.MaxExpiryDays = 400 })
	v := s.as(s.acme.owner)
	for says, c := range map[string]struct {
		field  string
		change []string
	}{
		"Must have 1 to 200 characters.":         {"name", []string{"name", " "}},
		"Choose at least one.":                   {"scopes", []string{"access", "custom"}},
		"Choose from those that are offered.":    {"scopes", []string{"access", "custom", "scopes", "root"}},
		"at most 400 days from now":              {"expires_in_days", []string{"expires_in_days", "401"}},
		"Choose when it ends":                    {"expires_in_days", []string{"expires_in_days", ""}},
		"Write a date such as 2027-02-21.":       {"expires_on", []string{"expires_in_days", "date", "expires_on", "soon"}},
		"That day is over.":                      {"expires_on", []string{"expires_in_days", "date", "expires_on", "2026-11-22"}},
		"That is more than 400 days from now.":   {"expires_on", []string{"expires_in_days", "date", "expires_on", "2027-12-31"}},
		"a number of requests, a slash and":      {"rate_limits", []string{"rate_limits", "many"}},
		"the bits behind the slash zero":         {"allowed_cidrs", []string{"allowed_cidrs", "10.0.0.1/8"}},
		"That is too long":                       {"allowed_cidrs", []string{"allowed_cidrs", strings.Repeat("10.0.0.0/8 ", 1000)}},
		"a character that does not print":        {"name", []string{"name", "a\u202egnp.exe"}},
		"The form was incomplete.":               {"", []string{"once", "x"}},
		"Something needs another look: see belo": {"name", []string{"name", strings.Repeat("x", 201)}},
	} {
		form := url.Values{"once": {v.get("/settings/api-keys/new").once()}, "name": {"Good name"}, "access": {"read"}, "expires_in_days": {"30"},
			"rate_limits": {"5/1m"}, "allowed_cidrs": {"10.0.0.0/8"}}
		for i := 0; i < len(c.change); i += 2 {
			form.Set(c.change[i], c.change[i+1])
		}
		r := v.send("POST", "/settings/api-keys", form.Encode(), "Sec-Fetch-Site", "same-origin", "Content-Type", "application/x-www-form-urlencoded").shows(422, says)
		if c.field != "" && !strings.Contains(r.body, `class="error" id="`+c.field+`-help"`) {
			t.Errorf("%s: the reason does not stand beside %s", says, c.field)
		}
		if c.field != "name" && !strings.Contains(r.body, `value="Good name"`) || c.field != "rate_limits" && !strings.Contains(r.body, `value="5/1m"`) {
			t.Errorf("%s: what was typed is gone", says)
		}
		r.once()
	}
	if n := len(s.store.Keys(s.acme.org.ID)); n != 0 {
		t.Errorf("%d keys were made", n)
	}
}

// The day that is chosen is the last whole one, in UTC.
func TestKeyEndsAtTheEndOfADay(t *testing.T) {
	s := open(t)
	v := s.as(s.acme.owner)
	v.post("/settings/api-keys", "once", v.get("/settings/api-keys/new").once(), "name", "Dated", "access", "custom", "scopes", "invoices:read", "scopes", "parties:write",
		"expires_in_days", "date", "expires_on", "2026-11-23").secret()
	k := s.key(s.acme, "Dated")
	if !k.ExpiresAt.Equal(time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)) || k.Scopes.String() != "invoices:read,parties:write" {
		t.Errorf("it made %+v", k)
	}
	v.get("/settings/api-keys").shows(200, "Expiring", "in 14 hours", "2 scopes", "Ends soon", "Rotate")
}

// What hands out rights asks for the password again, once it is old.
func TestAnOldPasswordIsAskedForAgain(t *testing.T) {
	s := open(t)
	v := s.as(s.acme.owner)
	k, _ := s.keyIn(s.acme, storage.KeyDraft{Name: "k"})
	s.clock.Advance(11 * time.Minute)
	once := v.get("/settings/api-keys/new").shows(200, "Your password").once()
	v.post("/settings/api-keys", "once", once, "name", "x", "access", "read", "expires_in_days", "30").shows(422).hides("secret-key")
	once = v.get(keyPathOf(&k, "rotate")).shows(200, "Your password").once()
	v.post(keyPathOf(&k, "rotate"), "once", once, "grace_days", "0").shows(422).hides("secret-key")
	if n := len(s.store.Keys(s.acme.org.ID)); n != 1 {
		t.Errorf("there are %d keys", n)
	}
}

func TestKeyOfAnotherOrganizationIsNone(t *testing.T) {
	s := open(t)
	k, _ := s.keyIn(s.rival, storage.KeyDraft{Name: "Theirs"})
	v := s.as(s.acme.owner)
	for _, action := range []string{"rotate", "revoke", "edit", "narrow"} {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			for _, path := range []string{keyPathOf(&k, action), keyPathOf(&auth.Key{ID: uid.ID{1}}, action), "/settings/api-keys/x/" + action} {
				v.send(method, path, "", "Sec-Fetch-Site", "same-origin").shows(404).hides("Theirs")
			}
		}
	}
	s.keyIn(s.acme, storage.KeyDraft{Name: "Ours"})
	v.get("/settings/api-keys").shows(200, "Ours").hides("Theirs", s.rival.owner.Email)
	v.get("/settings/api-keys?owner="+s.rival.owner.ID.String()).shows(200, "No key matches").hides("Theirs", s.rival.owner.Email)
	if s.key(s.rival, "Theirs").State(s.clock.Now()) != auth.Active {
		t.Error("it was touched")
	}
}

// A viewer sees the list, and nothing to do about it; by hand he is refused.
func TestViewerChangesNoKey(t *testing.T) {
	s := open(t)
	k, _ := s.keyIn(s.acme, storage.KeyDraft{Name: "k"})
	s.clock.Advance(8 * 24 * time.Hour)
	v := s.as(s.acme.viewer)
	v.get("/settings/api-keys").shows(200, "Never used", "Never ends").hides("/new\"", "/revoke", "/edit", "/rotate")
	for _, action := range []string{"rotate", "revoke", "edit", "narrow"} {
		v.get(keyPathOf(&k, action)).shows(403, "Your role does not allow that.")
		v.post(keyPathOf(&k, action), "name", "k", "grace_days", "0").shows(403)
	}
	v.get("/settings/api-keys/new").shows(403)
	v.post("/settings/api-keys", "name", "x").shows(403)
}

// What people and programs chose is shown as text, wherever it is shown.
func TestHostileNamesOfKeys(t *testing.T) {
	s := open(t)
	v := s.as(s.acme.owner)
	for _, name := range []string{`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `' onmouseover='alert(1)`, `{{.}}`, `javascript:alert(1)`} {
		k, token := s.keyIn(s.acme, storage.KeyDraft{Name: name})
		s.visitor().get("/api/invoices", "Authorization", "Bearer "+token.Reveal(), "User-Agent", name).shows(200)
		list := v.get("/settings/api-keys?find="+url.QueryEscape(name)).shows(200, "1 of")
		edit, rotate, revoke := v.get(keyPathOf(&k, "edit")).shows(200), v.get(keyPathOf(&k, "rotate")).shows(200), v.get(keyPathOf(&k, "revoke")).shows(200)
		once := rotate.once()
		pages := []reply{list, edit, rotate, revoke, v.post(keyPathOf(&k, "revoke"), "name", name+"!").shows(422)}
		for range 2 {
			pages = append(pages, v.post(keyPathOf(&k, "rotate"), "once", once, "grace_days", "1").shows(200))
		}
		pages = append(pages, v.post("/settings/api-keys", "once", name, "name", name+strings.Repeat("x", 200), "rate_limits", name, "allowed_cidrs", name, "expires_in_days", "date", "expires_on", name).shows(422))
		for _, r := range pages {
			r.hides("<script>alert", "<img src=x", " onmouseover='", `href="javascript:`)
			if !strings.Contains(html.UnescapeString(tag.ReplaceAllString(r.body, "")), name) {
				t.Errorf("%s does not show %q", r.what, name)
			}
		}
	}
}

// tag is markup, which what was escaped is not.
var tag = regexp.MustCompile(`</?[a-z]+( [a-z-]+(="[^"]*")?)*>`)

// What is used ends only for who types its name; what has ended stays as it is.
func TestRevokingTakesTheName(t *testing.T) {
	s := open(t)
	v := s.as(s.acme.owner)
	k, token := s.keyIn(s.acme, storage.KeyDraft{Name: "Ünïcode  Ключ"})
	v.get(keyPathOf(&k, "revoke")).shows(200, "It was never used, so nothing stops working.").hides(`name="name"`)
	s.calls(token.Reveal()) // between the page and its answer
	v.post(keyPathOf(&k, "revoke")).shows(422, "Type the name of the key: Ünïcode", "127.0.0.1")
	v.post(keyPathOf(&k, "revoke"), "name", "Unicode").shows(422)
	if s.calls(token.Reveal()) != 200 {
		t.Fatal("it was revoked without its name")
	}
	v.post(keyPathOf(&k, "revoke"), "name", "üNÏCODE КЛЮЧ").leadsTo("/settings/api-keys")
	v.post(keyPathOf(&k, "revoke")).leadsTo("/settings/api-keys") // again
	for _, action := range []string{"revoke", "rotate", "edit", "narrow"} {
		v.get(keyPathOf(&k, action)).shows(409, "This API key has ended.")
	}
	for _, action := range []string{"edit", "narrow"} {
		v.post(keyPathOf(&k, action), "name", "x").shows(409)
	}
	retired, _ := s.keyIn(s.acme, storage.KeyDraft{Name: "retired"})
	once := v.get(keyPathOf(&retired, "rotate")).once()
	v.post(keyPathOf(&retired, "rotate"), "once", once, "grace_days", "7").secret()
	v.get(keyPathOf(&retired, "rotate")).shows(409, "Only an active API key can be rotated.")
	v.post(keyPathOf(&retired, "rotate"), "once", v.get("/settings/api-keys/new").once(), "grace_days", "7").shows(409)
	v.post(keyPathOf(&retired, "rotate"), "once", once, "grace_days", "5").shows(409)
	v.get(keyPathOf(&retired, "edit")).shows(200)
}
