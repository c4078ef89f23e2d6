package auth_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"exante/auth"
)

// limited is a process with one key under limits.
func limited(t *testing.T, limits string) (*process, auth.Key, auth.Request) {
	t.Helper()
	p := start(t, newClock(noon), newBooks(), nil, nil)
	k, r := p.key(t, func(k *auth.Key) { k.Limits = mustLimits(t, limits) })
	return p, k, r
}

// again is the next process on the same books.
func (p *process) again(t *testing.T, keys ...auth.Key) *process {
	t.Helper()
	return start(t, p.clock, p.pen.books, keys, nil)
}

// spend admits n requests.
func (p *process) spend(t *testing.T, r auth.Request, n int) {
	t.Helper()
	for range n {
		p.admit(t, r)
	}
}

// remaining asks how many requests are left, by a request that its scope refuses.
func (p *process) remaining(t *testing.T, k auth.Key, r auth.Request) int64 {
	t.Helper()
	k.Scopes, _ = auth.ParseScopes([]string{"parties:read"})
	p.ring.Put(k)
	ad := p.refuse(t, r, auth.ErrScope)
	k.Scopes = auth.FullAccess
	p.ring.Put(k)
	return ad.Decision.Remaining
}

func TestCleanStopCostsNobodyARequest(t *testing.T) {
	p, k, r := limited(t, "10/1s,100/1m")
	p.spend(t, r, 7)
	p.stop(t)
	for _, m := range p.pen.use(k.ID).Meters {
		if m.Leased != 0 || !m.LeaseEnd.IsZero() || len(m.Cells) != 1 || m.Cells[0].Count != 7 {
			t.Errorf("left behind: %+v", m)
		}
	}
	next := p.again(t, k)
	if left := next.remaining(t, k, r); left != 3 {
		t.Errorf("%d left after a restart, want 3", left)
	}
}

// A crash counts what was leased and not used, but only until a window after
// it can have been used.
func TestCrashHandsOutNoFreshWindow(t *testing.T) {
	p, k, r := limited(t, "100/1m")
	p.spend(t, r, 40)
	p.kill()
	p.clock.advance(10 * time.Second)
	next := p.again(t, k)
	left := next.remaining(t, k, r)
	if left > 60 || left < 60-10 {
		t.Errorf("%d left after 40 of 100 and a crash, want 50 to 60", left)
	}
	p.clock.advance(time.Minute + time.Minute/64)
	if left := next.remaining(t, k, r); left != 100 {
		t.Errorf("%d left a window later, want 100", left)
	}
}

func TestCrashDoesNotBlockAnExhaustedKeyForLonger(t *testing.T) {
	p, k, r := limited(t, "1/1h")
	p.admit(t, r)
	want := p.refuse(t, r, auth.ErrLimited).Decision.RetryAfter
	p.kill()
	if got := p.again(t, k).refuse(t, r, auth.ErrLimited).Decision.RetryAfter; got != want {
		t.Errorf("told to wait %s after a crash, %s before", got, want)
	}
}

// A lease that has ended covers nothing: after a crash it would be counted at
// its end, and leave the window too early.
func TestEndedLeaseIsNotSpent(t *testing.T) {
	p, k, r := limited(t, "100/1m")
	p.admit(t, r)
	eventually(t, "the lease", func() bool { m := p.pen.use(k.ID).Meters; return len(m) == 1 && m[0].Leased > 0 })
	p.clock.advance(50 * time.Second)
	p.admit(t, r) // fetches a later lease beforehand
	eventually(t, "a later lease", func() bool {
		return p.pen.use(k.ID).Meters[0].LeaseEnd.Equal(noon.Add(110 * time.Second))
	})
	p.clock.advance(2 * time.Minute)
	before := p.pen.written()
	p.admit(t, r)
	if p.pen.written() == before {
		t.Error("admitted on a lease that had ended")
	}
	if end := p.pen.use(k.ID).Meters[0].LeaseEnd; end.Before(p.clock.Now()) {
		t.Errorf("admitted at %s under a lease until %s", p.clock.Now(), end)
	}
}

// A limit that is raised while a lease is being written does not widen it.
func TestLeaseIsWhatWasWritten(t *testing.T) {
	p, k, r := limited(t, "20/1m")
	release := p.pen.holdCalls(t)
	var first sync.WaitGroup
	first.Go(func() { p.try(t, r) })
	eventually(t, "the write", p.pen.waiting)
	k.Limits = mustLimits(t, "1000000/1m")
	p.remaining(t, k, r) // the meter knows the new limit now
	release()
	first.Wait()
	admitted, covered := int64(1), int64(0)
	for range 5000 {
		p.admit(t, r)
		admitted++
		covered = 0
		for _, m := range p.pen.use(k.ID).Meters {
			covered += m.Leased
			for _, c := range m.Cells {
				covered += c.Count
			}
		}
		if admitted > covered {
			t.Fatalf("%d were admitted while the books knew of %d", admitted, covered)
		}
	}
}

// What was leased under a higher limit does not count against the lower one.
func TestLoweredLimitShortensTheLease(t *testing.T) {
	p := start(t, newClock(noon), newBooks(), nil, func(o *auth.AuthenticatorOptions) { o.FlushEvery = time.Millisecond })
	k, r := p.key(t, func(k *auth.Key) { k.Limits = mustLimits(t, "10000/1m") })
	p.admit(t, r)
	k.Limits = mustLimits(t, "10/1m")
	p.ring.Put(k)
	p.spend(t, r, 9)
	wait := p.refuse(t, r, auth.ErrLimited).Decision.RetryAfter
	eventually(t, "a write with no lease", func() bool { return p.pen.use(k.ID).Meters[0].Leased == 0 })
	p.kill()
	if got := p.again(t, k).refuse(t, r, auth.ErrLimited).Decision.RetryAfter; got != wait {
		t.Errorf("waits %s after a crash, %s before", got, wait)
	}
}

func TestRestoreMatchesWindowsByTheirLength(t *testing.T) {
	for name, c := range map[string]struct {
		before, after string
		left          int64
	}{
		"same":    {"10/1m", "10/1m", 4},
		"raised":  {"10/1m", "20/1m", 14},
		"lowered": {"10/1m", "5/1m", 0},
		"added":   {"10/1m", "100/1m,7/1h", 7},
		"removed": {"10/1m,8/1h", "8/1h", 2},
		"changed": {"10/1m", "10/2m", 10},
	} {
		p, k, r := limited(t, c.before)
		p.spend(t, r, 6)
		p.stop(t)
		k.Limits = mustLimits(t, c.after)
		if left := p.again(t, k).remaining(t, k, r); left != c.left {
			t.Errorf("%s: %d left of %s after 6 of %s, want %d", name, left, c.after, c.before, c.left)
		}
	}
}

// When the clock was set back over a restart, what lies in the future counts
// from now on, for one window.
func TestClockSetBackOverARestart(t *testing.T) {
	p, k, r := limited(t, "10/1m")
	p.spend(t, r, 10)
	p.stop(t)
	p.clock.advance(-time.Hour)
	next := p.again(t, k)
	wait := next.refuse(t, r, auth.ErrLimited).Decision.RetryAfter
	if wait <= 0 || wait > time.Minute+time.Minute/64 {
		t.Errorf("told to wait %s", wait)
	}
	p.clock.advance(wait)
	next.admit(t, r)
}

// On a clock that nobody sets, a request is written under the cell it was in.
func TestReportsNameTheirCells(t *testing.T) {
	for range 20 {
		p := start(t, newClock(noon), newBooks(), nil, func(o *auth.AuthenticatorOptions) { o.Now = time.Now })
		k, r := p.key(t, func(k *auth.Key) { k.Limits = mustLimits(t, "100/31d") })
		before := time.Now()
		p.admit(t, r)
		after := time.Now()
		p.stop(t)
		width := int64(31*24*time.Hour) / 64
		index := p.pen.use(k.ID).Meters[0].Cells[0].Index
		if index < before.UnixNano()/width || index > after.UnixNano()/width {
			t.Fatalf("written under cell %d, admitted in %d", index, after.UnixNano()/width)
		}
	}
}

func TestSteadyCallerNeverWaitsForTheLedger(t *testing.T) {
	p, _, r := limited(t, "600/1m")
	p.admit(t, r)
	for i := range 500 {
		p.clock.advance(200 * time.Millisecond)
		calls := p.pen.written()
		done := make(chan struct{})
		p.pen.mu.Lock() // a caller who had to wait would hang here
		go func() { p.try(t, r); close(done) }()
		select {
		case <-done:
		case <-time.After(10 * time.Second):
			t.Fatalf("request %d waits", i)
		}
		p.pen.mu.Unlock()
		eventually(t, "the lease asked for beforehand", func() bool { return !p.Asked(r) || p.pen.written() > calls })
	}
}

// A burst waits for two or three writes, not for one a lease.
func TestBurstWaitsForFewWrites(t *testing.T) {
	p, _, r := limited(t, "100/1m")
	p.admit(t, r) // so that the token is verified
	p.clock.advance(5 * time.Minute)
	release := p.pen.holdCalls(t)
	before := p.pen.written()
	var wg sync.WaitGroup
	for range 80 {
		wg.Go(func() { p.try(t, r) })
	}
	eventually(t, "all wait", func() bool { return p.Waiting(r) == 80 })
	release()
	wg.Wait()
	if n := p.pen.written() - before; n > 3 {
		t.Errorf("%d writes for one burst", n)
	}
}

func TestNothingIsRefusedWhenTheLedgerFails(t *testing.T) {
	var out bytes.Buffer
	c := newClock(noon)
	p := start(t, c, newBooks(), nil, func(o *auth.AuthenticatorOptions) {
		o.Log = slog.New(slog.NewTextHandler(&out, nil))
	})
	k, r := p.key(t, func(k *auth.Key) { k.Limits = mustLimits(t, "100/1m") })
	p.pen.fail(errors.New("the disk is full"))
	p.spend(t, r, 100)
	p.refuse(t, r, auth.ErrLimited)
	p.pen.fail(nil)
	c.advance(2 * time.Minute)
	p.spend(t, r, 100)
	p.stop(t)
	if got := p.pen.use(k.ID).Buckets; len(got) != 1 || got[0].Requests != 201 {
		t.Errorf("counted %+v, want 201 requests", got)
	}
	if n := strings.Count(out.String(), "can't be recorded"); n != 1 || !strings.Contains(out.String(), "the disk is full") {
		t.Errorf("%d log lines of the failure, want 1:\n%s", n, out.String())
	}
	if n := strings.Count(out.String(), "is recorded again"); n != 1 {
		t.Errorf("%d log lines of the recovery, want 1:\n%s", n, out.String())
	}
}

func TestWaitForALedgerIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _, r := limited(t, "1/1m,100/1h")
		p.admit(t, r)
		synctest.Wait()
		p.clock.advance(2 * time.Minute)
		p.pen.holdCalls(t)
		began := time.Now()
		_, err := p.Admit(context.Background(), r)
		var busy *auth.BusyError
		if !errors.As(err, &busy) || busy.RetryAfter != time.Second || time.Since(began) != 5*time.Second {
			t.Errorf("Admit = %v after %s, want *BusyError after 5s", err, time.Since(began))
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if _, err := p.Admit(ctx, r); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Admit = %v, want the end of its context", err)
		}
		closing, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if err := p.Close(closing); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Close = %v, want the end of its context", err)
		}
	})
}

func TestRequestAfterCloseIsTurnedAway(t *testing.T) {
	p, _, r := limited(t, "100/1m")
	p.admit(t, r)
	p.stop(t)
	p.refuse(t, r, auth.ErrBusy)
	p.stop(t)
}

func TestCloseEndsEveryGoroutine(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	p, _, r := limited(t, "100/1m")
	p.admit(t, r)
	p.stop(t)
}
