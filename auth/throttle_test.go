package auth_test

import (
	"errors"
	"fmt"
	"net/netip"
	"runtime"
	"testing"
	"time"

	"exante/auth"
)

// door is a Throttle and its clock.
type door struct {
	*testing.T
	*auth.Throttle
	clock *clock
}

func newDoor(t *testing.T) *door {
	c := newClock(noon)
	return &door{t, auth.NewThrottle(c.Now), c}
}

// fail is an attempt that fails, or the wait if it is not admitted.
func (d *door) fail(a auth.Attempt) time.Duration {
	_, wait := d.try(a)
	return wait
}

func (d *door) try(a auth.Attempt) (*auth.Try, time.Duration) {
	d.Helper()
	try, err := d.Attempt(a)
	var limited *auth.LimitError
	switch {
	case err == nil:
		return try, 0
	case !errors.As(err, &limited) || limited.RetryAfter <= 0 || try != nil:
		d.Fatalf("Attempt = %v, %v", try, err)
	}
	return nil, limited.RetryAfter
}

// mustTry is try where the attempt is to be admitted.
func (d *door) mustTry(a auth.Attempt) *auth.Try {
	d.Helper()
	try, wait := d.try(a)
	if wait > 0 {
		d.Fatalf("%+v has to wait for %s", a, wait)
	}
	return try
}

func address(n int) netip.Addr {
	return netip.AddrFrom4([4]byte{10, byte(n >> 16), byte(n >> 8), byte(n)})
}

func stranger(account string, n int) auth.Attempt {
	return auth.Attempt{Account: account, Addr: address(n)}
}

// The waits grow as the rules say, wherever a failure counts, and each is exact.
func TestThrottleWaitsGrowAndAreExact(t *testing.T) {
	const s = time.Second
	known := auth.Device{1}
	for name, c := range map[string]struct {
		free    int
		attempt func(i int) auth.Attempt
		waits   []time.Duration
	}{
		"an address at an account": {5, func(int) auth.Attempt { return stranger("ann@example.com", 1) },
			[]time.Duration{s, 2 * s, 4 * s, 8 * s, 16 * s, 32 * s, 64 * s, 128 * s, 256 * s, 512 * s}},
		"an account from anywhere": {10, func(i int) auth.Attempt { return stranger("ann@example.com", i) },
			[]time.Duration{s, 2 * s, 4 * s, 8 * s, 16 * s, 32 * s, 64 * s, 128 * s, 256 * s, 300 * s}},
		"an address at any account": {20, func(i int) auth.Attempt { return stranger(fmt.Sprint(i, "@example.com"), 1) },
			[]time.Duration{s, 2 * s, 4 * s, 8 * s, 16 * s, 32 * s, 60 * s, 60 * s, 60 * s}},
		"a known browser": {5, func(i int) auth.Attempt {
			return auth.Attempt{Account: "ann@example.com", Addr: address(i), Device: known}
		}, []time.Duration{s, 2 * s, 4 * s, 8 * s, 16 * s, 32 * s, 64 * s, 128 * s, 256 * s, 300 * s}},
	} {
		d := newDoor(t)
		for i := range c.free {
			d.mustTry(c.attempt(i))
		}
		for i, want := range c.waits {
			next := c.attempt(c.free + i)
			if got := d.fail(next); got != want {
				t.Fatalf("%s: after %d failures it waits %s, want %s", name, c.free+i, got, want)
			}
			d.clock.advance(want - 1)
			if got := d.fail(next); got != 1 {
				t.Fatalf("%s: a nanosecond before the end of %s it waits %s", name, want, got)
			}
			d.clock.advance(1)
			d.mustTry(next)
		}
	}
}

func TestThrottleForgetsAFailureEveryQuarterOfAnHour(t *testing.T) {
	d, a := newDoor(t), stranger("ann@example.com", 1)
	for range 5 {
		d.mustTry(a)
	}
	d.clock.advance(15*time.Minute - 1)
	d.mustTry(a) // the sixth
	if wait := d.fail(a); wait != 2*time.Second {
		t.Errorf("just before a failure is forgotten it waits %s, want 2s", wait)
	}
	d.clock.advance(15*time.Minute + 1) // two are forgotten
	d.mustTry(a)
	if wait := d.fail(a); wait != time.Second {
		t.Errorf("with two failures of seven forgotten it waits %s, want 1s", wait)
	}
	d.clock.advance(5 * 15 * time.Minute)
	for range 5 {
		d.mustTry(a)
	}
}

// Whoever hammers an account stands in no way of a browser that knows it, not even
// from the same address.
func TestThrottleLetsAKnownBrowserIn(t *testing.T) {
	d := newDoor(t)
	owner := auth.Attempt{Account: "ann@example.com", Addr: address(1), Device: auth.Device{1}}
	other := auth.Attempt{Account: "ann@example.com", Addr: address(1), Device: auth.Device{2}}
	for i := range 1000 {
		d.fail(stranger("ann@example.com", 1))
		d.fail(stranger("ann@example.com", i))
	}
	for range 5 {
		d.mustTry(owner)
	}
	if d.fail(owner) != time.Second {
		t.Error("a known browser may guess without end")
	}
	d.mustTry(other)
	d.mustTry(auth.Attempt{Account: "bob@example.com", Addr: address(1), Device: auth.Device{1}})
}

// A flood of accounts, addresses and browsers takes a bounded memory, and does not
// wash away what is waited for.
func TestThrottleIsBounded(t *testing.T) {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	d := newDoor(t)
	alone, crowd := stranger("ann@example.com", 1), stranger("bob@example.com", 99)
	for i := range 10 {
		d.fail(alone)
		d.fail(stranger("bob@example.com", i))
	}
	for i := range 300_000 {
		d.clock.advance(time.Millisecond)
		account := fmt.Sprint(i, "@example.com")
		d.mustTry(stranger(account, 1000+i))
		d.mustTry(auth.Attempt{Account: account, Device: auth.Device{1}})
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if took := int64(after.HeapAlloc) - int64(before.HeapAlloc); took > 24<<20 {
		t.Errorf("a flood took %d KiB, want 24 MiB at most", took>>10)
	} else {
		t.Logf("%d KiB after a flood of 300,000", took>>10)
	}
	d.mustTry(alone)
	if wait := d.fail(alone); wait != 2*time.Second {
		t.Errorf("after a flood it waits %s, want 2s: the five failures before it are forgotten", wait)
	}
	d.mustTry(crowd)
	if wait := d.fail(crowd); wait != 2*time.Second {
		t.Errorf("after a flood an account waits %s, want 2s: the ten failures before it are forgotten", wait)
	}
}

func TestThrottleCountsBySubscriber(t *testing.T) {
	d := newDoor(t)
	for i := range 5 {
		d.mustTry(auth.Attempt{Account: "ann@example.com", Addr: netip.MustParseAddr(fmt.Sprintf("2001:db8::%d", i))})
		d.mustTry(auth.Attempt{Account: "bob@example.com"}) // no address: counted as one
	}
	for _, a := range []auth.Attempt{{Account: "ann@example.com", Addr: netip.MustParseAddr("2001:db8::ffff:1")}, {Account: "bob@example.com"}} {
		if d.fail(a) != time.Second {
			t.Errorf("%+v is admitted after five failures", a)
		}
	}
	d.mustTry(auth.Attempt{Account: "ann@example.com", Addr: netip.MustParseAddr("2001:db8:0:1::1")})
	if _, err := auth.NewThrottle(nil).Attempt(auth.Attempt{}); err != nil {
		t.Errorf("with the clock of the machine: %v", err)
	}
}
