package storage_test

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"exante/auth"
	"exante/auth/uid"
	"exante/storage"
	"exante/storage/input"
	"exante/storage/storagetest"
)

const goodPassword = "correct horse"

// standard is how long sessions of these tests last.
var standard = storage.SessionDraft{Idle: 30 * time.Minute, Max: 12 * time.Hour, UserAgent: []byte("Mozilla/5.0")}

// member is a user who can sign in.
func (v *vault) member(email string) storage.User {
	v.tb.Helper()
	u := v.user(email, storage.Viewer)
	return v.must(v.SetPassword(v.tb.Context(), v.by, u.ID, auth.NewPassword(goodPassword)))
}

func (v *vault) signIn(email string) (storage.Session, auth.SessionToken) {
	v.tb.Helper()
	by := auth.Principal{Addr: netip.MustParseAddr("192.0.2.7"), RequestID: "req-1"}
	n, token, err := v.SignIn(v.tb.Context(), by, email, auth.NewPassword(goodPassword), standard)
	if err != nil {
		v.tb.Fatal(err)
	}
	return n, token
}

func (v *vault) signedIn(token auth.SessionToken) bool {
	v.tb.Helper()
	_, _, err := v.Session(v.tb.Context(), token)
	if err != nil && !errors.Is(err, storage.ErrNotFound) {
		v.tb.Fatal(err)
	}
	return err == nil
}

func TestSignInOpensASession(t *testing.T) {
	v := openVault(t, nil)
	ann := v.member("ann@example.com")
	before := uint64(len(v.trail(0)))
	n, token := v.signIn(" ANN@example.com")
	now := v.clock.Now()
	if n.UserID != ann.ID || n.OrgID != v.org.ID || !n.CreatedAt.Equal(now) || !n.SeenAt.Equal(now) ||
		!n.EndsAt.Equal(now.Add(12*time.Hour)) || n.Addr.String() != "192.0.2.7" || n.UserAgent != "Mozilla/5.0" {
		t.Errorf("%+v", n)
	}
	v.reopen()
	back, user, err := v.Session(t.Context(), token)
	if err != nil || back != n || user.ID != ann.ID || !user.HasPassword() {
		t.Errorf("session %+v of %+v, %v", back, user, err)
	}
	more := v.trail(before)
	if len(more) != 1 || more[0].Action != "session.create" || more[0].Target != n.ID || more[0].Actor.UserID != ann.ID ||
		more[0].Actor.Kind != storage.ByUser || more[0].Addr != n.Addr || more[0].RequestID != "req-1" {
		t.Errorf("audit log: %+v", more)
	}
	forged, err := auth.MintSession(token.Name(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if v.signedIn(forged) || v.signedIn(auth.SessionToken{}) {
		t.Error("another secret opens the session")
	}
}

func TestSessionEndsWhenIdleAndInTheEnd(t *testing.T) {
	v := openVault(t, nil)
	v.member("ann@example.com")
	_, idle := v.signIn("ann@example.com")
	n, used := v.signIn("ann@example.com")
	v.clock.Advance(30*time.Minute - time.Millisecond)
	if !v.signedIn(idle) {
		t.Error("the session ended early")
	}
	use := func() {
		t.Helper()
		seen, _, err := v.Session(t.Context(), used)
		if err != nil {
			t.Fatalf("after %s: %v", v.clock.Now().Sub(n.CreatedAt), err)
		}
		if err := v.TouchSession(t.Context(), seen); err != nil {
			t.Fatal(err)
		}
	}
	for use(); v.clock.Now().Before(n.EndsAt.Add(-20 * time.Minute)); use() {
		v.clock.Advance(20 * time.Minute)
		if v.signedIn(idle) {
			t.Fatal("the idle session goes on")
		}
	}
	v.clock.Set(n.EndsAt.Add(-time.Millisecond))
	if !v.signedIn(used) {
		t.Error("the session ended before its time")
	}
	v.clock.Set(n.EndsAt)
	if v.signedIn(used) {
		t.Error("the session goes on after its end")
	}
	refused(t, v.TouchSession(t.Context(), n), storage.ErrNotFound, "no such record")
}

// A request is not a write: what is seen again within a minute costs nothing.
func TestTouchWritesOnceAMinute(t *testing.T) {
	v := openVault(t, nil)
	v.member("ann@example.com")
	n, token := v.signIn("ann@example.com")
	touch := func() storage.Session {
		t.Helper()
		if err := v.TouchSession(t.Context(), n); err != nil {
			t.Fatal(err)
		}
		back, _, err := v.Session(t.Context(), token)
		if err != nil {
			t.Fatal(err)
		}
		return back
	}
	v.clock.Advance(time.Minute - time.Millisecond)
	if back := touch(); back != n {
		t.Errorf("within the minute %+v was written", back)
	}
	v.clock.Advance(time.Millisecond)
	first := touch()
	if !first.SeenAt.Equal(v.clock.Now()) {
		t.Errorf("seen at %s, want %s", first.SeenAt, v.clock.Now())
	}
	v.clock.Advance(time.Second)
	if again := touch(); again != first { // by a request that had read it before
		t.Errorf("%+v was written, want %+v", again, first)
	}
}

func TestWhatIsTakenFromAUserEndsHisSessions(t *testing.T) {
	for name, take := range map[string]func(*vault, uid.ID) error{
		"disable": func(v *vault, id uid.ID) error {
			_, err := v.DisableUser(v.tb.Context(), v.by, id)
			v.must(v.EnableUser(v.tb.Context(), v.by, id)) // it does not come back
			return err
		},
		"role": func(v *vault, id uid.ID) error {
			_, err := v.SetRole(v.tb.Context(), v.by, id, storage.Admin)
			return err
		},
		"password": func(v *vault, id uid.ID) error {
			_, err := v.SetPassword(v.tb.Context(), v.by, id, auth.NewPassword("another horse"))
			return err
		},
		"end all": func(v *vault, id uid.ID) error { return v.EndSessions(v.tb.Context(), v.by, id) },
	} {
		t.Run(name, func(t *testing.T) {
			v := openVault(t, nil)
			ann, bob := v.member("ann@example.com"), v.member("bob@example.com")
			_, one := v.signIn("ann@example.com")
			_, two := v.signIn("ann@example.com")
			_, other := v.signIn("bob@example.com")
			if err := take(v, ann.ID); err != nil {
				t.Fatal(err)
			}
			if v.signedIn(one) || v.signedIn(two) || !v.signedIn(other) {
				t.Errorf("signed in: %t, %t, another user %t", v.signedIn(one), v.signedIn(two), v.signedIn(other))
			}
			v.reopen()
			if v.signedIn(one) || v.signedIn(two) || !v.signedIn(other) {
				t.Error("after a restart it is not the same")
			}
			if left, err := v.Sessions(t.Context(), v.org.ID, uid.ID{}); err != nil || len(left) != 1 || left[0].UserID != bob.ID {
				t.Errorf("listed %+v, %v", left, err)
			}
		})
	}
}

func TestSessionsAreListedAndEnded(t *testing.T) {
	v := openVault(t, nil)
	ann, bob := v.member("ann@example.com"), v.member("bob@example.com")
	a, tokenA := v.signIn("ann@example.com")
	v.clock.Advance(time.Minute)
	b, tokenB := v.signIn("ann@example.com")
	c, _ := v.signIn("bob@example.com")
	_, rival := storagetest.Org(t, v.Store, "Rival")
	if _, err := v.CreateUser(t.Context(), rival, storage.UserDraft{Email: "eve@example.com"}); err != nil {
		t.Fatal(err)
	}
	list := func(org, user uid.ID, want ...storage.Session) {
		t.Helper()
		got, err := v.Sessions(t.Context(), org, user)
		if err != nil || len(got) != len(want) {
			t.Fatalf("%d sessions (%v), want %d", len(got), err, len(want))
		}
		for i := range want {
			if got[i] != want[i] {
				t.Errorf("session %d is %+v, want %+v", i, got[i], want[i])
			}
		}
	}
	list(v.org.ID, uid.ID{}, a, b, c)
	list(v.org.ID, ann.ID, a, b)
	list(v.org.ID, bob.ID, c)
	list(rival.OrgID, uid.ID{})
	list(rival.OrgID, ann.ID)
	_, err := v.Sessions(t.Context(), uid.ID{9}, uid.ID{})
	refused(t, err, storage.ErrNotFound, "no such record")

	if found, err := v.FindSession(t.Context(), b.ID); err != nil || found != b {
		t.Errorf("found %+v, %v", found, err)
	}
	refused(t, v.EndSession(t.Context(), rival, ann.ID, a.ID), storage.ErrNotFound, "no such record")
	before := uint64(len(v.trail(0)))
	if err := v.EndSession(t.Context(), v.by, ann.ID, a.ID); err != nil {
		t.Fatal(err)
	}
	if v.signedIn(tokenA) || !v.signedIn(tokenB) {
		t.Errorf("signed in: %t, %t", v.signedIn(tokenA), v.signedIn(tokenB))
	}
	refused(t, v.EndSession(t.Context(), v.by, ann.ID, a.ID), storage.ErrNotFound, "no such record")
	_, err = v.FindSession(t.Context(), a.ID)
	refused(t, err, storage.ErrNotFound, "no such record")
	if more := v.trail(before); len(more) != 1 || more[0].Action != "session.end" || more[0].Target != a.ID || more[0].Detail["user"] != ann.ID.String() {
		t.Errorf("audit log: %+v", more)
	}
	refused(t, v.EndSessions(t.Context(), v.by, uid.ID{9}), storage.ErrNotFound, "no such record")
	list(v.org.ID, uid.ID{}, b, c)
}

// A script that signs in for ever fills neither the disk nor the list.
func TestUserHasTwentySessions(t *testing.T) {
	v := openVault(t, nil)
	ann := v.member("ann@example.com")
	_, first := v.signIn("ann@example.com")
	v.clock.Advance(2 * time.Minute)
	n, second := v.signIn("ann@example.com")
	for range 18 {
		v.signIn("ann@example.com")
	}
	v.clock.Advance(2 * time.Minute)
	seen, _, err := v.Session(t.Context(), first)
	if err != nil {
		t.Fatal(err)
	}
	if err := v.TouchSession(t.Context(), seen); err != nil {
		t.Fatal(err)
	}
	v.signIn("ann@example.com")
	if all, err := v.Sessions(t.Context(), v.org.ID, ann.ID); err != nil || len(all) != 20 {
		t.Errorf("%d sessions (%v), want 20", len(all), err)
	}
	if !v.signedIn(first) || v.signedIn(second) {
		t.Errorf("the one that was not seen for the longest should go: %t, %t (%s)", v.signedIn(first), v.signedIn(second), n.ID)
	}
}

func TestSessionDraftsAreBounded(t *testing.T) {
	v := openVault(t, nil)
	v.member("ann@example.com")
	for _, d := range []storage.SessionDraft{{}, {Idle: time.Second, Max: time.Hour}, {Idle: time.Hour, Max: time.Minute}} {
		_, _, err := v.SignIn(t.Context(), auth.Principal{}, "ann@example.com", auth.NewPassword(goodPassword), d)
		if !errors.Is(err, input.ErrInvalid) {
			t.Errorf("%+v: %v", d, err)
		}
	}
	d := standard
	d.UserAgent = []byte(strings.Repeat("x\x1b[31m", 1000))
	n, _, err := v.SignIn(t.Context(), auth.Principal{}, "ann@example.com", auth.NewPassword(goodPassword), d)
	if err != nil || len(n.UserAgent) > 256 || strings.Contains(n.UserAgent, "\x1b") {
		t.Errorf("user agent %q, %v", n.UserAgent, err)
	}
}
