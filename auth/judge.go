package auth

import (
	"context"
	"errors"
	"time"
)

// judge reads the live record, as it is now: all that may change while a token
// stays right.
func (a *Authenticator) judge(ctx context.Context, live *liveKey, r Request, now time.Time) (Admission, error) {
	ad, ready, err := a.decide(live, r, now)
	for ready != nil {
		if err := a.book.wait(ctx, ready); err != nil {
			if errors.Is(err, ErrBusy) {
				a.refusals.count(NoRoom)
			}
			return Admission{}, err
		}
		now = a.now()
		ad, ready, err = a.decide(live, r, now)
	}
	a.noticed(live)
	suspended := errors.Is(err, ErrSuspended)
	switch {
	case err == nil:
	case errors.Is(err, ErrLimited):
		a.refusals.count(OverLimit)
	default:
		err = a.failed(r.Addr, now, err, reasonOf(err))
	}
	if suspended {
		return Admission{}, err // nothing tells it from a token that is no key's
	}
	return ad, err
}

// decide does one request's checks under the key's lock, charges it if they
// agree, and counts it. With a channel nothing has happened: there is no lease to
// charge, and whoever has seen the channel closed may try again.
func (a *Authenticator) decide(live *liveKey, r Request, now time.Time) (Admission, <-chan struct{}, error) {
	nanos := a.nanos(now)
	live.mu.Lock()
	defer live.mu.Unlock()
	k, m := live.record.Load(), &live.meter
	ad := Admission{Key: k, live: live, addr: r.Addr}
	m.fit(a.LimitsOf(k))
	o, err := refusal(live, k, r, now)
	switch o {
	case accepted:
		ad.Decision, o = m.take(nanos, a.book != nil)
	case forbidden:
		ad.Decision = m.peek(nanos)
	default:
	}
	switch o {
	case uncovered:
		return ad, a.book.enlist(live), nil
	case accepted:
		live.usage.used(now, r)
		if a.book != nil && m.low(nanos) {
			a.book.ask(live)
		}
	case rateLimited:
		err = &LimitError{RetryAfter: ad.Decision.RetryAfter}
	default:
	}
	live.usage.count(now, o)
	return ad, nil, err
}

// refusal is why the key with record k may not make this request, whatever its limits.
func refusal(live *liveKey, k *Key, r Request, now time.Time) (outcome, error) {
	if err := live.usable(k, now); err != nil {
		return unauthorized, err
	}
	if !k.AllowsAddr(r.Addr) {
		return forbidden, ErrNetwork
	}
	if !k.Scopes.Allows(r.Scope) {
		return forbidden, &ScopeError{Need: r.Scope, Detail: r.Scope.String() + " is needed"}
	}
	return accepted, nil
}
