package dashboard_test

import (
	"strings"
	"testing"
	"time"
)

func TestSignInAndOut(t *testing.T) {
	s := open(t)
	v := s.visitor()
	v.get("/").leadsTo("/sign-in")
	v.get("/overview").leadsTo("/sign-in?next=%2Foverview")
	v.get("/sign-in?next=%2Foverview").shows(200, "Sign in", "Password")
	v.post("/sign-in", "next", "/overview", "email", s.acme.owner.Email, "password", passwordOf(s.acme.owner)).leadsTo("/overview")
	v.get("/overview").shows(200, "Acme", s.acme.owner.Email, "owner")
	v.get("/sign-in").leadsTo("/")
	v.post("/sign-out").leadsTo("/sign-in")
	v.get("/overview").leadsTo("/sign-in?next=%2Foverview")
}

func TestAnIdleSessionEnds(t *testing.T) {
	s := open(t)
	v := s.as(s.acme.viewer)
	for range 3 {
		s.clock.Advance(29 * time.Minute)
		v.get("/overview").shows(200)
	}
	s.clock.Advance(30 * time.Minute)
	v.get("/overview").leadsTo("/sign-in?next=%2Foverview")
}

// An unknown address, a user who has no password, and a wrong password look alike.
func TestAWrongSignInSaysNothing(t *testing.T) {
	s := open(t)
	var first string
	for _, email := range []string{s.acme.owner.Email, "nobody@acme.example", "", "no address", strings.Repeat("x", 1000)} {
		r := s.visitor().post("/sign-in", "email", email, "password", "wrong wrong")
		r.shows(401, "This address or the password is wrong.")
		same := strings.ReplaceAll(r.body, email, "")
		if email == "" {
			same = r.body
		}
		if first == "" {
			first = same
		}
		if same != first {
			t.Errorf("%q gets another page than the first:\n%s\n%s", email, same, first)
		}
	}
}
