package dashboard_test

import (
	"strings"
	"testing"
	"time"

	"exante/auth"
	"exante/storage"
)

// setup is the path of a new setup link.
func (s *site) setup(c company, u storage.User) string {
	s.tb.Helper()
	token, _, err := s.store.MintSetup(s.tb.Context(), c.by, u.ID)
	s.must(err)
	return "/setup/" + token.Reveal()
}

func TestASetupLinkWorksOnce(t *testing.T) {
	s := open(t)
	u, err := s.store.CreateUser(t.Context(), s.acme.by, storage.UserDraft{Email: "new@acme.example"})
	s.must(err)
	link := s.setup(s.acme, u)
	v := s.visitor()
	for range 3 { // to look at it does not use it up
		r := v.get(link).shows(200, "new@acme.example", "Acme", "8 to 256 characters")
		if r.header.Get("Referrer-Policy") != "strict-origin" || r.header.Get("Cache-Control") != "no-store" {
			t.Errorf("the page has %v", r.header)
		}
		r.hides(strings.TrimPrefix(link, "/setup/"))
	}
	for _, weak := range []string{"", "short", "password1", strings.Repeat("x", 257)} {
		r := v.post(link, "password", weak).shows(422)
		if !strings.Contains(r.body, `<p class="error" id="password-help">`) {
			t.Errorf("%q: nothing is said beside the password", weak)
		}
		if weak != "" {
			r.hides(`"` + weak + `"`)
		}
	}
	v.post(link, "password", "a horse of the owner").leadsTo("/overview")
	v.get("/overview").shows(200, "Your password is set", "create an API key")
	for _, r := range []reply{v.get(link), s.visitor().post(link, "password", "another of mine")} {
		r.shows(404, "This link is not valid", "exante users password EMAIL --link")
	}
}

func TestASetupLinkThatIsNoneSaysHowToGetOne(t *testing.T) {
	s := open(t)
	link := s.setup(s.acme, s.acme.viewer)
	replaced := s.setup(s.acme, s.acme.admin)
	s.setup(s.acme, s.acme.admin)
	disabled := s.setup(s.rival, s.rival.viewer)
	_, err := s.store.DisableUser(t.Context(), s.rival.by, s.rival.viewer.ID)
	s.must(err)
	last := byte('A')
	if link[len(link)-1] == last {
		last = 'Q'
	}
	for name, path := range map[string]string{
		"replaced": replaced, "disabled": disabled, "forged": link[:len(link)-1] + string(last), "cut off": link[:len(link)-2],
		"nonsense": "/setup/x", "script": "/setup/%3Cscript%3E",
	} {
		r := s.visitor().get(path).shows(404, "This link is not valid")
		if r.header.Get("Referrer-Policy") != "strict-origin" {
			t.Errorf("%s: Referrer-Policy %q", name, r.header.Get("Referrer-Policy"))
		}
		s.visitor().post(path, "password", "a good password").shows(404, "This link is not valid")
	}
	s.clock.Advance(15*time.Minute - time.Millisecond)
	s.visitor().get(link).shows(200)
	s.clock.Advance(time.Millisecond)
	s.visitor().get(link).shows(404)
}

// The link stands in for a password: it is taken where one would be, and ends what the
// browser and the user had before.
func TestASetupLinkIsSafe(t *testing.T) {
	s := open(t)
	link := s.setup(s.acme, s.acme.viewer)
	far := s.visitor()
	far.get(link, "Host", "192.0.2.7").shows(200, "in clear").hides(`type="password"`)
	far.send("POST", link, "password=a+good+password", "Host", "192.0.2.7", "Sec-Fetch-Site", "same-origin",
		"Content-Type", "application/x-www-form-urlencoded").shows(403)
	far.send("POST", link, "password=a+good+password", "Sec-Fetch-Site", "cross-site",
		"Content-Type", "application/x-www-form-urlencoded").shows(403)

	old, mallory := s.as(s.acme.viewer), s.as(s.rival.owner)
	planted := mallory.session()
	victim := s.visitor()
	victim.plant(planted)
	victim.post(link, "password", "a good password").leadsTo("/overview")
	victim.get("/overview").shows(200, s.acme.viewer.Email)
	if victim.session() == planted {
		t.Error("the session is the one that was planted")
	}
	mallory.get("/overview").leadsTo("/sign-in?next=%2Foverview")
	old.get("/overview").leadsTo("/sign-in?next=%2Foverview")
	s.visitor().post("/sign-in", "email", s.acme.viewer.Email, "password", "a good password").leadsTo("/")
	if _, ok := auth.ParseSetup(strings.TrimPrefix(link, "/setup/")); !ok || strings.Contains(s.log.String(), strings.TrimPrefix(link, "/setup/")) {
		t.Error("the link is in the log")
	}
}
