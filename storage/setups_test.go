package storage_test

import (
	"bytes"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"exante/auth"
	"exante/auth/uid"
	"exante/storage"
	"exante/storage/input"
	"exante/storage/storagetest"
)

// link is a setup link of a user.
func (v *vault) link(user uid.ID) auth.SetupToken {
	v.tb.Helper()
	token, _, err := v.MintSetup(v.tb.Context(), v.by, user)
	if err != nil {
		v.tb.Fatal(err)
	}
	return token
}

// works reports whether a link can be used.
func (v *vault) works(token auth.SetupToken) bool {
	v.tb.Helper()
	_, _, err := v.Setup(v.tb.Context(), token)
	if err != nil && !errors.Is(err, storage.ErrNotFound) {
		v.tb.Fatal(err)
	}
	return err == nil
}

func (v *vault) redeem(token auth.SetupToken, password string) (storage.Session, auth.SessionToken, error) {
	return v.RedeemSetup(v.tb.Context(), auth.Principal{RequestID: "req-1"}, token, auth.NewPassword(password), standard)
}

func TestSetupLinkSetsAPasswordOnce(t *testing.T) {
	v := openVault(t, nil)
	ann := v.user("ann@example.com", storage.Admin)
	before := uint64(len(v.trail(0)))
	token, ends, err := v.MintSetup(t.Context(), v.by, ann.ID)
	if err != nil || !ends.Equal(v.clock.Now().Add(storage.SetupTime)) {
		t.Fatalf("ends at %s, %v", ends, err)
	}
	for range 2 { // to ask uses nothing up
		user, org, err := v.Setup(t.Context(), token)
		if err != nil || user != ann || org != v.org {
			t.Fatalf("link of %+v in %+v, %v", user, org, err)
		}
	}
	_, _, err = v.redeem(token, "password1")
	refused(t, err, input.ErrInvalid, "invalid: [password: is one that everybody tries first: choose another]")
	if !v.works(token) {
		t.Fatal("a password that was refused used the link up")
	}
	session, cookie, err := v.redeem(token, "cafe\u0301 au lait")
	if err != nil || session.UserID != ann.ID || session.OrgID != v.org.ID || !session.ConfirmedAt.Equal(v.clock.Now()) {
		t.Fatalf("session %+v, %v", session, err)
	}
	if back, _, err := v.Session(t.Context(), cookie); err != nil || back != session {
		t.Errorf("session %+v, %v", back, err)
	}
	_, _, err = v.redeem(token, goodPassword)
	refused(t, err, storage.ErrNotFound, "no such record")
	if _, _, err := v.SignIn(t.Context(), auth.Principal{}, "ann@example.com", auth.NewPassword("caf\u00e9 au lait"), standard); err != nil {
		t.Errorf("signing in with the new password: %v", err)
	}
	more := v.trail(before)[:3]
	made, set, opened := more[0], more[1], more[2]
	id := token.Name().ID.String()
	if made.Action != "user.setup.create" || made.Target != ann.ID || made.Actor.Kind != storage.ByShell || len(made.Detail) != 2 ||
		made.Detail["setup"] != id || made.Detail["ends_at"] != ends.Format(time.RFC3339) {
		t.Errorf("audit record of the link: %+v", made)
	}
	if set.Action != "user.password" || set.Target != ann.ID || set.Actor.UserID != ann.ID || set.Detail["setup"] != id || set.RequestID != "req-1" {
		t.Errorf("audit record of the password: %+v", set)
	}
	if opened.Action != "session.create" || opened.Target != session.ID {
		t.Errorf("audit record of the session: %+v", opened)
	}
}

// A link that many have seen lets one of them in.
func TestSetupLinkIsUsedByOneOfTwenty(t *testing.T) {
	v := openVault(t, nil)
	token := v.link(v.user("ann@example.com", storage.Viewer).ID)
	var won atomic.Int32
	var all sync.WaitGroup
	begin := make(chan struct{})
	for range 20 {
		all.Go(func() {
			<-begin
			_, cookie, err := v.redeem(token, goodPassword)
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
	close(begin)
	all.Wait()
	if won.Load() != 1 {
		t.Errorf("%d of 20 used one link", won.Load())
	}
}

func TestSetupLinkEndsToTheMillisecond(t *testing.T) {
	v := openVault(t, nil)
	token, ends, err := v.MintSetup(t.Context(), v.by, v.user("ann@example.com", storage.Viewer).ID)
	if err != nil {
		t.Fatal(err)
	}
	v.clock.Set(ends.Add(-time.Millisecond))
	v.reopen() // a restart keeps it
	if !v.works(token) {
		t.Error("the link ended early")
	}
	v.clock.Set(ends)
	if v.works(token) {
		t.Error("the link goes on after its end")
	}
	_, _, err = v.redeem(token, goodPassword)
	refused(t, err, storage.ErrNotFound, "no such record")
}

func TestWhatEndsASetupLink(t *testing.T) {
	for name, end := range map[string]func(*vault, uid.ID) error{
		"another link": func(v *vault, id uid.ID) error {
			_, _, err := v.MintSetup(v.tb.Context(), v.by, id)
			return err
		},
		"a password": func(v *vault, id uid.ID) error {
			_, err := v.SetPassword(v.tb.Context(), v.by, id, auth.NewPassword(goodPassword))
			return err
		},
		"disabled": func(v *vault, id uid.ID) error {
			_, err := v.DisableUser(v.tb.Context(), v.by, id)
			v.must(v.EnableUser(v.tb.Context(), v.by, id)) // it does not come back
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			v := openVault(t, nil)
			ann := v.user("ann@example.com", storage.Viewer)
			token, other := v.link(ann.ID), v.link(v.user("bob@example.com", storage.Viewer).ID)
			if err := end(v, ann.ID); err != nil {
				t.Fatal(err)
			}
			if _, _, err := v.redeem(token, goodPassword); !errors.Is(err, storage.ErrNotFound) {
				t.Errorf("the link was used: %v", err)
			}
			if !v.works(other) {
				t.Error("the link of another user has ended as well")
			}
		})
	}
}

// What is forged, foreign or of somebody who is locked out is absent.
func TestSetupLinksAreRefused(t *testing.T) {
	v := openVault(t, nil)
	ann := v.user("ann@example.com", storage.Viewer)
	token := v.link(ann.ID)
	forged, err := auth.MintSetup(token.Name(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if v.works(forged) || v.works(auth.SetupToken{}) {
		t.Error("another secret opens the link")
	}
	runs := v.options.Hasher.Runs()
	_, _, err = v.redeem(forged, goodPassword)
	if refused(t, err, storage.ErrNotFound, "no such record"); v.options.Hasher.Runs() != runs {
		t.Error("a forged link costs a hash")
	}
	_, rival := storagetest.Org(t, v.Store, "Rival")
	_, _, err = v.MintSetup(t.Context(), rival, ann.ID)
	refused(t, err, storage.ErrNotFound, "no such record")
	if !v.works(token) {
		t.Error("another organization ended the link")
	}
	v.must(v.DisableUser(t.Context(), v.by, ann.ID))
	_, _, err = v.MintSetup(t.Context(), v.by, ann.ID)
	refused(t, err, storage.ErrUserDisabled, "user is disabled: ann@example.com")
	_, _, err = v.RedeemSetup(t.Context(), auth.Principal{}, v.link(v.user("bob@example.com", storage.Viewer).ID), auth.NewPassword(goodPassword), storage.SessionDraft{})
	if !errors.Is(err, input.ErrInvalid) {
		t.Errorf("a session that never idles: %v", err)
	}
}

// Somebody who has forgotten his password gets a link, and whoever knew it is out.
func TestRedeemedLinkEndsTheSessions(t *testing.T) {
	v := openVault(t, nil)
	ann := v.member("ann@example.com")
	_, old := v.signIn("ann@example.com")
	_, cookie, err := v.redeem(v.link(ann.ID), "another horse")
	if err != nil {
		t.Fatal(err)
	}
	if v.signedIn(old) || !v.signedIn(cookie) {
		t.Errorf("signed in: before %t, by the link %t", v.signedIn(old), v.signedIn(cookie))
	}
	_, _, err = v.SignIn(t.Context(), auth.Principal{}, "ann@example.com", auth.NewPassword(goodPassword), standard)
	refused(t, err, storage.ErrSignIn, "e-mail address or password is wrong")
}

func TestInvitedUserHasALink(t *testing.T) {
	v := openVault(t, nil)
	ann, token, ends, err := v.InviteUser(t.Context(), v.by, storage.UserDraft{Email: "ann@example.com", Role: storage.Admin})
	if err != nil || !ends.Equal(v.clock.Now().Add(storage.SetupTime)) {
		t.Fatalf("until %s, %v", ends, err)
	}
	if user, _, err := v.Setup(t.Context(), token); err != nil || user != ann || user.Role != storage.Admin {
		t.Errorf("link of %+v, %v", user, err)
	}
	records := len(v.trail(0))
	_, _, _, err = v.InviteUser(t.Context(), v.by, storage.UserDraft{Email: "ann@example.com"})
	refused(t, err, storage.ErrExists, "email is taken")
	_, _, _, err = v.InviteUser(t.Context(), v.by, storage.UserDraft{Email: "bob@example.com", Role: "root"})
	refused(t, err, input.ErrInvalid, "invalid: [role: must be owner, admin or viewer]")
	if len(v.trail(0)) != records || !v.works(token) {
		t.Error("what was refused has changed something")
	}
}

// A link is gone with the machine: whoever restores makes another one.
func TestSetupLinksAreNotRestored(t *testing.T) {
	v := openVault(t, nil)
	ann := v.member("ann@example.com")
	v.signIn("ann@example.com")
	token := v.link(ann.ID)
	_, backup := taken(t, v.Store, nil)
	done, s := restored(t, backup, into(t, v.clock))
	if done.SessionsDropped != 1 {
		t.Errorf("%d sessions dropped, want 1: a link is none", done.SessionsDropped)
	}
	if _, _, err := s.Setup(t.Context(), token); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("the link: %v", err)
	}
}

func TestSecretOfALinkIsNotOnTheDisk(t *testing.T) {
	var log bytes.Buffer
	v := openVault(t, func(o *storage.Options) {
		o.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	token := v.link(v.user("ann@example.com", storage.Viewer).ID)
	used := v.link(v.user("bob@example.com", storage.Viewer).ID)
	if _, _, err := v.redeem(used, goodPassword); err != nil {
		t.Fatal(err)
	}
	running := contents(t, v.options.Dir)
	storagetest.Close(t, v.Store)
	for place, data := range map[string][]byte{
		"the files of a running store": running, "the values": values(t, v.options.Dir), "the log": log.Bytes(),
	} {
		for _, l := range []auth.SetupToken{token, used} {
			text := l.Reveal()
			for _, secret := range []string{text, text[len(text)-43:]} { // all of it, and the secret behind the name
				if bytes.Contains(data, []byte(secret)) {
					t.Errorf("%s show a link", place)
				}
			}
		}
	}
	if digest := token.Digest(); !bytes.Contains(values(t, v.options.Dir), digest[:]) {
		t.Error("the digest is not where it should be, so the search proves nothing")
	}
}
