package storage_test

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"exante/auth"
	"exante/auth/uid"
	"exante/storage"
	"exante/storage/input"
	"exante/storage/storagetest"
)

// TestSignInDoesNotSayWhatWasWrong, neither in words nor in work.
func TestSignInDoesNotSayWhatWasWrong(t *testing.T) {
	v := openVault(t, nil)
	v.member("ann@example.com")
	v.member("bob@example.com")
	off, err := v.FindUser(t.Context(), "bob@example.com")
	if err != nil {
		t.Fatal(err)
	}
	v.must(v.DisableUser(t.Context(), v.by, off.ID))
	v.user("without@example.com", storage.Admin)
	for _, c := range []struct{ email, password string }{
		{"ann@example.com", "wrong horse"}, {"ann@example.com", ""}, {"ann@example.com", strings.Repeat("x", 1<<20)},
		{"bob@example.com", goodPassword}, {"without@example.com", ""}, {"without@example.com", goodPassword},
		{"nobody@example.com", goodPassword}, {"", ""}, {strings.Repeat("a", 1<<20), goodPassword},
	} {
		runs := v.options.Hasher.Runs()
		_, _, err := v.SignIn(t.Context(), auth.Principal{}, c.email, auth.NewPassword(c.password), standard)
		refused(t, err, storage.ErrSignIn, "e-mail address or password is wrong")
		if n := v.options.Hasher.Runs() - runs; n != 1 {
			t.Errorf("%.20s: argon2id ran %d times, want 1", c.email, n)
		}
	}
}

func TestPasswordsAreComposedAndRefused(t *testing.T) {
	v := openVault(t, nil)
	ann := v.user("ann@example.com", storage.Viewer)
	for password, reason := range map[string]string{
		"short": "must have 8 to 256 characters", "Password123": "is one that everybody tries first: choose another",
		strings.Repeat("x", 1<<20):        "must have 8 to 256 characters",
		strings.Repeat("\u0065\u0301", 7): "must have 8 to 256 characters", // seven when composed
	} {
		runs := v.options.Hasher.Runs()
		_, err := v.SetPassword(t.Context(), v.by, ann.ID, auth.NewPassword(password))
		refused(t, err, input.ErrInvalid, "invalid: [password: "+reason+"]")
		if v.options.Hasher.Runs() != runs {
			t.Error("a refused password was hashed")
		}
	}
	before := uint64(len(v.trail(0)))
	v.must(v.SetPassword(t.Context(), v.by, ann.ID, auth.NewPassword("cafe\u0301 au lait")))
	if _, _, err := v.SignIn(t.Context(), auth.Principal{}, "ann@example.com", auth.NewPassword("caf\u00e9 au lait"), standard); err != nil {
		t.Errorf("the same password, typed on another machine: %v", err)
	}
	if e := v.trail(before)[0]; e.Action != "user.password" || e.Target != ann.ID || len(e.Detail) != 0 {
		t.Errorf("audit record %+v", e)
	}
	_, err := v.SetPassword(t.Context(), v.by, uid.ID{9}, auth.NewPassword(goodPassword))
	refused(t, err, storage.ErrNotFound, "no such record")
}

// Whoever checks a password while it is changed gets no session for the old one.
func TestSignInLosesToAChangeOfThePassword(t *testing.T) {
	v := openVault(t, nil)
	ann := v.member("ann@example.com")
	var all sync.WaitGroup
	tokens := make(chan auth.SessionToken, 64)
	changed := make(chan struct{})
	for range 4 {
		all.Go(func() {
			for range cap(tokens) / 4 {
				_, token, err := v.SignIn(t.Context(), auth.Principal{}, "ann@example.com", auth.NewPassword(goodPassword), standard)
				switch {
				case err == nil:
					tokens <- token
				case !errors.Is(err, storage.ErrSignIn):
					t.Error(err)
				}
			}
		})
	}
	go func() {
		defer close(changed)
		if _, err := v.SetPassword(t.Context(), v.by, ann.ID, auth.NewPassword("another horse")); err != nil {
			t.Error(err)
		}
	}()
	<-changed
	all.Wait()
	close(tokens)
	for token := range tokens {
		if v.signedIn(token) {
			t.Fatal("a session that the old password opened goes on")
		}
	}
}

// A password gets today's cost when it is used, as a key does.
func TestSignInUpgradesAWeakHash(t *testing.T) {
	v := openVault(t, nil)
	ann := v.member("ann@example.com")
	storagetest.Close(t, v.Store)
	stronger, err := auth.NewHasher(auth.HasherOptions{Params: auth.Params{MemoryKiB: 128, Iterations: 1, Parallelism: 1}})
	if err != nil {
		t.Fatal(err)
	}
	v.options.Hasher = stronger
	v.Store = storagetest.Reopen(t, v.options)
	_, token := v.signIn("ann@example.com")
	better, err := v.FindUser(t.Context(), "ann@example.com")
	if err != nil || !strings.Contains(better.Password.PHC(), "m=128,") || better.Epoch != ann.Epoch || !v.signedIn(token) {
		t.Errorf("%s, epoch %d, %v", better.Password.PHC(), better.Epoch, err)
	}
	v.signIn("ann@example.com")
	if again, err := v.FindUser(t.Context(), "ann@example.com"); err != nil || again.Password.PHC() != better.Password.PHC() {
		t.Errorf("the hash was made again (%v)", err)
	}
}
