package dashboard_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"exante/storage"
)

// fails tries wrong passwords until one is not looked at.
func (v *visitor) fails(email string) (after int, r reply) {
	v.tb.Helper()
	for after = 0; after < 50; after++ {
		if r = v.post("/sign-in", "email", email, "password", "wrong wrong"); r.status != http.StatusUnauthorized {
			return after, r
		}
	}
	v.tb.Fatal("fifty wrong passwords were looked at")
	return
}

// Whoever guesses waits, exactly as long as he is told, and is told the same for an
// address that nobody has.
func TestGuessingIsSlowedDown(t *testing.T) {
	s := open(t)
	tries, r := s.visitor().fails(s.acme.owner.Email)
	r.shows(429, "Too many attempts. Try again in 1 second.", "Password")
	unknownTries, unknown := s.visitor().fails("nobody@acme.example")
	if tries != 5 || unknownTries != tries {
		t.Errorf("%d tries of a user and %d of nobody are looked at, want 5", tries, unknownTries)
	}
	if same := strings.ReplaceAll(unknown.body, "nobody@acme.example", s.acme.owner.Email); same != r.body {
		t.Errorf("nobody gets another page:\n%s\n%s", unknown.body, r.body)
	}
	for n := range 8 { // the wait doubles
		wait, err := strconv.Atoi(r.header.Get("Retry-After"))
		s.must(err)
		if wait != 1<<n {
			t.Fatalf("wait %d is of %d seconds", n, wait)
		}
		s.clock.Advance(time.Duration(wait)*time.Second - time.Millisecond)
		s.visitor().post("/sign-in", "email", s.acme.owner.Email, "password", passwordOf(s.acme.owner)).shows(429)
		s.clock.Advance(time.Millisecond)
		v := s.visitor()
		v.post("/sign-in", "email", s.acme.owner.Email, "password", "wrong wrong").shows(401)
		r = v.post("/sign-in", "email", s.acme.owner.Email, "password", "wrong wrong").shows(429)
	}
	r.shows(429, "Try again in 4 minutes and 16 seconds.")
}

// A browser that has signed in before is not kept out by those who guess elsewhere.
func TestTheOwnersBrowserGetsIn(t *testing.T) {
	s := open(t)
	known := s.as(s.acme.owner)
	if cookie := known.get("/overview").header.Get("Set-Cookie"); strings.Contains(cookie, "exante_device") {
		t.Error("the browser is given a cookie again")
	}
	known.post("/sign-out").leadsTo("/sign-in")
	s.visitor().fails(s.acme.owner.Email)
	s.visitor().post("/sign-in", "email", s.acme.owner.Email, "password", passwordOf(s.acme.owner)).shows(429)
	known.post("/sign-in", "email", s.acme.owner.Email, "password", passwordOf(s.acme.owner)).leadsTo("/")
	// Its cookie is worth nothing for anybody else.
	known.post("/sign-out").leadsTo("/sign-in")
	s.visitor().fails(s.acme.admin.Email)
	known.post("/sign-in", "email", s.acme.admin.Email, "password", passwordOf(s.acme.admin)).shows(429)
}

// What is in the way of an attempt is no failure of his who made it.
func TestAnAttemptThatWasNotJudgedDoesNotCount(t *testing.T) {
	s := open(t)
	u, err := s.store.CreateUser(t.Context(), s.acme.by, storage.UserDraft{Email: "late@acme.example"})
	s.must(err)
	s.must(s.store.Close())
	for range 8 {
		if r := s.visitor().post("/sign-in", "email", u.Email, "password", "wrong wrong"); r.status != http.StatusServiceUnavailable {
			t.Fatalf("without a store sign-in answers %d", r.status)
		}
	}
}
