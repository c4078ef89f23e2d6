package auth_test

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"exante/auth"
)

// Attempts that start before the first has been judged are counted like failures.
func TestThrottleLetsNoCrowdThrough(t *testing.T) {
	throttle := auth.NewThrottle(newClock(noon).Now)
	var in atomic.Int32
	var wg sync.WaitGroup
	for range 100 {
		wg.Go(func() {
			if _, err := throttle.Attempt(stranger("ann@example.com", 1)); err == nil {
				in.Add(1)
			}
		})
	}
	wg.Wait()
	if in.Load() != 5 {
		t.Errorf("%d of 100 attempts at once were admitted, want 5", in.Load())
	}
}

// A crowd that is not judged, or succeeds, leaves nothing behind.
func TestThrottleSettlesACrowd(t *testing.T) {
	d := newDoor(t)
	var wg sync.WaitGroup
	for i := range 64 {
		wg.Go(func() {
			for range 100 {
				try, err := d.Attempt(stranger("ann@example.com", i%8))
				switch {
				case err != nil:
				case i%2 == 0:
					try.Withdrawn()
				default:
					try.Succeeded()
				}
			}
		})
	}
	wg.Wait()
	for i := range 10 {
		d.mustTry(stranger("ann@example.com", i))
	}
}

// What was not judged costs nothing, in whatever order it is withdrawn.
func TestThrottleGivesBackWhatWasNotJudged(t *testing.T) {
	d, a := newDoor(t), stranger("ann@example.com", 1)
	for round := range 100 {
		tries := []*auth.Try{d.mustTry(a), d.mustTry(a), d.mustTry(a), d.mustTry(a), d.mustTry(a)}
		d.clock.advance(time.Millisecond)
		if wait := d.fail(a); wait != time.Second-time.Millisecond {
			t.Fatalf("round %d: with five under way it waits %s", round, wait)
		}
		if round%2 == 0 {
			slices.Reverse(tries)
		}
		for _, try := range tries {
			try.Withdrawn()
			try.Withdrawn()
			try.Succeeded() // too late to mean anything
		}
	}
	// At the longest wait too: it neither begins again nor gets shorter.
	for range 100 {
		d.fail(a)
		d.clock.advance(d.fail(a))
	}
	for range 50 {
		d.mustTry(a).Withdrawn()
	}
	d.mustTry(a)
	if wait := d.fail(a); wait != 15*time.Minute {
		t.Errorf("after what was withdrawn it waits %s, want the longest wait", wait)
	}
}

// What a Try is told first holds; told again, it takes back nothing of others'.
func TestThrottleTrySettlesOnce(t *testing.T) {
	d, a := newDoor(t), stranger("ann@example.com", 1)
	try := d.mustTry(a)
	for range 4 {
		d.mustTry(a)
	}
	for range 5 {
		try.Withdrawn()
		try.Succeeded()
	}
	d.mustTry(a)
	if wait := d.fail(a); wait != time.Second {
		t.Errorf("with five failures beside one that was withdrawn it waits %s, want 1s", wait)
	}
}

// A success forgives what its address did at its account, everywhere, and nothing else.
func TestThrottleForgivesOnlyOnesOwnFailures(t *testing.T) {
	d := newDoor(t)
	ann, bob := stranger("ann@example.com", 1), stranger("bob@example.com", 1)
	for range 4 {
		d.mustTry(ann)
		d.mustTry(stranger("ann@example.com", 2))
	}
	late := d.mustTry(bob)
	try := d.mustTry(ann)
	try.Succeeded()
	try.Succeeded()
	late.Withdrawn()
	for range 4 { // of the account's ten, the other address has used four
		d.mustTry(ann)
	}
	d.mustTry(stranger("ann@example.com", 2))
	d.mustTry(stranger("ann@example.com", 3))
	if wait := d.fail(stranger("ann@example.com", 3)); wait != time.Second {
		t.Errorf("ten others' failures at the account make it wait %s, want 1s", wait)
	}
	for i := range 16 { // of the address's twenty, ann has used four
		d.mustTry(stranger(fmt.Sprint(i, "@example.com"), 1))
	}
	if wait := d.fail(bob); wait != time.Second {
		t.Errorf("the address waits %s after twenty failures, want 1s", wait)
	}
}

// An account of one's own is no way to wash an address clean, nor is an attempt that
// ends after what it was charged to has been forgiven.
func TestThrottleKeepsAnAddressesOtherFailures(t *testing.T) {
	d := newDoor(t)
	for i := range 18 {
		d.mustTry(stranger(fmt.Sprint(i, "@example.com"), 1))
	}
	mine := stranger("mallory@example.com", 1)
	for range 10 {
		late := d.mustTry(mine)
		d.mustTry(mine).Succeeded()
		late.Withdrawn()
	}
	d.mustTry(mine)
	d.mustTry(mine)
	if wait := d.fail(stranger("x@example.com", 1)); wait != time.Second {
		t.Errorf("after twenty failures the address waits %s, want 1s", wait)
	}
}
