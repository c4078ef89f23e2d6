package storage_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"exante/auth"
	"exante/auth/uid"
	"exante/storage"
	"exante/storage/storagetest"
)

// openWitnessed is a vault with an audit copy.
func openWitnessed(t *testing.T) *vault {
	t.Helper()
	return openVault(t, func(o *storage.Options) { o.AuditCopy = o.Dir + ".audit" })
}

// lost closes the store and removes its directory. The audit copy stays.
func (v *vault) lost() {
	v.tb.Helper()
	storagetest.Close(v.tb, v.Store)
	if err := os.RemoveAll(v.options.Dir); err != nil {
		v.tb.Fatal(err)
	}
}

// back restores a backup into the directory of the vault, and opens it.
func (v *vault) back(backup []byte) storage.Aftermath {
	v.tb.Helper()
	o := storage.RestoreOptions{Store: v.options, By: storagetest.Shell}
	o.Store.Create = false
	done, err := storage.Restore(v.tb.Context(), bytes.NewReader(backup), o)
	if err != nil {
		v.tb.Fatalf("restore: %v", err)
	}
	v.Store = storagetest.Reopen(v.tb, o.Store)
	v.tells()
	return done.After
}

// tells checks that the audit copy tells what the store does.
func (v *vault) tells() {
	v.tb.Helper()
	report, err := v.VerifyAudit(v.tb.Context(), "", nil)
	if err != nil || len(report.Findings) > 0 || report.Lines-report.Superseded != report.Records {
		v.tb.Errorf("the audit log: %+v, %v", report, err)
	}
}

func (v *vault) state(id uid.ID) auth.State {
	v.tb.Helper()
	return v.key(id).State(v.clock.Now())
}

func (v *vault) patch(id uid.ID, p storage.KeyPatch) {
	v.tb.Helper()
	if _, err := v.UpdateKey(v.tb.Context(), v.by, id, p); err != nil {
		v.tb.Fatal(err)
	}
}

func prefixes(texts ...string) *[]netip.Prefix {
	out := []netip.Prefix{}
	for _, s := range texts {
		out = append(out, netip.MustParsePrefix(s))
	}
	return &out
}

// Keys are as far withdrawn after the restore as they were before it.
func TestARestoreWithdrawsKeysAgain(t *testing.T) {
	v := openWitnessed(t)
	names := []string{"untouched", "revoked", "rotated", "in grace", "grace over", "narrowed", "widened", "limited", "unlimited", "fewer scopes", "ended sooner"}
	keys := map[string]*auth.Key{}
	for _, name := range names {
		d := full(name)
		switch name {
		case "widened":
			d.Networks = *prefixes("192.0.2.0/24")
		case "unlimited":
			d.Limits = limits(t, "5/1m")
		}
		keys[name] = v.mint(d)
	}
	_, backup := taken(t, v.Store, nil)
	v.clock.Advance(time.Hour)
	revokedAt := v.clock.Now()
	v.revoke(keys["revoked"].ID)
	v.rotate(keys["rotated"].ID, 0)
	v.rotate(keys["in grace"].ID, 48*time.Hour)
	v.rotate(keys["grace over"].ID, time.Hour)
	v.patch(keys["narrowed"].ID, storage.KeyPatch{Networks: prefixes("10.0.0.0/8", "2001:db8::/32")})
	v.patch(keys["widened"].ID, storage.KeyPatch{Networks: prefixes()})
	few, many := limits(t, "3/1m"), limits(t, "500/1m")
	v.patch(keys["limited"].ID, storage.KeyPatch{Limits: &few})
	v.patch(keys["unlimited"].ID, storage.KeyPatch{Limits: &many})
	for _, names := range [][]string{{"invoices:write", "parties:write"}, {"invoices:read", "parties:write"}} {
		set := scopes(t, names...)
		v.patch(keys["fewer scopes"].ID, storage.KeyPatch{Scopes: &set})
	}
	sooner := v.clock.Now().Add(36 * time.Hour)
	v.patch(keys["ended sooner"].ID, storage.KeyPatch{ExpiresAt: &sooner})
	v.mint(full("late"))
	v.clock.Advance(24 * time.Hour)
	v.lost()

	after := v.back(backup)
	if k := v.key(keys["fewer scopes"].ID); k.Scopes.String() != "invoices:read,parties:write" || k.State(v.clock.Now()) != auth.Active {
		t.Errorf("a key has scopes back: %s", show(k))
	}
	if k := v.key(keys["ended sooner"].ID); !k.ExpiresAt.Equal(sooner) || k.State(v.clock.Now()) != auth.Active {
		t.Errorf("a key lives longer again: %s", show(k))
	}
	for name, want := range map[string]auth.State{
		"untouched": auth.Active, "revoked": auth.Revoked, "rotated": auth.Revoked, "in grace": auth.Retiring, "grace over": auth.Revoked,
		"narrowed": auth.Active, "widened": auth.Active, "limited": auth.Active, "unlimited": auth.Active,
	} {
		if is := v.state(keys[name].ID); is != want {
			t.Errorf("key %q is %v, want %v", name, is, want)
		}
	}
	if k := v.key(keys["revoked"].ID); !k.RevokedAt.Equal(revokedAt) {
		t.Errorf("the first revocation, of %v, does not stand: %v", revokedAt, k.RevokedAt)
	}
	for name, want := range map[string]string{"narrowed": "[10.0.0.0/8 2001:db8::/32] ", "widened": "[192.0.2.0/24] ", "limited": "[] 3/1m", "unlimited": "[] 5/1m"} {
		if k := v.key(keys[name].ID); fmt.Sprint(k.Networks, " ", k.Limits) != want {
			t.Errorf("key %q is good for %v, want %s", name, fmt.Sprint(k.Networks, " ", k.Limits), want)
		}
	}
	if after.KeysRevoked != 3 || after.KeysRetiring != 1 || after.KeysNarrowed != 4 || after.Behind || after.Torn || after.Copy != v.options.AuditCopy {
		t.Errorf("it says %+v", after)
	}
	if after.Lost["key.create"] != 1 || after.Lost["key.rotate"] != 3 || after.Lost["key.update"] != 7 || after.Lost["key.revoke"] != 1 {
		t.Errorf("lost are %v", after.Lost)
	}
	replayed := 0
	for _, e := range v.trail(0) {
		if seq := e.Detail["replayed_seq"]; seq != "" {
			replayed++
			if e.Actor.Kind != storage.BySystem || e.Detail["replayed_at"] == "" {
				t.Errorf("record %d of a replay: %+v", e.Seq, e)
			}
		}
	}
	if replayed != 8 {
		t.Errorf("%d records of the replay, want 8", replayed)
	}
	v.clock.Advance(24 * time.Hour)
	if is := v.state(keys["in grace"].ID); is != auth.Revoked {
		t.Errorf("after its grace the key is %v", is)
	}
}

// Users have no more than they had, and old passwords do not come back.
func TestARestoreWithdrawsUsersAgain(t *testing.T) {
	v := openWitnessed(t)
	ctx := t.Context()
	users := map[string]storage.User{}
	for _, name := range []string{"untouched", "disabled", "enabled", "lowered", "raised", "renewed"} {
		users[name] = v.member(name + "@example.com")
	}
	role := func(name string, r storage.Role) { v.must(v.SetRole(ctx, v.by, users[name].ID, r)) }
	role("lowered", storage.Admin)
	_, backup := taken(t, v.Store, nil)
	v.clock.Advance(time.Hour)
	v.must(v.DisableUser(ctx, v.by, users["disabled"].ID))
	v.must(v.DisableUser(ctx, v.by, users["enabled"].ID))
	v.must(v.EnableUser(ctx, v.by, users["enabled"].ID))
	role("lowered", storage.Viewer)
	role("raised", storage.Admin)
	v.must(v.SetPassword(ctx, v.by, users["renewed"].ID, auth.NewPassword("another "+goodPassword)))
	v.lost()

	after := v.back(backup)
	for name, want := range map[string]string{
		"untouched": "viewer true true", "disabled": "viewer false true", "enabled": "viewer true true",
		"lowered": "viewer true true", "raised": "viewer true true", "renewed": "viewer true false",
	} {
		u, err := v.FindUser(ctx, users[name].ID.String())
		if is := fmt.Sprintf("%s %v %v", u.Role, u.DisabledAt.IsZero(), u.HasPassword()); err != nil || is != want {
			t.Errorf("%s is %s, want %s (role, enabled, has a password), %v", name, is, want, err)
		}
	}
	if after.UsersDisabled != 1 || after.RolesLowered != 1 || after.PasswordsCleared != 1 || after.OwnersKept != 0 {
		t.Errorf("it says %+v", after)
	}
	_, _, err := v.SignIn(ctx, auth.Principal{}, "renewed@example.com", auth.NewPassword(goodPassword), standard)
	if !errors.Is(err, storage.ErrSignIn) {
		t.Errorf("the old password: %v", err)
	}
}

// The only owner that a backup has of an organization stays, but he has nothing left
// that lets him in.
func TestARestoreKeepsTheLastOwnerOutside(t *testing.T) {
	v := openWitnessed(t)
	ctx := t.Context()
	owner, err := v.OwnerOf(ctx, v.org.ID)
	if err != nil {
		t.Fatal(err)
	}
	v.must(v.SetPassword(ctx, v.by, owner.ID, auth.NewPassword(goodPassword)))
	key := v.mint(full("his"))
	_, backup := taken(t, v.Store, nil)
	v.clock.Advance(time.Hour)
	v.user("new@example.com", storage.Owner)
	v.must(v.DisableUser(ctx, v.by, owner.ID))
	v.lost()

	after := v.back(backup)
	u, err := v.OwnerOf(ctx, v.org.ID)
	if err != nil || u.ID != owner.ID || u.HasPassword() || after.OwnersKept != 1 || after.KeysRevoked != 1 {
		t.Errorf("the owner is %+v, %v; it says %+v", u, err, after)
	}
	if is := v.state(key.ID); is != auth.Revoked {
		t.Errorf("his key is %v", is)
	}
}

// A revocation that was answered holds, also where a later restore superseded it.
func TestARevocationOfASupersededBranchHolds(t *testing.T) {
	v := openWitnessed(t)
	a, b := v.mint(full("a")), v.mint(full("b"))
	_, first := taken(t, v.Store, nil)
	v.clock.Advance(time.Hour)
	v.revoke(a.ID)
	v.lost()
	v.back(first)
	v.revoke(b.ID)
	_, second := taken(t, v.Store, nil) // its history is another one than that of the first revocation
	v.lost()
	v.back(first)
	if v.state(a.ID) != auth.Revoked || v.state(b.ID) != auth.Revoked {
		t.Errorf("after the second restore the keys are %v and %v", v.state(a.ID), v.state(b.ID))
	}
	v.lost()

	// The second backup ends in a branch that is superseded now: the copy can be gone
	// on with no more, but it still says what was taken away.
	o := storage.RestoreOptions{Store: v.options}
	o.Store.Create = false
	if _, err := storage.Restore(t.Context(), bytes.NewReader(second), o); !errors.Is(err, storage.ErrForeignCopy) {
		t.Errorf("a backup of a branch that was left: %v", err)
	}
	o.AuditLog, o.Store.AuditCopy = v.options.AuditCopy, o.Store.Dir+".new"
	before, err := os.ReadFile(o.AuditLog)
	if err != nil {
		t.Fatal(err)
	}
	done, s := restored(t, second, o)
	for _, k := range []*auth.Key{a, b} {
		if is, err := s.FindKey(k.ID); err != nil || is.State(v.clock.Now()) != auth.Revoked {
			t.Errorf("key %s: %+v, %v", k.Name, is, err)
		}
	}
	report, err := s.VerifyAudit(t.Context(), "", nil)
	if now, _ := os.ReadFile(o.AuditLog); err != nil || len(report.Findings) > 0 || report.Lines != report.Records || !bytes.Equal(now, before) || done.After.Copy != o.AuditLog {
		t.Errorf("the new copy: %+v, %v; it says %+v", report, err, done.After)
	}
}

// What a copy can't tell is said, and a copy that is not of the backup is refused.
func TestARestoreJudgesTheCopy(t *testing.T) {
	v := openWitnessed(t)
	k := v.mint(full("a"))
	_, early := taken(t, v.Store, nil)
	v.clock.Advance(time.Minute)
	v.revoke(k.ID)
	v.mint(full("b"))
	_, late := taken(t, v.Store, nil)
	v.lost()
	text, err := os.ReadFile(v.options.AuditCopy)
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.SplitAfter(text, []byte("\n"))
	lines = lines[:len(lines)-1]
	upTo := func(n int) []byte { return bytes.Join(lines[:n], nil) }
	all := len(lines)
	other := openWitnessed(t)
	other.lost()
	foreign, err := os.ReadFile(other.options.AuditCopy)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name         string
		backup, copy []byte
		kind         error
		behind, torn bool
		revoked      int
	}{
		{"whole", early, text, nil, false, false, 1},
		{"the backup is the last that it has", early, upTo(all - 2), nil, false, false, 0},
		{"shorter than the backup", late, upTo(all - 1), nil, true, false, 0},
		{"torn", early, text[:len(text)-40], nil, false, true, 1},
		{"torn in its first line", early, text[:10], nil, true, true, 0},
		{"empty", early, nil, nil, true, false, 0},
		{"of another store", early, foreign, storage.ErrForeignCopy, false, false, 0},
		{"edited", early, bytes.Replace(text, []byte(`"key.revoke"`), []byte(`"key.rehash"`), 1), storage.ErrBrokenCopy, false, false, 0},
		{"a line removed", early, append(bytes.Clone(upTo(all-2)), lines[all-1]...), storage.ErrBrokenCopy, false, false, 0},
		{"no copy at all", early, []byte("hello\nworld\n"), storage.ErrBrokenCopy, false, false, 0},
	} {
		o := into(t, v.clock)
		o.AuditLog = filepath.Join(t.TempDir(), "copy")
		if err := os.WriteFile(o.AuditLog, c.copy, 0o600); err != nil {
			t.Fatal(err)
		}
		o.Store.AuditCopy = filepath.Join(t.TempDir(), "own")
		done, err := storage.Restore(t.Context(), bytes.NewReader(c.backup), o)
		if !errors.Is(err, c.kind) {
			t.Errorf("%s: %v, want %v", c.name, err, c.kind)
		}
		if c.kind != nil {
			if left := below(t, filepath.Dir(o.Store.Dir)); len(left)+len(below(t, filepath.Dir(o.Store.AuditCopy))) > 0 {
				t.Errorf("%s: left %v, or its own copy", c.name, left)
			}
			continue
		}
		if a := done.After; a.Behind != c.behind || a.Torn != c.torn || a.KeysRevoked != c.revoked || a.Copy != o.AuditLog {
			t.Errorf("%s: it says %+v", c.name, a)
		}
		if is, err := os.ReadFile(o.AuditLog); err != nil || !bytes.Equal(is, c.copy) {
			t.Errorf("%s: the copy was written, %v", c.name, err)
		}
	}
}

// A restore that does not come to its end has not told the audit copy of itself.
func TestAFailedRestoreLeavesTheCopyAlone(t *testing.T) {
	v := openWitnessed(t)
	k := v.mint(full("a"))
	_, backup := taken(t, v.Store, nil)
	v.revoke(k.ID)
	v.lost()
	before, err := os.ReadFile(v.options.AuditCopy)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	o := storage.RestoreOptions{Store: v.options}
	o.Store.Create = false
	o.Progress = func(stage string, _, _ int) {
		if stage == storage.StageReplay { // the store is open and has the record of its restore
			stop()
		}
	}
	if _, err := storage.Restore(ctx, bytes.NewReader(backup), o); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted before it was verified: %v", err)
	}
	if after, err := os.ReadFile(v.options.AuditCopy); err != nil || !bytes.Equal(after, before) {
		t.Errorf("the copy has %d bytes, had %d, %v", len(after), len(before), err)
	}
	v.back(backup)
}
