package auth

import "time"

// rule is how failures of one kind are slowed down: the first are free, then the wait
// for the next attempt doubles from a second to the longest. Nothing ever locks.
type rule struct {
	free    int64 // failures without a wait
	longest time.Duration
}

// The rules of a Throttle. The order of the first two matters: whoever guesses alone
// always waits longer for himself than he makes the account's owner wait.
var (
	// One address at one account: somebody who does not remember a password, or who
	// guesses it. After the first quarter of an hour it is 96 guesses a day.
	pairRule = rule{free: 5, longest: forgetEvery}
	// All strangers at one account together: what a thousand addresses share. 288
	// guesses a day; the owner from a new browser, at the worst, waits for 5 minutes.
	accountRule = rule{free: 10, longest: 5 * time.Minute}
	// One address at all accounts: one password tried on everybody. An office shares
	// an address, so it is generous: 1,440 a day.
	addressRule = rule{free: 20, longest: time.Minute}
	// One browser that has signed in to the account before.
	deviceRule = rule{free: 5, longest: 5 * time.Minute}
)

// forgetEvery is how long it takes until one failure is forgotten. No wait is longer,
// else whoever waits it out would find fewer failures against him than before.
const forgetEvery = 15 * time.Minute

// wait is for how long nothing is admitted after the count-th failure.
func (r rule) wait(count int64) time.Duration {
	if count < r.free {
		return 0
	}
	const enough = 20 // doublings: more than any rule has
	return min(time.Second<<min(count-r.free, enough), r.longest)
}

// most is the count from which on the wait grows no more. Failures beyond it are not
// counted, so that an attack of weeks is forgotten within hours.
func (r rule) most() int64 {
	n := r.free
	for r.wait(n) < r.longest {
		n++
	}
	return n
}

// tally is the failures of one kind of attempt. Instants are Unix nanoseconds. A
// failure weighs forgetEvery: what is left of all of them is a time, and it passes.
type tally struct {
	clear int64 // from this instant on all is forgotten
	last  int64 // when the last attempt was charged
	until int64 // nothing is admitted before
}

// debt is how much is not forgotten yet, as a time.
func (c *tally) debt(now int64) int64 { return max(0, c.clear-now) }

// count is how many failures are not forgotten yet.
func (c *tally) count(now int64) int64 {
	return (c.debt(now) + int64(forgetEvery) - 1) / int64(forgetEvery)
}

// charge counts one failure.
func (c *tally) charge(r rule, now int64) {
	c.clear = now + min(c.debt(now)+int64(forgetEvery), r.most()*int64(forgetEvery))
	c.last, c.until = now, now+int64(r.wait(c.count(now)))
}

// refund takes back debt. If the last charge was the one made at the instant at, the
// one before it, made at before, is the last again. It can only shorten a wait.
func (c *tally) refund(r rule, now, debt, at, before int64) {
	c.clear -= debt
	if c.last == at {
		c.last = before
	}
	c.until = min(c.until, c.last+int64(r.wait(c.count(now))))
}

// tallies are those of one rule, by a hash of whose they are. Memory is bounded: when
// they are full, the one that would be forgotten soonest goes, of a few. One that is
// waited for has more against it than a flood of first failures.
type tallies struct {
	rule rule
	of   map[uint64]tally
}

// talliesPerRule bounds each map: at 32 bytes an entry and what a map needs beside
// them, the four of a Throttle stay below 24 MiB.
const talliesPerRule = 1 << 16

func newTallies(r rule) *tallies { return &tallies{r, map[uint64]tally{}} }

// put keeps a tally, or drops one with nothing in it.
func (s *tallies) put(key uint64, c tally, now int64) {
	_, known := s.of[key]
	switch {
	case c.debt(now) == 0:
		delete(s.of, key)
		return
	case !known && len(s.of) >= talliesPerRule:
		delete(s.of, leastOf(s.of, func(c tally) int64 { return c.clear }))
	}
	s.of[key] = c
}
