package auth_test

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"exante/auth"
)

// Every proven request counts once, by its outcome; what proves nothing counts
// for no key.
func TestUseIsCountedByOutcome(t *testing.T) {
	p, k, r := limited(t, "6/1m")
	for range 3 {
		p.Finish(p.admit(t, r), auth.Answer{Status: 200}, nil)
	}
	p.Finish(p.admit(t, r), auth.Answer{Status: 500}, nil)
	p.Finish(p.admit(t, r), auth.Answer{Status: 503}, nil)
	p.Finish(p.admit(t, r), auth.Answer{Status: 404}, nil)
	p.refuse(t, r, auth.ErrLimited)
	k.Scopes = scopes(t, "parties:read")
	p.ring.Put(k)
	p.refuse(t, r, auth.ErrScope)
	k.Networks = networks(t, "10.0.0.0/8")
	p.ring.Put(k)
	p.refuse(t, r, auth.ErrNetwork)
	k.ExpiresAt = noon
	p.ring.Put(k)
	p.refuse(t, r, auth.ErrExpired)
	k.RevokedAt = noon
	p.ring.Put(k)
	p.refuse(t, r, auth.ErrRevoked)
	p.Finish(auth.Admission{}, auth.Answer{Status: 500}, nil)
	bad := r
	bad.Token = r.Token[1:]
	p.refuse(t, bad, auth.ErrBadToken)
	want := []auth.Bucket{{Hour: noon, Requests: 11, Unauthorized: 2, Forbidden: 2, RateLimited: 1, ServerErrors: 2}}
	if got := p.ring.Buckets(k.ID); !slices.Equal(got, want) {
		t.Errorf("counted %+v, want %+v", got, want)
	}
	p.stop(t)
	if got := p.pen.use(k.ID).Buckets; !slices.Equal(got, want) {
		t.Errorf("stored %+v, want %+v", got, want)
	}
}

// Only accepted requests are a key's last use: whoever tries a revoked key leaves
// a count, no more.
func TestLastUseIsOfAcceptedRequests(t *testing.T) {
	p, k, r := limited(t, "1/1m")
	p.admit(t, r)
	want := auth.LastUse{At: noon, Addr: home, UserAgent: "test/1", Scopes: scopes(t, "invoices:read"), WatchedSince: noon}
	p.clock.advance(time.Second)
	r.Addr, r.UserAgent = netip.MustParseAddr("203.0.113.7"), []byte("thief/2")
	p.refuse(t, r, auth.ErrLimited)
	k.RevokedAt = noon
	p.ring.Put(k)
	p.refuse(t, r, auth.ErrRevoked)
	if got := p.ring.LastUse(k.ID); got != want {
		t.Errorf("LastUse = %+v, want %+v", got, want)
	}
	p.stop(t)
	if got := p.pen.use(k.ID).Last; got != want {
		t.Errorf("stored %+v, want %+v", got, want)
	}
	if got := p.again(t, k).ring.LastUse(k.ID); got != want {
		t.Errorf("after a restart %+v, want %+v", got, want)
	}
}

// What a key needed is the sum of its accepted requests, over restarts too.
func TestScopesThatWereNeededAreKept(t *testing.T) {
	p, k, r := limited(t, "1000/1m")
	k.Scopes = scopes(t, "invoices:write", "parties:read")
	p.ring.Put(k)
	needed := func(want string, since time.Time) {
		t.Helper()
		got := p.ring.LastUse(k.ID)
		if got.Scopes.String() != want || !got.WatchedSince.Equal(since) {
			t.Errorf("needed %q since %s, want %q since %s", got.Scopes, got.WatchedSince, want, since)
		}
	}
	ask := func(s auth.Scope) {
		r.Scope = s
		p.admit(t, r)
		p.clock.advance(time.Hour)
	}
	needed("", time.Time{})
	r.Scope = auth.APIKeysRead
	p.refuse(t, r, auth.ErrScope)
	needed("", time.Time{})
	ask(auth.AnyKey)
	needed("", noon)
	ask(auth.InvoicesWrite)
	ask(auth.InvoicesWrite)
	needed("invoices:write", noon)
	p.stop(t)
	p = p.again(t, k)
	needed("invoices:write", noon)
	ask(auth.PartiesRead)
	needed("invoices:write,parties:read", noon)
	p.stop(t)

	last := p.pen.last[k.ID] // as an older program would have left it
	last.Scopes, last.WatchedSince = 0, time.Time{}
	p.pen.last[k.ID] = last
	p = p.again(t, k)
	needed("", time.Time{})
	since := p.clock.Now()
	ask(auth.InvoicesRead)
	needed("invoices:read", since)
}

func TestUserAgentsAreFitToBeShown(t *testing.T) {
	b := newBench(t, nil)
	k, r := b.key(t, nil)
	for in, want := range map[string]string{
		"":                                    "",
		"curl/8.5.0":                          "curl/8.5.0",
		"a\x00b\r\nc\x1b[31m\x7f":             "abc[31m",
		"caf\u00e9 \u4e16":                    "caf\u00e9 \u4e16",
		"right\u202eleft\u2066":               "rightleft",
		"broken\xff\xfe utf8":                 "broken utf8",
		strings.Repeat("x", 300):              strings.Repeat("x", 256),
		strings.Repeat("x", 255) + "\u00e9":   strings.Repeat("x", 255),
		strings.Repeat("\u4e16", 100):         strings.Repeat("\u4e16", 85),
		strings.Repeat("\x01", 8000) + "late": "",
	} {
		for range 2 { // unchanged the second time
			r.UserAgent = []byte(in)
			b.admit(t, r)
			if got := b.ring.LastUse(k.ID).UserAgent; got != want {
				t.Errorf("%.20q reads %q, want %q", in, got, want)
			}
		}
		if n := testing.AllocsPerRun(100, func() { b.Admit(context.Background(), r) }); n != 0 {
			t.Errorf("%.20q: %v allocations when it has not changed", in, n)
		}
	}
}

// Whoever lays the hours of memory over the stored ones sees each request once:
// before, while and after they are written, and over restarts of both kinds.
func TestHoursAreNeverCountedTwice(t *testing.T) {
	b, c := newBooks(), newClock(noon)
	often := func(o *auth.AuthenticatorOptions) { o.FlushEvery = time.Millisecond }
	p := start(t, c, b, nil, often)
	k, r := p.key(t, nil)
	total := func() (n uint64) {
		hours := map[time.Time]auth.Bucket{}
		memory := p.ring.Buckets(k.ID) // first: what leaves memory is in the store by then
		for _, bucket := range append(b.use(k.ID).Buckets, memory...) {
			hours[bucket.Hour] = bucket
		}
		for _, bucket := range hours {
			n += bucket.Requests
		}
		return n
	}
	for i := range uint64(3000) {
		calls := p.pen.written()
		p.admit(t, r)
		if got := total(); got != i+1 {
			t.Fatalf("%d requests read as %d", i+1, got)
		}
		switch {
		case i%97 == 0:
			c.advance(13 * time.Minute)
		case i%50 == 0:
			eventually(t, "a flush", func() bool { return p.pen.written() > calls })
		case i%500 == 499:
			p.stop(t)
			p = start(t, c, b, []auth.Key{k}, often)
		}
	}
	eventually(t, "memory of past hours is given back", func() bool { return len(p.ring.Buckets(k.ID)) <= 8 })
}

// Use goes to the Ledger again and again, after a failure by itself.
func TestUseIsWrittenAgainAndAgain(t *testing.T) {
	p := start(t, newClock(noon), newBooks(), nil, func(o *auth.AuthenticatorOptions) { o.FlushEvery = time.Millisecond })
	k, r := p.key(t, nil)
	stored := func() (n uint64) {
		for _, b := range p.pen.use(k.ID).Buckets {
			n += b.Requests
		}
		return n
	}
	for i := range uint64(5) {
		p.admit(t, r)
		eventually(t, "the count", func() bool { return stored() == i+1 })
	}
	p.pen.fail(errors.New("the disk is full"))
	p.admit(t, r)
	calls := p.pen.written()
	eventually(t, "two attempts", func() bool { return p.pen.written() > calls+1 })
	p.pen.fail(nil)
	eventually(t, "the count that could not be written", func() bool { return stored() == 6 })
}

func TestHoursSurviveAClockThatIsSet(t *testing.T) {
	p, k, r := limited(t, "1000000/1s")
	hours := func() (out []string) {
		for _, b := range p.ring.Buckets(k.ID) {
			out = append(out, b.Hour.Format("0215")+"="+string('0'+byte(b.Requests)))
		}
		return out
	}
	for _, step := range []struct {
		by   time.Duration
		want string
	}{
		{0, "2312=1"},
		{-time.Minute, "2312=2"},                               // just before the hour: counts on
		{time.Minute + time.Hour, "2312=2 2313=1"},             //
		{-time.Hour, "2312=3 2313=1"},                          // an hour that memory still has
		{10 * time.Hour, "2312=3 2313=1 2322=1"},               // far ahead, by mistake
		{-8 * time.Hour, "2312=3 2313=1 2314=1 2322=1"},        // and right again
		{-5 * time.Hour, "2309=1 2312=3 2313=1 2314=1 2322=1"}, //
		{12 * time.Hour, "2309=1 2312=3 2313=1 2314=1 2322=2"}, // within an hour of the newest
	} {
		p.clock.advance(step.by)
		p.admit(t, r)
		if got := strings.Join(hours(), " "); got != step.want {
			t.Fatalf("at %s: %s, want %s", p.clock.Now(), got, step.want)
		}
	}
}

// A Ledger that takes nothing for weeks costs a bounded memory, and what it
// then gets is all of it.
func TestUseIsBoundedWhileTheLedgerFails(t *testing.T) {
	p, k, r := limited(t, "1000000/1s")
	p.pen.fail(errors.New("the disk is full"))
	for range 1000 {
		p.admit(t, r)
		p.clock.advance(time.Hour)
	}
	hours := p.ring.Buckets(k.ID)
	if len(hours) != 31*24 || !hours[len(hours)-1].Hour.Equal(noon.Add(999*time.Hour)) {
		t.Errorf("%d hours kept, the last %s", len(hours), hours[len(hours)-1].Hour)
	}
	p.pen.fail(nil)
	p.stop(t)
	if got := len(p.pen.use(k.ID).Buckets); got != 31*24 {
		t.Errorf("%d hours stored", got)
	}
}

// One call to the Ledger stays small, however many keys are due.
func TestWritesAreSplit(t *testing.T) {
	p := start(t, newClock(noon), newBooks(), nil, nil)
	var last auth.Key
	for range 500 {
		k, r := p.key(t, nil)
		p.admit(t, r)
		last = k
	}
	p.stop(t)
	if most := p.pen.largest(); most > 200 || most < 20 {
		t.Errorf("up to %d keys in one call", most)
	}
	if got := p.pen.use(last.ID); len(got.Buckets) != 1 || len(got.Meters) != 1 || got.Last.At.IsZero() {
		t.Errorf("the last key was left out: %+v", got)
	}
}

// Flush does not wait for the next tick, and a Ledger that fails says so.
func TestFlushWritesUseNow(t *testing.T) {
	p, k, r := limited(t, "6/1m")
	p.Finish(p.admit(t, r), auth.Answer{Status: 200}, nil)
	if err := p.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := []auth.Bucket{{Hour: noon, Requests: 1}}
	if got := p.pen.use(k.ID).Buckets; !slices.Equal(got, want) {
		t.Errorf("stored %+v, want %+v", got, want)
	}
	p.Finish(p.admit(t, r), auth.Answer{Status: 200}, nil)
	ended, end := context.WithCancel(t.Context())
	end()
	p.stop(t)
	if err := p.Flush(ended); err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("Flush after Close: %v", err)
	}
}
