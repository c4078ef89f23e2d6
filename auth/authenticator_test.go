package auth_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"exante/auth"
	"exante/auth/uid"
)

var (
	cheap = auth.Params{MemoryKiB: 64, Iterations: 1, Parallelism: 1}
	ids   = uid.NewSource(nil, nil)
	home  = netip.MustParseAddr("127.0.0.1")
)

// bench is an authenticator with one keyring, for tests.
type bench struct {
	*auth.Authenticator
	ring   *auth.Keyring
	hasher *auth.Hasher
}

func newBench(tb testing.TB, change func(*auth.AuthenticatorOptions)) *bench {
	tb.Helper()
	hasher, err := auth.NewHasher(auth.HasherOptions{Params: cheap, Queue: 10_000, MaxWait: time.Minute})
	if err != nil {
		tb.Fatal(err)
	}
	o := auth.AuthenticatorOptions{
		Environment: auth.Live, Keyring: auth.NewKeyring(), Hasher: hasher,
		Limits: mustLimits(tb, "1000000000/1m"),
	}
	if change != nil {
		change(&o)
	}
	a, err := auth.NewAuthenticator(o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { a.Close(context.Background()) })
	return &bench{a, o.Keyring, o.Hasher}
}

func mustLimits(tb testing.TB, text string) auth.Limits {
	tb.Helper()
	l, err := auth.ParseLimits(text)
	if err != nil {
		tb.Fatal(err)
	}
	return l
}

// key mints a key, changed as asked, and puts it on the ring.
func (b *bench) key(tb testing.TB, change func(*auth.Key)) (auth.Key, auth.Request) {
	tb.Helper()
	token, err := auth.Mint(auth.Live, nil)
	if err != nil {
		tb.Fatal(err)
	}
	hash, err := b.hasher.Hash(context.Background(), token)
	if err != nil {
		tb.Fatal(err)
	}
	id, _ := ids.New()
	k := auth.Key{ID: id, Tag: token.Tag(), Hash: hash, Scopes: auth.FullAccess, Version: 1}
	if change != nil {
		change(&k)
	}
	b.ring.Put(k)
	return k, auth.Request{Token: []byte(token.Reveal()), Addr: home, Scope: auth.InvoicesRead, UserAgent: []byte("test/1")}
}

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

func TestSecretsDoNotPrint(t *testing.T) {
	token, _ := auth.Mint(auth.Live, nil)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		if got := fmt.Sprintf(verb, token); got != "[redacted]" {
			t.Errorf("%s prints %s", verb, got)
		}
	}
}
