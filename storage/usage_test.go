package storage_test

import (
	"fmt"
	"net/netip"
	"reflect"
	"testing"
	"time"

	"exante/auth"
	"exante/auth/uid"
	"exante/storage"
)

func (v *vault) record(uses ...auth.Use) {
	v.tb.Helper()
	if err := v.RecordUse(v.tb.Context(), uses); err != nil {
		v.tb.Fatalf("record use: %v", err)
	}
}

func (v *vault) activity(key uid.ID, from, to time.Time) storage.Activity {
	v.tb.Helper()
	a, err := v.Activity(v.tb.Context(), v.org.ID, key, from, to)
	if err != nil {
		v.tb.Fatalf("activity: %v", err)
	}
	return a
}

// hour is the bucket of an hour with so many requests.
func hour(at time.Time, requests uint64) auth.Bucket {
	return auth.Bucket{Hour: at.UTC().Truncate(time.Hour), Requests: requests, RateLimited: requests / 2}
}

// use is what is recorded of a key.
func use(k *auth.Key, buckets ...auth.Bucket) auth.Use {
	return auth.Use{KeyID: k.ID, OrgID: k.OrgID, Buckets: buckets}
}

func TestActivityIsOfTheHoursAskedFor(t *testing.T) {
	v := openVault(t, nil)
	k, other := v.mint(full("x")), v.mint(full("other"))
	now := v.clock.Now()
	at := func(hours int) time.Time { return now.Add(time.Duration(hours) * time.Hour) }
	v.record(use(k, hour(at(-3), 3), hour(at(-2), 2), hour(at(-1), 1), hour(now, 9)), use(other, hour(now, 7)))
	for _, c := range []struct {
		from, to time.Time
		want     []auth.Bucket
	}{
		{at(-9), at(9), []auth.Bucket{hour(at(-3), 3), hour(at(-2), 2), hour(at(-1), 1), hour(now, 9)}},
		{at(-2), at(-1), []auth.Bucket{hour(at(-2), 2), hour(at(-1), 1)}},
		{at(-2).Add(-20 * time.Minute), at(-2), []auth.Bucket{hour(at(-2), 2)}},
		{time.Time{}, at(-3), []auth.Bucket{hour(at(-3), 3)}},
		{at(1), at(2), nil},
		{at(2), at(1), nil},
	} {
		if got := v.activity(k.ID, c.from, c.to).Buckets; !reflect.DeepEqual(got, c.want) {
			t.Errorf("from %s to %s: %v, want %v", c.from, c.to, got, c.want)
		}
	}
	v.record(use(k, hour(now, 11)))
	if got := v.activity(k.ID, now, now).Buckets; !reflect.DeepEqual(got, []auth.Bucket{hour(now, 11)}) {
		t.Errorf("a bucket recorded again: %v, want it replaced", got)
	}
}

// limited is an authenticator over v that counts in memory and flushes at Close.
func (v *vault) limited(windows string) *auth.Authenticator {
	v.tb.Helper()
	a, err := auth.NewAuthenticator(auth.AuthenticatorOptions{
		Environment: auth.Live, Keyring: v.Keyring(), Hasher: v.options.Hasher, Ledger: v.Store,
		Limits: limits(v.tb, windows), FlushEvery: time.Hour, Now: v.clock.Now,
	})
	if err != nil {
		v.tb.Fatal(err)
	}
	return a
}

func TestActivityShowsWhatMemoryCountedAMomentAgo(t *testing.T) {
	v := openVault(t, nil)
	key, token, err := v.CreateKey(t.Context(), v.by, full("x"))
	if err != nil {
		t.Fatal(err)
	}
	now := v.clock.Now()
	v.record(use(&key, hour(now.Add(-2*time.Hour), 5)))
	request := auth.Request{Token: []byte(token.Reveal()), Addr: netip.MustParseAddr("192.0.2.1"), UserAgent: []byte("curl/8"), Scope: auth.AnyKey}
	a := v.limited("100/1m")
	for range 3 {
		if _, err := a.Admit(t.Context(), request); err != nil {
			t.Fatal(err)
		}
	}
	got := v.activity(key.ID, now.Add(-day), now)
	want := []auth.Bucket{hour(now.Add(-2*time.Hour), 5), {Hour: now.Truncate(time.Hour), Requests: 3}}
	if !reflect.DeepEqual(got.Buckets, want) || got.Last.UserAgent != "curl/8" || !got.Last.At.Equal(now) {
		t.Errorf("before the flush: %+v, want %v", got, want)
	}
	if early := v.activity(key.ID, now.Add(-day), now.Add(-time.Hour)).Buckets; !reflect.DeepEqual(early, want[:1]) {
		t.Errorf("before this hour: %v, want %v", early, want[:1])
	}
	if err := a.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	v.reopen()
	after := v.activity(key.ID, now.Add(-day), now)
	if !reflect.DeepEqual(after, got) {
		t.Errorf("after a restart: %+v, want %+v", after, got)
	}
	if last := v.Keyring().LastUse(key.ID); last.Addr != request.Addr || !last.At.Equal(now) {
		t.Errorf("the keyring's last use after a restart: %+v", last)
	}

	a = v.limited("100/1m")
	if _, err := a.Admit(t.Context(), request); err != nil {
		t.Fatal(err)
	}
	if got := v.activity(key.ID, now, now).Buckets; len(got) != 1 || got[0].Requests != 4 {
		t.Errorf("the hour goes on as %v, want 4 requests", got)
	}
	if err := a.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// What a key needed is known after a restart and from a backup; the time that a key
// is watched for does not begin anew.
func TestScopesThatWereNeededSurvive(t *testing.T) {
	v := openVault(t, nil)
	key, token, err := v.CreateKey(t.Context(), v.by, full("x"))
	if err != nil {
		t.Fatal(err)
	}
	since := v.clock.Now()
	needing := func(s auth.Scope) {
		a := v.limited("100/1m")
		if _, err := a.Admit(t.Context(), auth.Request{Token: []byte(token.Reveal()), Scope: s}); err != nil {
			t.Fatal(err)
		}
		if err := a.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		v.clock.Advance(day)
		v.reopen()
	}
	knows := func(s *storage.Store, want string) {
		t.Helper()
		if got := s.Keyring().LastUse(key.ID); got.Scopes.String() != want || !got.WatchedSince.Equal(since) {
			t.Errorf("needed %q since %s, want %q since %s", got.Scopes, got.WatchedSince, want, since)
		}
	}
	needing(auth.AnyKey)
	knows(v.Store, "")
	needing(auth.PartiesRead)
	needing(auth.InvoicesWrite)
	knows(v.Store, "invoices:write,parties:read")
	_, backup := taken(t, v.Store, nil)
	_, again := restored(t, backup, into(t, v.clock))
	knows(again, "invoices:write,parties:read")
}

func TestRestartHandsOutNoFreshWindow(t *testing.T) {
	v := openVault(t, nil)
	_, token, err := v.CreateKey(t.Context(), v.by, full("x"))
	if err != nil {
		t.Fatal(err)
	}
	request := auth.Request{Token: []byte(token.Reveal()), Scope: auth.AnyKey}
	const limit = 40
	admitted := 0
	for restart := range 4 {
		a := v.limited(fmt.Sprintf("%d/1h", limit))
		for range 15 {
			if _, err := a.Admit(t.Context(), request); err == nil {
				admitted++
			}
		}
		if err := a.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		v.reopen()
		if want := min(15*(restart+1), limit); admitted != want {
			t.Errorf("after %d restarts %d requests were admitted, want %d", restart, admitted, want)
		}
	}
}

func TestUseOfManyHoursAndKeysIsRecordedWhole(t *testing.T) {
	v := openVault(t, nil)
	now := v.clock.Now()
	a, b := v.mint(full("a")), v.mint(full("b"))
	long := use(a)
	for h := range 1500 { // more than one transaction holds
		long.Buckets = append(long.Buckets, hour(now.Add(time.Duration(h-1500)*time.Hour), uint64(h+1)))
	}
	short := use(b, hour(now, 2))
	uses := []auth.Use{short, long, short}
	for range 1000 {
		uses = append(uses, short)
	}
	v.record(uses...)
	if got := v.activity(a.ID, time.Time{}, now).Buckets; !reflect.DeepEqual(got, long.Buckets) {
		t.Errorf("%d hours of the first key, want %d", len(got), len(long.Buckets))
	}
	if got := v.activity(b.ID, time.Time{}, now).Buckets; !reflect.DeepEqual(got, short.Buckets) {
		t.Errorf("the second key: %v", got)
	}
}

func TestUseOfNoKeyIsLeftOut(t *testing.T) {
	v := openVault(t, nil)
	k := v.mint(full("x"))
	now := v.clock.Now()
	foreign := use(k, hour(now, 1))
	foreign.OrgID = uid.ID{1}
	v.record(auth.Use{KeyID: uid.ID{2}, OrgID: v.org.ID, Buckets: []auth.Bucket{hour(now, 1)}}, foreign)
	v.record()
	if got := v.activity(k.ID, now, now); len(got.Buckets) != 0 {
		t.Errorf("recorded %+v", got)
	}
}

func TestUseLeavesNoAuditRecord(t *testing.T) {
	v := openVault(t, nil)
	k := v.mint(full("x"))
	records := uint64(len(v.trail(0)))
	v.record(use(k, hour(v.clock.Now(), 1)))
	if more := v.trail(records); len(more) != 0 || v.key(k.ID).Version != 1 {
		t.Errorf("the use of a key counts as a change of it: %v", more)
	}
}
