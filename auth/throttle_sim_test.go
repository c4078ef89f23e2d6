package auth_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"exante/auth"
)

// siege is a day of guesses at one account.
type siege struct {
	*door
	addresses int
	from      func(n int) auth.Attempt // the n-th of them
	rests     func() time.Duration     // after a storm, beside the wait
	guesses   []time.Time
}

// besiege is a siege that never rests, from so many addresses.
func besiege(t *testing.T, addresses int) *siege {
	return &siege{
		door: newDoor(t), addresses: addresses,
		from:  func(n int) auth.Attempt { return stranger(besieged, n) },
		rests: func() time.Duration { return 0 },
	}
}

const besieged = "ann@example.com"

// storm tries from every address whether a guess is admitted now, and takes all that are.
func (s *siege) storm() (wait time.Duration) {
	for n := range s.addresses {
		for wait = s.guess(n); wait == 0; wait = s.guess(n) {
		}
	}
	return s.next()
}

func (s *siege) guess(n int) time.Duration {
	wait := s.fail(s.from(n))
	if wait == 0 {
		s.guesses = append(s.guesses, s.clock.Now())
	}
	return wait
}

// next is the shortest wait of any address. None of them is admitted now.
func (s *siege) next() time.Duration {
	least := time.Duration(1<<63 - 1)
	for n := range s.addresses {
		least = min(least, s.fail(s.from(n)))
	}
	return least
}

// run lets days pass, and calls meanwhile before each storm.
func (s *siege) run(days int, meanwhile func()) {
	end := s.clock.Now().Add(time.Duration(days) * 24 * time.Hour)
	for s.clock.Now().Before(end) {
		meanwhile()
		s.clock.advance(s.storm() + s.rests())
	}
}

// worstDay is the most guesses in any 24 hours.
func (s *siege) worstDay() (most int) {
	first := 0
	for i, at := range s.guesses {
		for at.Sub(s.guesses[first]) >= 24*time.Hour {
			first++
		}
		most = max(most, i+1-first)
	}
	return most
}

// However an attacker paces himself, a day has room for few guesses at an account: from
// one address, from many, and with the cookie of a browser that is known there.
func TestThrottleBoundsTheGuessesOfADay(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	paces := map[string]func() time.Duration{
		"without rest":         func() time.Duration { return 0 },
		"resting 15 minutes":   func() time.Duration { return 15 * time.Minute },
		"resting an hour":      func() time.Duration { return time.Hour },
		"resting four hours":   func() time.Duration { return 4 * time.Hour },
		"resting at random":    func() time.Duration { return time.Duration(random.Int64N(int64(30 * time.Minute))) },
		"resting now and then": func() time.Duration { return time.Duration(random.IntN(20)/19) * 5 * time.Hour },
	}
	for _, c := range []struct {
		name            string
		addresses, most int
		from            func(n int) auth.Attempt // nil: strangers
	}{
		{"one address", 1, 112, nil},
		{fmt.Sprint(besiegers, " addresses"), besiegers, 310, nil},
		{fmt.Sprint("a known browser with ", besiegers, " addresses"), besiegers, 310, func(n int) auth.Attempt {
			return auth.Attempt{Account: besieged, Addr: address(n), Device: auth.Device{1}}
		}},
	} {
		worst, how := 0, ""
		for pace, rests := range paces {
			s := besiege(t, c.addresses)
			s.rests = rests
			if c.from != nil {
				s.from = c.from
			}
			s.run(siegeDays, func() {})
			if n := s.worstDay(); n > worst {
				worst, how = n, pace
			}
		}
		t.Logf("from %s: %d guesses on the worst of days, %s", c.name, worst, how)
		if worst > c.most || worst < 50 {
			t.Errorf("want %d at most, and an attack that tries", c.most)
		}
	}
}

// While many addresses hammer at an account, a browser that knows it gets in
// at its first try, at any time of the day.
func TestThrottledOwnerGetsInWithHisBrowser(t *testing.T) {
	s := besiege(t, besiegers)
	owner, signIns := auth.Attempt{Account: besieged, Addr: address(7), Device: auth.Device{1}}, 0
	s.run(1, func() {
		s.mustTry(owner).Succeeded()
		signIns++
	})
	before := len(s.guesses)
	t.Logf("%d sign-ins between %d guesses", signIns, before)
	if signIns < 200 || before < 200 {
		t.Error("the siege was none")
	}
}

// Whoever hammers from one address doesn't make the owner wait for long, who comes from
// another without his browser, and gets in when his wait is over: also if the
// attacker tries first at that very moment. His signing in gives the attacker nothing.
func TestThrottledOwnerGetsInWithoutHisBrowser(t *testing.T) {
	s := besiege(t, 1)
	owner := stranger(besieged, 7)
	waited, longest := 0, time.Duration(0)
	s.run(1, func() {
		s.storm() // at the same moment, and first
		try, wait := s.try(owner)
		if wait > 0 {
			waited, longest = waited+1, max(longest, wait)
			s.clock.advance(wait)
			s.storm()
			try = s.mustTry(owner)
		}
		try.Succeeded()
	})
	t.Logf("%d guesses; the owner waited %d times, for %s at the longest", len(s.guesses), waited, longest)
	if waited < 10 || longest > time.Minute || len(s.guesses) > 112 {
		t.Error("want waits, of a minute at the longest, and no more guesses than on other days")
	}
}

// Nothing locks: after a siege of days from many addresses the owner, from
// a new browser, waits for 5 minutes at the longest, and is admitted when they are over.
func TestThrottleNeverLocks(t *testing.T) {
	s := besiege(t, besiegers)
	s.run(siegeDays, func() {})
	s.storm()
	owner := stranger(besieged, 5000)
	wait := s.fail(owner)
	if wait <= 0 || wait > 5*time.Minute {
		t.Errorf("after the siege the owner waits %s, want 5 minutes at the longest", wait)
	}
	s.clock.advance(wait)
	s.mustTry(owner).Succeeded()
	s.clock.advance(4 * time.Hour)
	for range 5 {
		s.mustTry(owner)
	}
}
