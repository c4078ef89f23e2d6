package auth_test

import (
	"context"
	"errors"
	"net/netip"
	"runtime"
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
// and on cold caches: whoever starts after the revocation is refused, and whoever
// is under way gets one answer or the other.
func TestRevokedKeyStopsAtOnce(t *testing.T) {
	const races, users = 10_000, 2
	b := newBench(t, func(o *auth.AuthenticatorOptions) { o.CacheSize = 64 * 512 })
	var late, met atomic.Int64
	for race := range races {
		k, r := b.key(t, nil)
		if race%2 == 0 {
			b.admit(t, r) // now it is warm
		}
		var revoked atomic.Bool
		var begun, ended sync.WaitGroup
		begun.Add(users)
		for range users {
			ended.Go(func() {
				begun.Done()
				for !endsRevoked(t, b, r, &revoked, &late, &met) {
					runtime.Gosched()
				}
			})
		}
		begun.Wait()
		k.RevokedAt = time.Now()
		k.Version++
		b.ring.Put(k)
		revoked.Store(true)
		ended.Wait()
	}
	if late.Load() != 0 {
		t.Errorf("%d of %d races were late", late.Load(), races)
	}
	t.Logf("%d requests were under way during %d revocations", met.Load(), races)
	if met.Load() < races/20 {
		t.Errorf("only %d requests met a revocation: nothing was raced", met.Load())
	}
}

// endsRevoked makes one request and reports whether it was told of the revocation.
func endsRevoked(t *testing.T, b *bench, r auth.Request, revoked *atomic.Bool, late, met *atomic.Int64) bool {
	after := revoked.Load()
	_, err := b.Admit(context.Background(), r)
	switch {
	case !after && revoked.Load():
		met.Add(1)
	case after && err == nil:
		late.Add(1)
	}
	if err != nil && !errors.Is(err, auth.ErrRevoked) {
		t.Errorf("Admit: %v", err)
	}
	return err != nil
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

// A hundred keys at once on cold caches: those that find no room in the gate
// are told so, and none is taken for another or for a bad one.
func TestColdKeysShareTheGate(t *testing.T) {
	small, err := auth.NewHasher(auth.HasherOptions{Params: auth.Params{MemoryKiB: 1024, Iterations: 2, Parallelism: 1}, Slots: 1, Queue: 4})
	if err != nil {
		t.Fatal(err)
	}
	b := newBench(t, func(o *auth.AuthenticatorOptions) { o.Hasher = small })
	b.hasher = newHasher(t, auth.Params{MemoryKiB: 1024, Iterations: 2, Parallelism: 1})
	var admitted, busy atomic.Int64
	var ready, wg sync.WaitGroup
	ready.Add(1)
	for range 100 {
		k, r := b.key(t, nil)
		wg.Go(func() {
			ready.Wait()
			ad, err := b.Admit(context.Background(), r)
			var full *auth.BusyError
			switch {
			case err == nil && ad.Key.ID == k.ID:
				admitted.Add(1)
			case errors.As(err, &full) && full.RetryAfter == time.Second && ad.Key == nil:
				busy.Add(1)
			default:
				t.Errorf("Admit = %v, %v", ad.Key, err)
			}
		})
	}
	ready.Done()
	wg.Wait()
	if admitted.Load() < 5 || busy.Load() < 1 || uint64(admitted.Load()) != small.Runs() {
		t.Errorf("%d admitted, %d told to come back, %d argon2id runs", admitted.Load(), busy.Load(), small.Runs())
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
	bad := r
	for name, token := range map[string]string{
		"checksum": "ex_live_00000000000000000000000000000000000000", "shape": "password", "nothing": "",
		"unknown": mint(t, auth.Live).Reveal(),
	} {
		bad.Token = []byte(token)
		if n := testing.AllocsPerRun(1000, func() { b.Admit(context.Background(), bad) }); n != 0 {
			t.Errorf("%s: %v allocations to refuse a token", name, n)
		}
	}
}

// The same under everything a server has: a Ledger, several windows, a budget
// of refusals. What it writes beside is not the request's.
func TestWarmAdmissionUnderALedgerDoesNotAllocate(t *testing.T) {
	p := start(t, newClock(noon), newBooks(), nil, func(o *auth.AuthenticatorOptions) { o.Failures = mustLimits(t, "1000/1m") })
	_, r := p.key(t, func(k *auth.Key) { k.Limits = mustLimits(t, "1000000/1s,100000000/1m,1000000000/24h") })
	p.admit(t, r)
	if n := testing.AllocsPerRun(1000, func() { p.Admit(context.Background(), r) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestOptionsAreRequired(t *testing.T) {
	whole := auth.AuthenticatorOptions{
		Environment: auth.Live, Keyring: auth.NewKeyring(), Hasher: newHasher(t, cheap), Limits: mustLimits(t, "1/1m"),
	}
	for name, change := range map[string]func(*auth.AuthenticatorOptions){
		"environment": func(o *auth.AuthenticatorOptions) { o.Environment = "prod" },
		"keyring":     func(o *auth.AuthenticatorOptions) { o.Keyring = nil },
		"hasher":      func(o *auth.AuthenticatorOptions) { o.Hasher = nil },
		"limits":      func(o *auth.AuthenticatorOptions) { o.Limits = nil },
	} {
		o := whole
		change(&o)
		if _, err := auth.NewAuthenticator(o); errText(err) != "authenticator: environment, keyring, hasher and limits are required" {
			t.Errorf("without %s: %v", name, err)
		}
	}
}
