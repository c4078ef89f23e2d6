package storage_test

import (
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"exante/auth"
	"exante/storage"
	"exante/storage/input"
	"exante/storage/storagetest"
)

func TestConfirmationIsOfTheSessionAlone(t *testing.T) {
	v := openVault(t, nil)
	v.member("ann@example.com")
	n, token := v.signIn("ann@example.com")
	_, other := v.signIn("ann@example.com")
	if !n.ConfirmedAt.Equal(n.CreatedAt) {
		t.Errorf("signing in confirms: %s, want %s", n.ConfirmedAt, n.CreatedAt)
	}
	v.clock.Advance(11 * time.Minute)
	_, err := v.ConfirmSession(t.Context(), auth.Principal{}, n, auth.NewPassword("wrong horse"))
	refused(t, err, storage.ErrSignIn, "e-mail address or password is wrong")
	if same, _, err := v.Session(t.Context(), token); err != nil || same != n {
		t.Errorf("a wrong password made %+v, %v", same, err)
	}
	confirmed, err := v.ConfirmSession(t.Context(), auth.Principal{}, n, auth.NewPassword(goodPassword))
	want := n
	want.ConfirmedAt = v.clock.Now()
	if err != nil || confirmed != want {
		t.Errorf("%+v, %v\nwant %+v", confirmed, err, want)
	}
	if err := v.TouchSession(t.Context(), n); err != nil { // with what was read before
		t.Fatal(err)
	}
	v.reopen()
	back, _, err := v.Session(t.Context(), token)
	if want.SeenAt = v.clock.Now(); err != nil || back != want {
		t.Errorf("after a restart %+v, %v\nwant %+v", back, err, want)
	}
	if one, _, err := v.Session(t.Context(), other); err != nil || !one.ConfirmedAt.Equal(one.CreatedAt) {
		t.Errorf("another session of the user: confirmed %s, %v", one.ConfirmedAt, err)
	}
	if err := v.EndSessions(t.Context(), v.by, n.UserID); err != nil {
		t.Fatal(err)
	}
	_, err = v.ConfirmSession(t.Context(), auth.Principal{}, n, auth.NewPassword(goodPassword))
	refused(t, err, storage.ErrNotFound, "no such record")
}

func TestChangedPasswordEndsTheOtherSessions(t *testing.T) {
	v := openVault(t, nil)
	ann := v.member("ann@example.com")
	n, here := v.signIn("ann@example.com")
	_, elsewhere := v.signIn("ann@example.com")
	token := v.link(ann.ID)
	change := func(current, next string) (storage.Session, auth.SessionToken, error) {
		return v.ChangePassword(t.Context(), auth.Principal{RequestID: "req-2"}, n, auth.NewPassword(current), auth.NewPassword(next), standard)
	}
	_, _, err := change("wrong horse", "another horse")
	refused(t, err, storage.ErrSignIn, "e-mail address or password is wrong")
	for next, reason := range map[string]string{"short": "must have 8 to 256 characters", goodPassword: "must be another one than before"} {
		_, _, err := change(goodPassword, next)
		refused(t, err, input.ErrInvalid, "invalid: [password: "+reason+"]")
	}
	if !v.signedIn(here) || !v.signedIn(elsewhere) || !v.works(token) {
		t.Error("what was refused has ended something")
	}
	before := uint64(len(v.trail(0)))
	made, fresh, err := change(goodPassword, "another horse")
	if err != nil || made.ID == n.ID || made.UserID != ann.ID || made.UserAgent != "Mozilla/5.0" {
		t.Fatalf("%+v, %v", made, err)
	}
	if v.signedIn(here) || v.signedIn(elsewhere) || v.works(token) || !v.signedIn(fresh) {
		t.Errorf("lets in: the session before %t, another %t, a setup link %t, the new session %t", v.signedIn(here), v.signedIn(elsewhere), v.works(token), v.signedIn(fresh))
	}
	if more := v.trail(before); len(more) != 2 || more[0].Action != "user.password" || more[0].Actor.UserID != ann.ID || more[0].RequestID != "req-2" ||
		len(more[0].Detail) != 0 || more[1].Action != "session.create" || more[1].Target != made.ID {
		t.Errorf("audit log: %+v", more)
	}
	_, _, err = change("another horse", "a third horse")
	refused(t, err, storage.ErrNotFound, "no such record") // by the session that has ended
	_, _, err = v.SignIn(t.Context(), auth.Principal{}, "ann@example.com", auth.NewPassword(goodPassword), standard)
	refused(t, err, storage.ErrSignIn, "e-mail address or password is wrong")
}

// Of two changes that have seen the same password one is carried out.
func TestPasswordIsChangedByOneOfTen(t *testing.T) {
	v := openVault(t, nil)
	v.member("ann@example.com")
	n, _ := v.signIn("ann@example.com")
	var won atomic.Int32
	var all sync.WaitGroup
	for i := range 10 {
		all.Go(func() {
			_, cookie, err := v.ChangePassword(t.Context(), auth.Principal{}, n, auth.NewPassword(goodPassword), auth.NewPassword(strings.Repeat("horse", 2+i)), standard)
			switch {
			case err == nil:
				won.Add(1)
				if !v.signedIn(cookie) {
					t.Error("who has won is not signed in")
				}
			case !errors.Is(err, storage.ErrNotFound):
				t.Error(err)
			}
		})
	}
	all.Wait()
	if won.Load() != 1 {
		t.Errorf("%d of 10 changed one password", won.Load())
	}
}

func TestAnyPasswordIsOfTheWholeInstance(t *testing.T) {
	v := openVault(t, nil)
	any := func(want bool) {
		t.Helper()
		if got, err := v.AnyPassword(t.Context()); err != nil || got != want {
			t.Errorf("AnyPassword() = %t, %v, want %t", got, err, want)
		}
	}
	any(false)
	token := v.link(v.user("ann@example.com", storage.Viewer).ID)
	_, rival := storagetest.Org(t, v.Store, "Rival")
	eve, err := v.CreateUser(t.Context(), rival, storage.UserDraft{Email: "eve@example.com"})
	if err != nil {
		t.Fatal(err)
	}
	storagetest.Org(t, v.Store, "Third")
	any(false)
	if _, err := v.SetPassword(t.Context(), rival, eve.ID, auth.NewPassword(goodPassword)); err != nil {
		t.Fatal(err)
	}
	any(true)
	if _, _, err := v.redeem(token, goodPassword); err != nil {
		t.Fatal(err)
	}
	any(true)
}
