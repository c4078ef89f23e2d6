package auth_test

import (
	"errors"
	"net/netip"
	"testing"
	"time"

	"exante/auth"
)

// Each way of being refused has a counter, and moves no other.
func TestEveryRefusalIsCountedByItsReason(t *testing.T) {
	now := newClock(noon)
	b := newBench(t, func(o *auth.AuthenticatorOptions) {
		o.Now, o.Failures = now.Now, mustLimits(t, "5/1m")
	})
	counts := func() map[string]uint64 {
		all := map[string]uint64{}
		for i, n := range b.Stats().Refusals {
			all[auth.Reason(i).String()] = n
		}
		return all
	}
	_, good := b.key(t, nil)
	_, expired := b.key(t, func(k *auth.Key) { k.ExpiresAt = noon })
	_, revoked := b.key(t, func(k *auth.Key) { k.RevokedAt = noon })
	_, fenced := b.key(t, func(k *auth.Key) { k.Networks = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")} })
	_, narrow := b.key(t, func(k *auth.Key) { k.Scopes = mustScopes(t, "parties:read") })
	_, limited := b.key(t, func(k *auth.Key) { k.Limits = mustLimits(t, "1/1m") })
	stranger, err := auth.Mint(auth.Live, nil)
	if err != nil {
		t.Fatal(err)
	}
	ask := func(r auth.Request) { _, _ = b.Admit(t.Context(), r) }
	malformed, unknown := good, good
	malformed.Token, unknown.Token = []byte("ex_live_short"), []byte(stranger.Reveal())
	for _, c := range []struct {
		reason string
		refuse func()
	}{
		{"missing", func() { _ = b.Failed(home, auth.ErrNoToken) }},
		{"malformed", func() { _ = b.Failed(home, auth.ErrBadHeader) }},
		{"malformed", func() { ask(malformed) }},
		{"unknown", func() { ask(unknown) }},
		{"expired", func() { ask(expired) }},
		{"revoked", func() { ask(revoked) }},
		{"network", func() { ask(fenced) }},
		{"scope", func() { ask(narrow) }},
		{"limited", func() { ask(limited); ask(limited) }},
		{"failures", func() {
			for range 6 {
				ask(malformed)
			}
		}},
	} {
		now.advance(time.Hour) // within the budget of failures
		before := counts()
		c.refuse()
		for name, n := range counts() {
			moved, want := n-before[name], uint64(0)
			if name == c.reason {
				want = 1
			} else if c.reason == "failures" && name == "malformed" {
				want = 5
			}
			if moved != want {
				t.Errorf("%s: the counter of %s moved by %d, want %d", c.reason, name, moved, want)
			}
		}
	}
	before := counts()
	ask(good)
	for name, n := range counts() {
		if n != before[name] {
			t.Errorf("an accepted request moved %s", name)
		}
	}
}

func TestAFullGateIsCounted(t *testing.T) {
	hasher, err := auth.NewHasher(auth.HasherOptions{
		Params: auth.Params{MemoryKiB: 16 << 10, Iterations: 4, Parallelism: 1}, Slots: 1, Queue: 1, MaxWait: time.Nanosecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	b := newBench(t, func(o *auth.AuthenticatorOptions) { o.Hasher = hasher })
	b.hasher = hasher
	_, one := b.key(t, nil)
	_, other := b.key(t, nil)
	started := hasher.Runs()
	first := make(chan error, 1)
	go func() {
		_, err := b.Admit(t.Context(), one)
		first <- err
	}()
	for hasher.Runs() == started { // until it runs
		select {
		case err := <-first:
			t.Fatal("ended early:", err)
		default:
		}
	}
	if s := b.Stats().Gate; s.Busy != 1 || s.Slots != 1 || s.Queue != 2 { // one of each kind
		t.Errorf("gate = %+v while one computation runs", s)
	}
	if _, err := b.Admit(t.Context(), other); !errors.Is(err, auth.ErrBusy) {
		t.Fatalf("second = %v, want busy", err)
	}
	if err := <-first; err != nil {
		t.Fatal(err)
	}
	if n := b.Stats().Refusals[auth.NoRoom]; n != 1 {
		t.Errorf("%d refused for want of room, want 1", n)
	}
}

func TestHitsAndMissesOfVerifiedTokens(t *testing.T) {
	b := newBench(t, nil)
	_, token := b.key(t, nil)
	for range 3 {
		if _, err := b.Admit(t.Context(), token); err != nil {
			t.Fatal(err)
		}
	}
	if s := b.Stats(); s.Hits != 2 || s.Misses != 1 || s.Gate.Busy != 0 {
		t.Errorf("%d hits, %d misses, %+v", s.Hits, s.Misses, s.Gate)
	}
}

func TestCensusKnowsStatesAndWhatEndsSoon(t *testing.T) {
	b := newBench(t, nil)
	const day = 24 * time.Hour
	for _, change := range []func(*auth.Key){
		nil,
		func(k *auth.Key) { k.ExpiresAt = noon.Add(7 * day) },
		func(k *auth.Key) { k.ExpiresAt = noon.Add(7*day + 1) },
		func(k *auth.Key) { k.ExpiresAt = noon.Add(30*day + 1) },
		func(k *auth.Key) { k.RetiresAt = noon.Add(day) },
		func(k *auth.Key) { k.ExpiresAt = noon },
		func(k *auth.Key) { k.RevokedAt, k.ExpiresAt = noon, noon.Add(day) },
	} {
		b.key(t, change)
	}
	want := auth.Census{Active: 4, Retiring: 1, Expired: 1, Revoked: 1, EndingIn7Days: 2, EndingIn30Days: 3}
	if got := b.ring.Census(noon); got != want {
		t.Errorf("census = %+v, want %+v", got, want)
	}
}

func mustScopes(tb testing.TB, names ...string) auth.Scopes {
	tb.Helper()
	s, err := auth.ParseScopes(names)
	if err != nil {
		tb.Fatal(err)
	}
	return s
}
