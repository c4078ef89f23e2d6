package dashboard_test

import (
	"regexp"
	"strings"
	"testing"

	"exante/storage"
)

const firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"

// signInWith signs a visitor in who says what browser he is.
func (v *visitor) signInWith(u storage.User, agent string) reply {
	v.tb.Helper()
	body := "email=" + u.Email + "&password=" + strings.ReplaceAll(passwordOf(u), " ", "+")
	return v.send("POST", "/sign-in", body, "User-Agent", agent, "Sec-Fetch-Site", "same-origin", "Content-Type", "application/x-www-form-urlencoded")
}

var endPath = regexp.MustCompile(`/settings/account/sessions/[0-9a-f]{8}-[0-9a-f-]+/end`)

func TestSessionsAreListedAndEndedByTheirUser(t *testing.T) {
	s := open(t)
	here, there, far := s.as(s.acme.viewer), s.visitor(), s.visitor()
	there.signInWith(s.acme.viewer, firefox).leadsTo("/")
	far.signInWith(s.acme.viewer, `"><script>alert(1)</script>`).leadsTo("/")
	other := s.as(s.acme.admin)

	r := here.get("/settings/account").shows(200, s.acme.viewer.Email, "Firefox on Linux", "Unknown browser", "A Go program", "this one", "127.0.0.1").hides("<script>alert")
	ends := endPath.FindAllString(r.body, -1)
	if len(ends) != 3 {
		t.Fatalf("%d sessions are listed, want 3", len(ends))
	}
	other.post(ends[1]).leadsTo("/settings/account") // as one that is gone: it is not his
	there.get("/overview").shows(200)
	far.get("/overview").shows(200)
	for _, path := range ends[1:] {
		here.post(path).leadsTo("/settings/account")
	}
	here.get("/settings/account").shows(200, "That browser is signed out", "this one").hides("Firefox on Linux", "Sign out everywhere else")
	for _, v := range []*visitor{there, far} {
		v.get("/overview").leadsTo("/sign-in?next=%2Foverview")
	}
	here.post(ends[0]).leadsTo("/sign-in")
	here.get("/overview").leadsTo("/sign-in?next=%2Foverview")
	other.get("/overview").shows(200)
}

func TestSignOutEverywhere(t *testing.T) {
	s := open(t)
	a, b, c := s.as(s.acme.viewer), s.as(s.acme.viewer), s.as(s.acme.viewer)
	other := s.as(s.acme.owner)
	a.post("/settings/account/sessions/others/end").leadsTo("/settings/account")
	a.get("/settings/account").shows(200, "You are signed out everywhere else")
	ends, err := s.store.Audit(t.Context(), storage.AuditQuery{OrgID: s.acme.org.ID, UserID: s.acme.viewer.ID, Action: "user.sessions.end"})
	s.must(err)
	if len(ends) != 1 { // all at once, or some stay if it is cut off
		t.Errorf("the others were ended in %d steps", len(ends))
	}
	b.get("/overview").leadsTo("/sign-in?next=%2Foverview")
	c.get("/overview").leadsTo("/sign-in?next=%2Foverview")
	b = s.as(s.acme.viewer)
	b.post("/settings/account/sessions/all/end").leadsTo("/sign-in")
	b.get("/sign-in").shows(200, "You are signed out everywhere")
	a.get("/overview").leadsTo("/sign-in?next=%2Foverview")
	other.get("/overview").shows(200)
}

func TestAChangedPasswordEndsTheOtherSessions(t *testing.T) {
	s := open(t)
	v, other := s.as(s.acme.viewer), s.as(s.acme.viewer)
	const path = "/settings/account/password"
	had := passwordOf(s.acme.viewer)
	for _, c := range []struct{ current, next, field, reason string }{
		{"", "", "current", "Type the password that you have now."}, {had, "", "password", "Choose a new password."},
		{"wrong", "a better password", "current", "This is not your password."},
		{had, "short", "password", "Must have 8 to 256 characters."}, {had, "password1", "password", "everybody tries first"},
		{had, had, "password", "Must be another one than before."},
	} {
		r := v.post(path, "current", c.current, "password", c.next).shows(422, c.reason)
		if !strings.Contains(r.body, `id="`+c.field+`-help"`) {
			t.Errorf("%+v: nothing is said beside the field", c)
		}
		r.hides(`value="` + had)
	}
	before := v.session()
	other.get("/overview").shows(200)
	v.post(path, "current", had, "password", "a better password").leadsTo("/settings/account")
	v.get("/settings/account").shows(200, "Your password is changed")
	if v.session() == before {
		t.Error("the session goes on with its old token")
	}
	other.get("/overview").leadsTo("/sign-in?next=%2Foverview")
	old := s.visitor()
	old.plant(before)
	old.get("/overview").leadsTo("/sign-in?next=%2Foverview")
	s.visitor().post("/sign-in", "email", s.acme.viewer.Email, "password", had).shows(401)
	s.visitor().post("/sign-in", "email", s.acme.viewer.Email, "password", "a better password").leadsTo("/")
}
