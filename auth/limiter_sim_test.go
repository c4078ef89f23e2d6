package auth_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"exante/auth"
)

// caller is a key of the simulation and the exact log of what it was admitted.
type caller struct {
	key     auth.Key
	request auth.Request
	log     []int64 // admissions, Unix nanoseconds, ascending
	windows []*watched
}

// watched is one window of a caller, beside the log.
type watched struct {
	auth.Window
	since  int // the log before it was not this window's
	inside int // first of the log at or after now-W
	late   int // first of the log after now-W-W/64

	phantoms []phantom
}

// phantom is what a crash may have added to the true count.
type phantom struct{ at, most int64 }

func (w *watched) follow(log []int64, now int64) {
	w.inside, w.late = max(w.inside, w.since), max(w.late, w.since)
	for w.inside < len(log) && log[w.inside] < now-int64(w.Every) {
		w.inside++
	}
	for w.late < len(log) && log[w.late] <= now-int64(w.Every)*65/64 {
		w.late++
	}
}

// feared is how many admissions that nobody made may still count at now.
func (w *watched) feared(now int64) (n int64) {
	for _, p := range w.phantoms {
		if p.at > now-int64(w.Every)*65/64 {
			n += p.most
		}
	}
	return n
}

// world is the simulation.
type world struct {
	*testing.T
	*rand.Rand
	books   *books
	clock   *clock
	process *process
	callers []*caller

	requests, admitted, refused, retried, kills, stops int
}

func (w *world) limits() auth.Limits {
	everies := []time.Duration{1, 2, 4, 5, 7, 10, 60, 90, 600, 3600}
	limits := []int64{1, 2, 3, 5, 19, 20, 39, 41, 100, 600, 2000}
	w.Shuffle(len(everies), func(i, j int) { everies[i], everies[j] = everies[j], everies[i] })
	var out auth.Limits
	for _, every := range everies[:1+w.IntN(3)] {
		out = append(out, auth.Window{Limit: limits[w.IntN(len(limits))], Every: every * time.Second})
	}
	return out
}

// change gives a caller other limits, as an operator would.
func (w *world) change(c *caller) {
	c.key.Limits = w.limits()
	if len(c.windows) > 0 && w.IntN(2) == 0 { // the same windows, higher or lower
		c.key.Limits = nil
		for _, old := range c.windows {
			c.key.Limits = append(c.key.Limits, auth.Window{Limit: 1 + old.Limit*w.Int64N(4)/2, Every: old.Every})
		}
	}
	c.key.Version++
	w.process.ring.Put(c.key)
	var windows []*watched
	for _, l := range c.key.Limits {
		seen := &watched{Window: l, since: len(c.log)}
		for _, old := range c.windows {
			if old.Every == l.Every {
				seen = old
				seen.Window = l
			}
		}
		windows = append(windows, seen)
	}
	c.windows = windows
}

func (w *world) restart() {
	var keys []auth.Key
	for _, c := range w.callers {
		keys = append(keys, c.key)
	}
	crash := w.IntN(2) == 0
	if crash {
		w.kills++
		w.process.kill()
	} else {
		w.stops++
		w.process.stop(w)
	}
	clear(w.books.buckets) // of no interest here, and many
	w.pause()
	for _, c := range w.callers {
		for _, seen := range c.windows {
			w.fear(c, seen, crash)
		}
	}
	w.process = start(w, w.clock, w.books, keys, w.writes)
}

// fear notes what the books claim beyond the truth, and that it is no more
// than was promised.
func (w *world) fear(c *caller, seen *watched, crash bool) {
	states := w.books.use(c.key.ID).Meters
	at := slices.IndexFunc(states, func(s auth.MeterState) bool { return s.Window.Every == seen.Every })
	if crash && seen.Every < 5*time.Second {
		seen.since = len(c.log) // in memory alone
	}
	if at < 0 || states[at].Leased == 0 {
		return
	}
	if s := states[at]; !crash {
		w.Fatalf("a clean stop left a lease: %+v", s)
	} else {
		used := int64(0)
		for _, cell := range s.Cells {
			used += cell.Count
		}
		if used+s.Leased > max(s.Window.Limit, used) {
			w.Fatalf("more was leased than the window has room for: %+v", s)
		}
		now := w.clock.Now()
		seen.phantoms = append(seen.phantoms, phantom{min(now.UnixNano(), s.LeaseEnd.UnixNano()), s.Leased})
	}
}

// writes lets the background's reports meet the requests in every other process, and
// in the others lets nothing but leases be written.
func (w *world) writes(o *auth.AuthenticatorOptions) {
	if w.IntN(2) == 0 {
		o.FlushEvery = time.Millisecond
	}
}

// pause lets time pass: mostly none, so that requests come in bursts.
func (w *world) pause() {
	c := w.callers[w.IntN(len(w.callers))]
	every := int64(c.windows[w.IntN(len(c.windows))].Every)
	switch n := w.IntN(1000); {
	case n < 700:
	case n < 930:
		w.clock.advance(time.Duration(w.Int64N(every / 64)))
	case n < 990:
		w.clock.advance(time.Duration(w.Int64N(every / 4)))
	case n < 998:
		w.clock.advance(time.Duration(every / 64 * w.Int64N(66))) // to the edges of cells
	default:
		w.clock.advance(time.Duration(w.Int64N(2 * every)))
	}
}

// ask makes one request, and holds the answer against the log.
func (w *world) ask(c *caller) (wait time.Duration) {
	now := w.clock.Now().UnixNano()
	ad, err := w.process.Admit(context.Background(), c.request)
	w.requests++
	var limited *auth.LimitError
	switch {
	case err == nil:
		w.admitted++
		c.log = append(c.log, now)
	case errors.As(err, &limited) && limited.RetryAfter == ad.Decision.RetryAfter && limited.RetryAfter > 0:
		w.refused++
		wait = limited.RetryAfter
	default:
		w.Fatalf("Admit: %v", err)
	}
	justified := false
	for _, seen := range c.windows {
		seen.follow(c.log, now)
		if n := int64(len(c.log) - seen.inside); err == nil && n > seen.Limit {
			w.Fatalf("%s: %d admissions within one window at %d", seen.Window, n, now)
		}
		n := int64(len(c.log) - seen.late)
		justified = justified || n+seen.feared(now) >= seen.Limit
	}
	if err != nil && !justified {
		w.Fatalf("refused at %d, though every window of %s had room", now, c.key.Limits)
	}
	return wait
}

// retry holds a wait that was told against the truth, both ways.
func (w *world) retry(c *caller, wait time.Duration) {
	w.retried++
	w.clock.advance(wait - 1)
	if again := w.ask(c); again != 1 {
		w.Fatalf("told to wait %s, and 1 ns earlier: %s", wait, again)
	}
	w.clock.advance(1)
	if again := w.ask(c); again != 0 {
		w.Fatalf("waited %s as told, then told to wait %s", wait, again)
	}
}

// A million requests (see race_off_test.go) in random bursts, under random limits of several windows
// that change on the way, with processes that stop and are killed: no interval of
// a window's length ever holds more than its limit, capacity is back at most 1/64
// of the window late, refusals cost nothing, and the wait told is exact.
func TestLimiterAgainstAnExactLog(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	w := &world{T: t, Rand: rand.New(rand.NewPCG(seed, 0)), books: newBooks(), clock: newClock(noon)}
	w.process = start(t, w.clock, w.books, nil, w.writes)
	for range 12 {
		c := &caller{}
		c.key, c.request = w.process.key(t, nil)
		w.callers = append(w.callers, c)
		w.change(c)
	}
	for w.requests < simulated {
		c := w.callers[w.IntN(len(w.callers))]
		for range 1 + w.IntN(40) {
			if wait := w.ask(c); wait > 0 && w.IntN(8) == 0 {
				w.retry(c, wait)
			}
			w.pause()
		}
		if w.IntN(100) == 0 {
			w.change(c)
		}
		if w.IntN(50) == 0 {
			w.restart()
		}
	}
	t.Logf("%d requests: %d admitted, %d refused, %d waits tried; %d clean stops, %d kills",
		w.requests, w.admitted, w.refused, w.retried, w.stops, w.kills)
	if w.admitted < w.requests/10 || w.refused < w.requests/10 || w.retried < 1000 || w.kills < 20 || w.stops < 20 {
		t.Error("the simulation did not meet what it is about")
	}
}
