package storage_test

import (
	"context"
	"errors"
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

// user makes a user of the vault's organization.
func (v *vault) user(email string, role storage.Role) storage.User {
	v.tb.Helper()
	u, err := v.CreateUser(v.tb.Context(), v.by, storage.UserDraft{Email: email, Role: role})
	if err != nil {
		v.tb.Fatal(err)
	}
	return u
}

// must is for changes of a user that succeed.
func (v *vault) must(u storage.User, err error) storage.User {
	v.tb.Helper()
	if err != nil {
		v.tb.Fatal(err)
	}
	return u
}

// gate is an authenticator on the vault's keyring.
func (v *vault) gate() *auth.Authenticator {
	v.tb.Helper()
	a, err := auth.NewAuthenticator(auth.AuthenticatorOptions{
		Environment: auth.Live, Keyring: v.Keyring(), Hasher: v.options.Hasher, Limits: limits(v.tb, "1000000000/1m"), Now: v.clock.Now,
	})
	if err != nil {
		v.tb.Fatal(err)
	}
	v.tb.Cleanup(func() { a.Close(context.Background()) })
	return a
}

// keyFor makes a key of a user, and a request with it.
func (v *vault) keyFor(user uid.ID) (auth.Key, auth.Request) {
	v.tb.Helper()
	k, token, err := v.CreateKey(v.tb.Context(), v.by, storage.KeyDraft{Name: "k", UserID: user, Scopes: auth.FullAccess})
	if err != nil {
		v.tb.Fatal(err)
	}
	return k, auth.Request{Token: []byte(token.Reveal()), Scope: auth.InvoicesRead}
}

func TestDisabledUsersKeysAreSuspendedAfterARestartToo(t *testing.T) {
	v := openVault(t, nil)
	ann := v.user("ann@example.com", storage.Admin)
	_, live := v.keyFor(ann.ID)
	revoked, dead := v.keyFor(ann.ID)
	want := func(r auth.Request, refusal error) {
		t.Helper()
		if _, err := v.gate().Admit(t.Context(), r); !errors.Is(err, refusal) {
			t.Errorf("Admit = %v, want %v", err, refusal)
		}
	}
	want(live, nil)
	before := uint64(len(v.trail(0)))
	off := v.must(v.DisableUser(t.Context(), v.by, ann.ID))
	if !off.DisabledAt.Equal(v.clock.Now()) || off.Version != 2 || off.Epoch != 1 {
		t.Errorf("disabled: %+v", off)
	}
	want(live, auth.ErrSuspended)
	v.clock.Advance(time.Hour)
	if again := v.must(v.DisableUser(t.Context(), v.by, ann.ID)); again != off {
		t.Errorf("disabled again: %+v, want %+v", again, off)
	}
	v.reopen()
	want(live, auth.ErrSuspended)
	if _, err := v.RevokeKey(t.Context(), v.by, revoked.ID, 0); err != nil {
		t.Fatal(err)
	}
	v.must(v.EnableUser(t.Context(), v.by, ann.ID))
	on := v.must(v.EnableUser(t.Context(), v.by, ann.ID))
	if !on.DisabledAt.IsZero() || on.Version != 3 {
		t.Errorf("enabled: %+v", on)
	}
	want(live, nil)
	want(dead, auth.ErrRevoked)
	v.reopen()
	want(live, nil)
	want(dead, auth.ErrRevoked)
	var done []storage.Action
	for _, e := range v.trail(before) {
		done = append(done, e.Action)
	}
	if len(done) != 3 || done[0] != "user.disable" || done[1] != "key.revoke" || done[2] != "user.enable" {
		t.Errorf("audit log: %q", done)
	}
}

func TestDisabledUserGetsNoKey(t *testing.T) {
	v := openVault(t, nil)
	ann := v.user("ann@example.com", storage.Admin)
	k, _ := v.keyFor(ann.ID)
	v.must(v.DisableUser(t.Context(), v.by, ann.ID))
	_, _, err := v.CreateKey(t.Context(), v.by, storage.KeyDraft{Name: "k", UserID: ann.ID, Scopes: auth.FullAccess})
	refused(t, err, storage.ErrUserDisabled, "user is disabled: ann@example.com")
	_, _, err = v.RotateKey(t.Context(), v.by, k.ID, 0, 0)
	refused(t, err, storage.ErrUserDisabled, "user is disabled: ann@example.com")
	// A request that was admitted before, and is carried out after.
	_, _, err = v.CreateKey(t.Context(), using(&k), full("k"))
	refused(t, err, auth.ErrSuspended, "api key is suspended: its user is disabled")
	owner := v.must(v.OwnerOf(t.Context(), v.org.ID))
	his, _ := v.keyFor(owner.ID)
	_, _, err = v.RotateKey(t.Context(), using(&k), his.ID, 0, 0)
	refused(t, err, auth.ErrSuspended, "api key is suspended: its user is disabled")
}

// TestLastOwnerStays: an operator can't lock a company out.
func TestLastOwnerStays(t *testing.T) {
	v := openVault(t, nil)
	first := v.must(v.OwnerOf(t.Context(), v.org.ID))
	stays := func(err error) {
		t.Helper()
		refused(t, err, storage.ErrLastOwner, "the last enabled owner of an organization stays")
	}
	_, err := v.DisableUser(t.Context(), v.by, first.ID)
	stays(err)
	_, err = v.SetRole(t.Context(), v.by, first.ID, storage.Admin)
	stays(err)
	v.must(v.SetRole(t.Context(), v.by, first.ID, storage.Owner)) // no change

	second := v.user("second@example.com", storage.Owner)
	v.must(v.DisableUser(t.Context(), v.by, first.ID))
	if owner := v.must(v.OwnerOf(t.Context(), v.org.ID)); owner.ID != second.ID {
		t.Errorf("a disabled owner acts as %+v", owner)
	}
	_, err = v.SetRole(t.Context(), v.by, second.ID, storage.Viewer)
	stays(err)
	v.must(v.SetRole(t.Context(), v.by, first.ID, storage.Viewer)) // disabled as he is, he is not the last
	v.must(v.EnableUser(t.Context(), v.by, first.ID))
	_, err = v.DisableUser(t.Context(), v.by, second.ID)
	stays(err)
}

// Of all who give up ownership at once, one stays.
func TestOneOfManyOwnersStays(t *testing.T) {
	v := openVault(t, nil)
	owners := []storage.User{v.must(v.OwnerOf(t.Context(), v.org.ID))}
	for _, email := range []string{"a@x.example", "b@x.example", "c@x.example", "d@x.example", "e@x.example"} {
		owners = append(owners, v.user(email, storage.Owner))
	}
	var all sync.WaitGroup
	var stayed atomic.Int64
	for i, o := range owners {
		all.Go(func() {
			var err error
			if i%2 == 0 {
				_, err = v.DisableUser(t.Context(), v.by, o.ID)
			} else {
				_, err = v.SetRole(t.Context(), v.by, o.ID, storage.Admin)
			}
			if errors.Is(err, storage.ErrLastOwner) {
				stayed.Add(1)
			} else if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if stayed.Load() != 1 {
		t.Errorf("%d owners stayed, want 1", stayed.Load())
	}
}

func TestRoleChangesAreInTheAuditLog(t *testing.T) {
	v := openVault(t, nil)
	ann := v.user("ann@example.com", storage.Viewer)
	before := uint64(len(v.trail(0)))
	got := v.must(v.SetRole(t.Context(), v.by, ann.ID, storage.Admin))
	if got.Role != storage.Admin || got.Epoch != 1 || got.Version != 2 {
		t.Errorf("%+v", got)
	}
	more := v.trail(before)
	if len(more) != 1 || more[0].Action != "user.role" || more[0].Target != ann.ID || more[0].Detail["old"] != "viewer" || more[0].Detail["new"] != "admin" {
		t.Errorf("audit log: %+v", more)
	}
	_, err := v.SetRole(t.Context(), v.by, ann.ID, "emperor")
	refused(t, err, input.ErrInvalid, "invalid: [role: must be owner, admin or viewer]")
}

func TestUsersAreFoundByUidAndAddress(t *testing.T) {
	v := openVault(t, nil)
	ann := v.user("ann@example.com", storage.Viewer)
	_, rival := storagetest.Org(t, v.Store, "Rival")
	eve, err := v.CreateUser(t.Context(), rival, storage.UserDraft{Email: "eve@example.com"})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]storage.User{
		ann.ID.String(): ann, "ANN@Example.com ": ann, eve.ID.String(): eve, "eve@example.com": eve,
	} {
		if got, err := v.FindUser(t.Context(), name); err != nil || got != want {
			t.Errorf("FindUser(%q) = %+v, %v", name, got, err)
		}
	}
	for _, name := range []string{"", "ann", "nobody@example.com", v.org.ID.String()} {
		_, err := v.FindUser(t.Context(), name)
		refused(t, err, storage.ErrNotFound, "no such record")
	}
	_, err = v.DisableUser(t.Context(), rival, ann.ID) // of another organization
	refused(t, err, storage.ErrNotFound, "no such record")
}

// TestDisabledUserStopsAtOnce races requests against a user who is disabled and
// enabled again and again: after DisableUser has returned none passes until
// EnableUser is called.
func TestDisabledUserStopsAtOnce(t *testing.T) {
	v := openVault(t, nil)
	ann := v.user("ann@example.com", storage.Viewer)
	_, r := v.keyFor(ann.ID)
	gate := v.gate()
	var off atomic.Int64 // odd: he is disabled, and that was answered
	var passed, late atomic.Int64
	stop := make(chan struct{})
	var callers sync.WaitGroup
	for range 4 {
		callers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				before := off.Load()
				_, err := gate.Admit(context.Background(), r)
				switch {
				case err == nil && before%2 == 1 && off.Load() == before:
					late.Add(1)
				case err == nil:
					passed.Add(1)
				case !errors.Is(err, auth.ErrSuspended):
					t.Error(err)
					return
				}
			}
		})
	}
	for range 200 {
		v.must(v.DisableUser(t.Context(), v.by, ann.ID))
		off.Add(1)
		for range 20 {
			if _, err := gate.Admit(context.Background(), r); !errors.Is(err, auth.ErrSuspended) {
				t.Fatalf("after DisableUser Admit = %v", err)
			}
		}
		off.Add(1)
		v.must(v.EnableUser(t.Context(), v.by, ann.ID))
		if _, err := gate.Admit(context.Background(), r); err != nil {
			t.Fatalf("after EnableUser Admit = %v", err)
		}
	}
	close(stop)
	callers.Wait()
	if late.Load() != 0 || passed.Load() < 200 {
		t.Errorf("%d late, %d passed", late.Load(), passed.Load())
	}
}
