package auth_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"exante/auth"
)

// cell is 1/64 of a minute.
const cell = time.Minute / 64

// What is told of the limits, request by request. Noon is the beginning of a
// cell of every window here.
func TestDecisionsTellTheTightestWindow(t *testing.T) {
	c := newClock(noon)
	b := newBench(t, func(o *auth.AuthenticatorOptions) { o.Now = c.Now })
	k, r := b.key(t, func(k *auth.Key) { k.Limits = mustLimits(t, "3/1m,5/1h") })
	minute, hour := k.Limits[0], k.Limits[1]
	for i, step := range []struct {
		after     time.Duration
		tightest  auth.Window
		remaining int64
		reset     time.Duration
		retry     time.Duration
	}{
		{0, minute, 2, time.Minute + cell, 0},
		{cell, minute, 1, time.Minute, 0},
		{cell / 2, minute, 0, time.Minute - cell/2, 0},
		{0, minute, 0, time.Minute - cell/2, time.Minute - cell/2},
		{time.Minute - cell/2 - 1, minute, 0, 1, 1},
		{1, minute, 0, cell, 0}, // the first has left; those of the second cell are next
		{cell, hour, 0, time.Hour + time.Hour/64 - time.Minute - 2*cell, 0},
		{time.Minute * 3, hour, 0, time.Hour + time.Hour/64 - 4*time.Minute - 2*cell, time.Hour + time.Hour/64 - 4*time.Minute - 2*cell},
	} {
		c.advance(step.after)
		ad, err := b.Admit(context.Background(), r)
		want := auth.Decision{Limits: k.Limits, Tightest: step.tightest, Remaining: step.remaining, Reset: step.reset, RetryAfter: step.retry}
		got := ad.Decision
		if got.Tightest != want.Tightest || got.Remaining != want.Remaining || got.Reset != want.Reset || got.RetryAfter != want.RetryAfter ||
			len(got.Limits) != 2 || (err != nil) != (step.retry > 0) {
			t.Errorf("step %d: %+v, %v, want %+v", i, got, err, want)
		}
	}
}

// Where nothing was charged the caller is still told where it stands; a key that
// has ended has no limits to speak of.
func TestForbiddenRequestsTellAndCostNothing(t *testing.T) {
	c := newClock(noon)
	b := newBench(t, func(o *auth.AuthenticatorOptions) { o.Now = c.Now })
	k, r := b.key(t, func(k *auth.Key) { k.Limits, k.Scopes = mustLimits(t, "3/1m"), scopes(t, "invoices:read") })
	write := r
	write.Scope = auth.InvoicesWrite
	if d := b.refuse(t, write, auth.ErrScope).Decision; d.Remaining != 3 || d.Reset != 0 || d.Tightest != k.Limits[0] {
		t.Errorf("told %+v before the first request", d)
	}
	b.admit(t, r)
	for range 5 {
		_, err := b.Admit(context.Background(), write)
		var scope *auth.ScopeError
		if !errors.As(err, &scope) || scope.Need != auth.InvoicesWrite || err.Error() != "api key lacks the scope: invoices:write is needed" {
			t.Errorf("Admit = %v", err)
		}
	}
	k.Networks = networks(t, "10.0.0.0/8")
	b.ring.Put(k)
	if d := b.refuse(t, r, auth.ErrNetwork).Decision; d.Remaining != 2 || d.Reset != time.Minute+cell || d.RetryAfter != 0 {
		t.Errorf("told %+v after one request", d)
	}
	k.ExpiresAt = noon
	b.ring.Put(k)
	if d := b.refuse(t, r, auth.ErrExpired).Decision; d.Limits != nil {
		t.Errorf("told %+v of a key that has expired", d)
	}
}

// A limit lowered below what is used makes the key wait until enough has left,
// and not longer.
func TestLoweredLimitWaitsExactly(t *testing.T) {
	c := newClock(noon)
	b := newBench(t, func(o *auth.AuthenticatorOptions) { o.Now = c.Now })
	k, r := b.key(t, func(k *auth.Key) { k.Limits = mustLimits(t, "100/1m") })
	for range 10 {
		b.admit(t, r)
		c.advance(2 * cell)
	}
	k.Limits = mustLimits(t, "4/1m")
	b.ring.Put(k)
	ad := b.refuse(t, r, auth.ErrLimited)
	// Seven must leave; the seventh was in cell 12, and the time is cell 20.
	if want := (12 + 65 - 20) * cell; ad.Decision.RetryAfter != want || ad.Decision.Remaining != 0 {
		t.Errorf("told to wait %s with %d left, want %s and 0", ad.Decision.RetryAfter, ad.Decision.Remaining, want)
	}
	k.Networks = networks(t, "10.0.0.0/8")
	b.ring.Put(k)
	if d := b.refuse(t, r, auth.ErrNetwork).Decision; d.Reset != ad.Decision.RetryAfter || d.Remaining != 0 {
		t.Errorf("where nothing is charged it is told %s with %d left", d.Reset, d.Remaining)
	}
	k.Networks = nil
	b.ring.Put(k)
	c.advance(ad.Decision.RetryAfter - 1)
	b.refuse(t, r, auth.ErrLimited)
	c.advance(1)
	b.admit(t, r)
}

func TestKeysWithoutLimitsOfTheirOwnHaveTheDefault(t *testing.T) {
	b := newBench(t, func(o *auth.AuthenticatorOptions) { o.Limits = mustLimits(t, "2/1h") })
	own, _ := b.key(t, func(k *auth.Key) { k.Limits = mustLimits(t, "5/1m") })
	none, r := b.key(t, nil)
	if got := b.LimitsOf(&own).String() + " " + b.LimitsOf(&none).String(); got != "5/1m 2/1h" {
		t.Errorf("LimitsOf = %s", got)
	}
	b.admit(t, r)
	b.admit(t, r)
	b.refuse(t, r, auth.ErrLimited)
}

// A clock that is set back does not open a window, and does not close one for longer
// than it was set back.
func TestClockSetBackOpensNoWindow(t *testing.T) {
	c := newClock(noon)
	b := newBench(t, func(o *auth.AuthenticatorOptions) { o.Now = c.Now })
	_, r := b.key(t, func(k *auth.Key) { k.Limits = mustLimits(t, "2/1m") })
	b.admit(t, r)
	c.advance(-time.Hour)
	b.admit(t, r)
	b.refuse(t, r, auth.ErrLimited)
	c.advance(time.Hour + time.Minute)
	b.refuse(t, r, auth.ErrLimited)
	c.advance(cell)
	b.admit(t, r)
}

// Many callers of one key at once, leases and all: as many are admitted as the
// limit says, no more and no fewer.
func TestLimitIsExactUnderConcurrency(t *testing.T) {
	p, k, r := limited(t, "1000/1h,5000/24h")
	var admitted, refused atomic.Int64
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for range 200 {
				switch _, err := p.Admit(context.Background(), r); {
				case err == nil:
					admitted.Add(1)
				case errors.Is(err, auth.ErrLimited):
					refused.Add(1)
				default:
					t.Errorf("Admit: %v", err)
				}
			}
		})
	}
	wg.Wait()
	if admitted.Load() != 1000 || refused.Load() != 2200 {
		t.Errorf("%d admitted, %d refused", admitted.Load(), refused.Load())
	}
	p.stop(t)
	for _, m := range p.pen.use(k.ID).Meters {
		if m.Leased != 0 || len(m.Cells) != 1 || m.Cells[0].Count != 1000 {
			t.Errorf("stored %+v", m)
		}
	}
}
