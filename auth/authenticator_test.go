package auth_test

import (
	"context"
	"errors"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"exante/auth"
)

func TestAdmitRows(t *testing.T) {
	now := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	b := newBench(t, func(o *auth.AuthenticatorOptions) { o.Now = func() time.Time { return now } })
	for name, c := range map[string]struct {
		change func(*auth.Key)
		want   error
	}{
		"active":         {nil, nil},
		"retiring":       {func(k *auth.Key) { k.RetiresAt = now.Add(1) }, nil},
		"expires later":  {func(k *auth.Key) { k.ExpiresAt = now.Add(1) }, nil},
		"expired":        {func(k *auth.Key) { k.ExpiresAt = now }, auth.ErrExpired},
		"revoked":        {func(k *auth.Key) { k.RevokedAt = now.Add(-1) }, auth.ErrRevoked},
		"retired":        {func(k *auth.Key) { k.RetiresAt = now }, auth.ErrRevoked},
		"expired first":  {func(k *auth.Key) { k.ExpiresAt, k.RetiresAt = now.Add(-2), now.Add(-1) }, auth.ErrExpired},
		"inside network": {func(k *auth.Key) { k.Networks = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")} }, nil},
		"other network":  {func(k *auth.Key) { k.Networks = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")} }, auth.ErrNetwork},
		"write includes read": {func(k *auth.Key) {
			k.Scopes, _ = auth.ParseScopes([]string{"invoices:write"})
		}, nil},
		"other scope": {func(k *auth.Key) { k.Scopes, _ = auth.ParseScopes([]string{"parties:write"}) }, auth.ErrScope},
	} {
		k, r := b.key(t, c.change)
		for _, temperature := range []string{"cold", "warm"} {
			ad, err := b.Admit(context.Background(), r)
			if !errors.Is(err, c.want) || ad.Key == nil || ad.Key.ID != k.ID {
				t.Errorf("%s, %s: Admit = %+v, %v, want %v", name, temperature, ad.Key, err, c.want)
			}
		}
	}
	if runs := b.hasher.Runs(); runs != 2*11 {
		t.Errorf("%d argon2id runs for 11 keys hashed once and verified once", runs)
	}
}

// A flood of well-formed tokens that nobody has starts no argon2id.
func TestUnknownTokensNeverReachArgon2(t *testing.T) {
	b := newBench(t, nil)
	b.key(t, nil)
	before := b.hasher.Runs()
	for i := range 20_000 {
		token, _ := auth.Mint(auth.Live, nil)
		ad, err := b.Admit(context.Background(), auth.Request{Token: []byte(token.Reveal()), Addr: home})
		if !errors.Is(err, auth.ErrBadToken) || ad.Key != nil {
			t.Fatalf("token %d: %v, %v", i, ad.Key, err)
		}
	}
	if got := b.hasher.Runs() - before; got != 0 {
		t.Errorf("%d argon2id runs", got)
	}
}

// TestRevokedKeyStopsAtOnce races revocations against verifications, on warm
// and on cold caches: whoever starts after the revocation is refused.
func TestRevokedKeyStopsAtOnce(t *testing.T) {
	const races, users = 10_000, 2
	b := newBench(t, func(o *auth.AuthenticatorOptions) { o.CacheSize = 64 * 512 })
	late := 0
	for race := range races {
		k, r := b.key(t, nil)
		if race%2 == 0 {
			if _, err := b.Admit(context.Background(), r); err != nil {
				t.Fatal(err)
			}
		}
		var revoked atomic.Bool
		var wg sync.WaitGroup
		var lateHere atomic.Int64
		for range users {
			wg.Go(func() {
				for range 1000 {
					after := revoked.Load()
					_, err := b.Admit(context.Background(), r)
					if err == nil && after {
						lateHere.Add(1)
					}
					if err != nil {
						if !errors.Is(err, auth.ErrRevoked) {
							t.Errorf("race %d: %v", race, err)
						}
						return
					}
				}
			})
		}
		k.RevokedAt = time.Now()
		k.Version++
		b.ring.Put(k)
		revoked.Store(true)
		wg.Wait()
		late += int(lateHere.Load())
	}
	if late != 0 {
		t.Errorf("%d of %d races were late", late, races)
	}
}

func TestExpiredKeyCostsOneArgon2(t *testing.T) {
	b := newBench(t, nil)
	_, r := b.key(t, func(k *auth.Key) { k.ExpiresAt = time.Now().Add(-time.Hour) })
	before := b.hasher.Runs()
	for range 100 {
		if _, err := b.Admit(context.Background(), r); !errors.Is(err, auth.ErrExpired) {
			t.Fatal(err)
		}
	}
	if got := b.hasher.Runs() - before; got != 1 {
		t.Errorf("%d argon2id runs, want 1", got)
	}
}

func TestConcurrentColdCallersShareOneArgon2(t *testing.T) {
	b := newBench(t, nil)
	_, r := b.key(t, nil)
	before := b.hasher.Runs()
	var wg sync.WaitGroup
	for range 100 {
		wg.Go(func() {
			if _, err := b.Admit(context.Background(), r); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got := b.hasher.Runs() - before; got != 1 {
		t.Errorf("%d argon2id runs, want 1", got)
	}
}

func TestWarmAdmissionDoesNotAllocate(t *testing.T) {
	b := newBench(t, nil)
	_, r := b.key(t, nil)
	admit := func() {
		if _, err := b.Admit(context.Background(), r); err != nil {
			t.Fatal(err)
		}
	}
	admit()
	if n := testing.AllocsPerRun(1000, admit); n != 0 {
		t.Errorf("%v allocations", n)
	}
	garbage := auth.Request{Token: []byte("ex_live_00000000000000000000000000000000000000"), Addr: home}
	if n := testing.AllocsPerRun(1000, func() { b.Admit(context.Background(), garbage) }); n != 0 {
		t.Errorf("%v allocations to refuse garbage", n)
	}
}
