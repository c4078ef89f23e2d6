package dashboard_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"exante/auth"
	"exante/storage"
)

var setupLink = regexp.MustCompile(`value="(http[^"]*)(/setup/[^"]+)"`)

// link is the path of the setup link that a page shows.
func (r reply) link() string {
	r.tb.Helper()
	found := setupLink.FindStringSubmatch(r.body)
	if found == nil {
		r.tb.Fatalf("%s shows no setup link:\n%s", r.what, r.text())
	}
	return found[2]
}

// userPath is the page of a user.
func userPath(u storage.User, rest string) string { return "/settings/users/" + u.ID.String() + rest }

func TestAnOwnerInvitesAUser(t *testing.T) {
	s := open(t)
	owner := s.as(s.acme.owner)
	owner.get("/settings/users").shows(200, "owner", s.acme.viewer.Email, "Invite a user", "you").hides(s.rival.viewer.Email)
	owner.get("/settings/users/new").shows(200, "Viewer", "Admin", "Owner", "changes nothing")
	r := owner.post("/settings/users", "email", "New@acme.example", "name", "Nora New", "role", "admin").shows(200, "new@acme.example", "shown once", "2026-11-23 09:45 UTC")
	if !strings.Contains(r.body, s.url+"/setup/") {
		t.Errorf("the link does not lead to %s", s.url)
	}
	if r.header.Get("Content-Encoding") != "" || r.header.Get("Cache-Control") != "no-store" {
		t.Errorf("a page with a secret is sent with %v", r.header)
	}
	link := r.link()
	owner.get("/settings/users").shows(200, "new@acme.example", "Nora New", "invited").hides(link)
	user, err := s.store.FindUser(t.Context(), "new@acme.example")
	s.must(err)
	owner.get(userPath(user, "")).shows(200, "Nora New", "Make a new setup link", "none yet").hides(link)

	nora := s.visitor()
	nora.get(link).shows(200, "new@acme.example", "Acme")
	nora.post(link, "password", "nobody else has this").leadsTo("/overview")
	nora.get("/overview").shows(200, "Your password is set", "new@acme.example", "admin")
	owner.get("/settings/users").shows(200, "active")
	if strings.Contains(s.log.String(), strings.TrimPrefix(link, "/setup/")) {
		t.Error("the link is in the log")
	}
}

func TestAnInvitationSaysWhatIsWrongBesideTheField(t *testing.T) {
	s := open(t)
	owner := s.as(s.acme.owner)
	for _, c := range []struct{ email, name, role, field, reason string }{
		{"", "", "viewer", "email", ""}, {"no address", "", "viewer", "email", ""},
		{s.acme.viewer.Email, "", "viewer", "email", "Is taken."}, {s.rival.viewer.Email, "", "viewer", "email", "Is taken."},
		{"x@acme.example", strings.Repeat("x", 201), "viewer", "name", ""},
		{"x@acme.example", "", "", "role", "Choose a role."}, {"x@acme.example", "", "god", "role", "Choose a role."},
	} {
		r := owner.post("/settings/users", "email", c.email, "name", c.name, "role", c.role).shows(422, c.reason)
		if !strings.Contains(r.body, `id="`+c.field+`-help"`) || !strings.Contains(r.body, `aria-invalid="true"`) {
			t.Errorf("%+v: nothing is said beside %s", c, c.field)
		}
	}
	if _, err := s.store.FindUser(t.Context(), "x@acme.example"); err == nil {
		t.Error("a user was made of it")
	}
}

func TestARoleIsChangedWithThePassword(t *testing.T) {
	s := open(t)
	owner, viewer := s.as(s.acme.owner), s.as(s.acme.viewer)
	path := userPath(s.acme.viewer, "/role")
	owner.get(path).shows(200, "all sessions of this user end").hides(`name="password"`)
	s.clock.Advance(11 * time.Minute)
	owner.get(path).shows(200, "Your password")
	owner.post(path, "role", "admin").shows(422, "Type your password.")
	owner.post(path, "role", "admin", "password", "wrong").shows(422, "This is not your password.")
	viewer.get("/overview").shows(200, "viewer")
	owner.post(path, "role", "admin", "password", passwordOf(s.acme.owner)).leadsTo(userPath(s.acme.viewer, ""))
	owner.get(userPath(s.acme.viewer, "")).shows(200, "The role is changed", "Admin")
	viewer.get("/overview").leadsTo("/sign-in?next=%2Foverview")
	owner.post(path, "role", "viewer").leadsTo(userPath(s.acme.viewer, "")) // the password is fresh
	s.clock.Advance(10*time.Minute + time.Second)
	owner.post(path, "role", "admin").shows(422, "Type your password.")
}

func TestNobodyLocksHimselfOutByMistake(t *testing.T) {
	s := open(t)
	owner := s.as(s.acme.owner)
	for _, c := range []struct{ path, field, value string }{{"/role", "role", "viewer"}, {"/disable", "x", ""}} {
		path := userPath(s.acme.owner, c.path)
		owner.get(path).shows(200, "I know that this is me")
		owner.post(path, c.field, c.value).shows(422, "Tick this if you mean yourself.")
		owner.post(path, c.field, c.value, "self", "yes").shows(422, "the last owner who can sign in")
	}
	owner.get("/overview").shows(200, "owner")
	owner.post(userPath(s.acme.admin, "/role"), "role", "owner").leadsTo(userPath(s.acme.admin, ""))
	owner.post(userPath(s.acme.owner, "/role"), "role", "viewer", "self", "yes").leadsTo(userPath(s.acme.owner, ""))
	owner.get("/overview").leadsTo("/sign-in?next=%2Foverview")
}

func TestDisablingSaysWhatStops(t *testing.T) {
	s := open(t)
	for n := range 2 {
		_, _, err := s.store.CreateKey(t.Context(), s.acme.by, storage.KeyDraft{Name: fmt.Sprint("k", n), Scopes: auth.FullAccess, UserID: s.acme.admin.ID})
		s.must(err)
	}
	owner, admin := s.as(s.acme.owner), s.as(s.acme.admin)
	owner.get(userPath(s.acme.admin, "/disable")).shows(200, "2 active API keys of this user are refused")
	owner.get(userPath(s.acme.viewer, "/disable")).shows(200, "No API key stops working")
	owner.post(userPath(s.acme.admin, "/disable")).leadsTo(userPath(s.acme.admin, ""))
	owner.get(userPath(s.acme.admin, "")).shows(200, "The user is disabled", "disabled", "Enable")
	admin.get("/overview").leadsTo("/sign-in?next=%2Foverview")
	owner.post(userPath(s.acme.admin, "/link"), "once", owner.get(userPath(s.acme.admin, "/link")).once()).shows(422, "enable him first")
	owner.get(userPath(s.acme.admin, "/enable")).shows(200, "2 API keys of this user work again")
	owner.post(userPath(s.acme.admin, "/enable")).leadsTo(userPath(s.acme.admin, ""))
	owner.get(userPath(s.acme.admin, "")).shows(200, "The user is enabled", "active")
	again := s.as(s.acme.admin)
	owner.post(userPath(s.acme.admin, "/sign-out")).leadsTo(userPath(s.acme.admin, ""))
	again.get("/overview").leadsTo("/sign-in?next=%2Foverview")
}

func TestOthersSeeUsersAndChangeNone(t *testing.T) {
	s := open(t)
	for _, u := range []storage.User{s.acme.viewer, s.acme.admin} {
		v := s.as(u)
		v.get("/settings/users").shows(200, s.acme.owner.Email).hides("Invite a user", "/settings/users/new")
		v.get(userPath(s.acme.owner, "")).shows(200, s.acme.owner.Email).hides("/disable", "/role", "/link", "sign-out\"><button class=\"quiet\">Sign out everywhere")
		for _, path := range []string{"/role", "/disable", "/enable", "/link", "/sign-out"} {
			v.post(userPath(s.acme.owner, path), "role", "viewer").shows(403, "Your role does not allow that")
		}
		v.post("/settings/users", "email", "x@acme.example", "role", "owner").shows(403)
		v.get("/settings/users/new").shows(403)
	}
}

func TestUsersOfOtherOrganizationsDoNotExist(t *testing.T) {
	s := open(t)
	owner := s.as(s.acme.owner)
	stranger := s.rival.viewer
	owner.get(userPath(stranger, "")).shows(404).hides(stranger.Email)
	for _, path := range []string{"/role", "/disable", "/enable", "/link"} {
		owner.get(userPath(stranger, path)).shows(404).hides(stranger.Email)
	}
	for _, path := range []string{"/role", "/disable", "/enable", "/link", "/sign-out"} {
		owner.post(userPath(stranger, path), "role", "owner").shows(404).hides(stranger.Email)
	}
	owner.get("/settings/users?find="+stranger.Email).shows(200, "Nobody has this address")
	owner.get("/settings/users?find="+s.acme.admin.Email).shows(200, "Acme admin").hides(s.acme.viewer.Email)
	owner.get("/settings/users?after=" + stranger.ID.String()).shows(200)
	if u, err := s.store.FindUser(t.Context(), stranger.Email); err != nil || u.Role != storage.Viewer || !u.DisabledAt.IsZero() {
		t.Errorf("the user of another organization is %+v, %v", u, err)
	}
}

func TestUsersAreListedByThePage(t *testing.T) {
	s := open(t)
	for n := range 60 {
		_, err := s.store.CreateUser(t.Context(), s.acme.by, storage.UserDraft{Email: fmt.Sprintf("u%02d@acme.example", n)})
		s.must(err)
	}
	v := s.as(s.acme.viewer)
	first := v.get("/settings/users").shows(200, "63 in all", "u46@acme.example", "Next page").hides("u47@acme.example")
	next := regexp.MustCompile(`/settings/users\?after=[0-9a-f-]+`).FindString(first.body)
	v.get(next).shows(200, "u47@acme.example", "u59@acme.example", "First page").hides("u46@acme.example", "Next page")
}

// A session that was taken over is no way to guess the password.
func TestConfirmingIsThrottledLikeSigningIn(t *testing.T) {
	s := open(t)
	v := s.as(s.acme.owner)
	s.clock.Advance(11 * time.Minute)
	path := userPath(s.acme.viewer, "/role")
	for range 5 {
		v.post(path, "role", "admin", "password", "wrong").shows(422, "This is not your password.")
	}
	v.post(path, "role", "admin", "password", passwordOf(s.acme.owner)).shows(422, "Too many attempts. Try again in 1 second.")
	v.post("/settings/account/password", "current", passwordOf(s.acme.owner), "password", "a better password").shows(429, "Too many attempts.")
	s.clock.Advance(time.Second)
	v.post(path, "role", "admin", "password", passwordOf(s.acme.owner)).leadsTo(userPath(s.acme.viewer, ""))
}

// To reload the page that shows a link makes no other: the one that was passed on works.
func TestAReloadMakesNoOtherSetupLink(t *testing.T) {
	s := open(t)
	owner, path := s.as(s.acme.owner), userPath(s.acme.viewer, "/link")
	form := owner.get(path).shows(200)
	owner.post(path).shows(422, "The form was incomplete").once()
	link := owner.post(path, "once", form.once()).shows(200, "shown once").link()
	again := owner.post(path, "once", form.once()).shows(409, "was sent before").hides("/setup/ex_")
	s.visitor().get(link).shows(200, s.acme.viewer.Email)
	other := owner.post(path, "once", again.once()).shows(200).link()
	s.visitor().get(link).shows(404)
	s.visitor().get(other).shows(200)
}
