package auth

import (
	"hash/maphash"
	"net/netip"
	"sync"
	"time"
)

// Throttle slows down those who guess passwords, and never locks anybody out for
// good (OWASP ASVS 5.0, 6.1.1 and 6.3.1). It knows accounts by what was typed, so one
// that does not exist is treated like any other.
//
// Failures count in three places: for the address at the account, for the account
// from anywhere, and for the address at any account (tally.go has the rules). A browser
// that has signed in to the account before (Device) is counted in a place of its own
// instead, and so strangers can't keep it out, from whatever address they come. Nor
// can one address keep out who comes from another: it waits longer itself. Many
// addresses can, for as long as they go on, whoever has no such browser.
//
// Memory is bounded, and holds hashes under a key of the process in place of what
// strangers type. Nothing survives a restart.
type Throttle struct {
	now   func() time.Time
	start time.Time // carries the monotonic clock
	seed  maphash.Seed

	mu                                  sync.Mutex // of the tallies
	pairs, accounts, addresses, devices *tallies
}

// NewThrottle returns a Throttle that has seen nothing. now nil means time.Now.
func NewThrottle(now func() time.Time) *Throttle {
	if now == nil {
		now = time.Now
	}
	return &Throttle{
		now: now, start: now(), seed: maphash.MakeSeed(),
		pairs: newTallies(pairRule), accounts: newTallies(accountRule),
		addresses: newTallies(addressRule), devices: newTallies(deviceRule),
	}
}

// Attempt is one try of a password.
type Attempt struct {
	Account string     // the e-mail address in the form in which it is compared, whoever has it
	Addr    netip.Addr // where from; counted by subscriber: a /64 of IPv6
	Device  Device     // what OpenDevice made of the browser's cookie; zero: a stranger
}

// Try is an Attempt under way. It counts as a failure, also for those that come
// meanwhile, unless it is told otherwise: a Try that is told nothing has failed. What
// it is told first holds.
type Try struct {
	throttle *Throttle
	at       int64
	places   []place // the first is its own, the others it shares
	settled  bool
}

// place is one of those where an attempt counts.
type place struct {
	*tallies
	key    uint64
	before int64 // the last charge before this one
}

// Attempt is asked before a password is looked at. It returns a *LimitError with the
// exact wait, and then nothing was charged: at the end of it an attempt is admitted,
// unless another has come first, and earlier only if one under way is not counted
// after all.
func (t *Throttle) Attempt(a Attempt) (*Try, error) {
	places := t.places(a)
	now := t.nanos()
	t.mu.Lock()
	defer t.mu.Unlock()
	var wait int64
	for _, p := range places {
		wait = max(wait, p.of[p.key].until-now)
	}
	if wait > 0 {
		return nil, &LimitError{RetryAfter: time.Duration(wait)}
	}
	for i := range places {
		p := &places[i]
		c := p.of[p.key]
		p.before = c.last
		c.charge(p.rule, now)
		p.put(p.key, c, now)
	}
	return &Try{throttle: t, at: now, places: places}, nil
}

// places are where an attempt counts.
func (t *Throttle) places(a Attempt) []place {
	if a.Device != (Device{}) {
		return []place{{tallies: t.devices, key: t.hash(a.Account, a.Device)}}
	}
	addr := subscriber(a.Addr)
	return []place{
		{tallies: t.pairs, key: t.hash(a.Account, addr)},
		{tallies: t.accounts, key: t.hash(a.Account, nil)},
		{tallies: t.addresses, key: t.hash("", addr)},
	}
}

func (t *Throttle) hash(account string, from any) uint64 {
	return maphash.Comparable(t.seed, struct {
		account string
		from    any
	}{account, from})
}

// nanos is now in Unix nanoseconds on a clock that steps of the wall clock do not move.
func (t *Throttle) nanos() int64 {
	return t.start.UnixNano() + int64(t.now().Sub(t.start))
}

// Succeeded forgives what this address, or this browser, has failed at this account
// (NIST SP 800-63B §5.2.2), everywhere where it counts. What others have failed
// there stays, so that an owner who signs in gives no guesses to those who attack him.
func (y *Try) Succeeded() {
	y.settle(func(now int64) {
		own := y.places[0]
		c := own.of[own.key]
		delete(own.of, own.key)
		for _, p := range y.places[1:] {
			y.refund(p, now, c.debt(now))
		}
	})
}

// Withdrawn takes the attempt back: the password was not judged, because there was
// no room or the store failed.
func (y *Try) Withdrawn() {
	y.settle(func(now int64) {
		for _, p := range y.places {
			y.refund(p, now, int64(forgetEvery))
		}
	})
}

func (y *Try) settle(how func(now int64)) {
	y.throttle.mu.Lock()
	defer y.throttle.mu.Unlock()
	own := y.places[0]
	_, counts := own.of[own.key] // else it was forgiven or forgotten meanwhile
	if counts && !y.settled {
		how(y.throttle.nanos())
	}
	y.settled = true
}

func (y *Try) refund(p place, now, debt int64) {
	if c, ok := p.of[p.key]; ok {
		c.refund(p.rule, now, debt, y.at, p.before)
		p.put(p.key, c, now)
	}
}
