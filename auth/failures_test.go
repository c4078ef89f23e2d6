package auth_test

import (
	"context"
	"errors"
	"net/netip"
	"runtime"
	"testing"
	"time"

	"exante/auth"
)

// guarded has a budget of three refusals a minute for an address.
func guarded(t *testing.T) (*bench, *clock) {
	t.Helper()
	c := newClock(noon)
	return newBench(t, func(o *auth.AuthenticatorOptions) { o.Now, o.Failures = c.Now, mustLimits(t, "3/1m") }), c
}

func from(r auth.Request, addr string) auth.Request {
	r.Addr = netip.MustParseAddr(addr)
	return r
}

// After three refusals of whatever kind, an address is told to wait; its good
// key goes on all the while.
func TestRefusalsOfAnAddressAreLimited(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*auth.Key)
		token  string
		want   error
	}{
		"unknown":     {nil, mint(t, auth.Live).Reveal(), auth.ErrBadToken},
		"malformed":   {nil, "password", auth.ErrBadToken},
		"environment": {nil, mint(t, auth.Test).Reveal(), auth.ErrBadToken},
		"expired":     {func(k *auth.Key) { k.ExpiresAt = noon }, "", auth.ErrExpired},
		"revoked":     {func(k *auth.Key) { k.RevokedAt = noon }, "", auth.ErrRevoked},
		"scope":       {func(k *auth.Key) { k.Scopes = scopes(t, "parties:read") }, "", auth.ErrScope},
		"network":     {func(k *auth.Key) { k.Networks = networks(t, "10.0.0.0/8") }, "", auth.ErrNetwork},
	} {
		b, clock := guarded(t)
		_, good := b.key(t, nil)
		k, bad := b.key(t, c.change)
		if c.token != "" {
			bad.Token = []byte(c.token)
		}
		for range 3 {
			b.refuse(t, bad, c.want)
		}
		ad, err := b.Admit(context.Background(), bad)
		var limited *auth.LimitError
		if !errors.As(err, &limited) || limited.RetryAfter <= time.Minute-time.Second || limited.RetryAfter > time.Minute+time.Minute/64 {
			t.Fatalf("%s: the fourth refusal is %v", name, err)
		}
		if err.Error() != "over the rate limit" || (ad.Key != nil) != (c.token == "") || ad.Key != nil && ad.Key.ID != k.ID {
			t.Errorf("%s: %v with key %v", name, err, ad.Key)
		}
		b.admit(t, good)
		b.refuse(t, from(bad, "192.0.2.1"), map[bool]error{true: c.want, false: auth.ErrNetwork}[name != "network"])
		clock.advance(limited.RetryAfter - 1)
		b.refuse(t, bad, auth.ErrLimited)
		clock.advance(1)
		b.refuse(t, bad, c.want)
	}
}

func TestMissingTokensCountToo(t *testing.T) {
	b, _ := guarded(t)
	for range 3 {
		if err := b.charge(home); err != nil {
			t.Fatalf("charge = %v within the budget", err)
		}
	}
	if err := b.charge(home); !errors.Is(err, auth.ErrLimited) {
		t.Errorf("charge = %v beyond the budget", err)
	}
	free := newBench(t, nil)
	for range 100 {
		if err := free.charge(home); err != nil {
			t.Fatalf("charge = %v without a budget", err)
		}
	}
}

// One subscriber is one address: a /64 of IPv6, an IPv4 address however it is written.
func TestAddressesAreCountedBySubscriber(t *testing.T) {
	for _, c := range []struct {
		one, other string
		same       bool
	}{
		{"192.0.2.1", "192.0.2.1", true},
		{"192.0.2.1", "::ffff:192.0.2.1", true},
		{"192.0.2.1", "192.0.2.2", false},
		{"2001:db8::1", "2001:db8::ffff:ffff:ffff:ffff", true},
		{"2001:db8::1", "2001:db8:0:1::1", false},
		{"fe80::1%eth0", "fe80::2%eth1", true},
	} {
		b, _ := guarded(t)
		for range 3 {
			b.charge(netip.MustParseAddr(c.one))
		}
		if err := b.charge(netip.MustParseAddr(c.other)); (err != nil) != c.same {
			t.Errorf("%s after %s: %v", c.other, c.one, err)
		}
	}
	b, _ := guarded(t)
	for range 4 {
		b.charge(netip.Addr{}) // no address: counted as one
	}
}

// A flood from ever new addresses takes a bounded memory, and forgets those with
// little against them before those whose budget is spent.
func TestFloodFromManyAddressesIsBounded(t *testing.T) {
	b, _ := guarded(t)
	spent := netip.MustParseAddr("203.0.113.7")
	for range 4 {
		b.charge(spent)
	}
	flood := func(n int, net byte) {
		for i := range n {
			b.charge(netip.AddrFrom4([4]byte{net, byte(i >> 16), byte(i >> 8), byte(i)}))
		}
	}
	flood(100_000, 10)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	flood(300_000, 11)
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 4<<20 {
		t.Errorf("300,000 further addresses took %d KiB", grown>>10)
	}
	net := byte(12)
	if perAddr := testing.AllocsPerRun(100, func() { net++; flood(20, net) }) / 20; perAddr > 0.1 {
		t.Errorf("%v allocations for an address when memory is full", perAddr)
	}
	if err := b.charge(spent); !errors.Is(err, auth.ErrLimited) {
		t.Error("the flood washed away an address whose budget was spent")
	}
}

// charge counts a request without a token against addr, and returns an error once
// that is over the budget.
func (b *bench) charge(addr netip.Addr) error {
	if err := b.Failed(addr, auth.ErrNoToken); !errors.Is(err, auth.ErrNoToken) {
		return err
	}
	return nil
}
