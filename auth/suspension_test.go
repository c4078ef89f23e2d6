package auth_test

import (
	"context"
	"errors"
	"reflect"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"exante/auth"
)

func TestDisabledUsersKeysAreRefusedUntilHeIsEnabled(t *testing.T) {
	b := newBench(t, nil)
	ann, bob := newID(t), newID(t)
	k, warm := b.key(t, func(k *auth.Key) { k.UserID = ann })
	_, cold := b.key(t, func(k *auth.Key) { k.UserID = ann })
	ended, late := b.key(t, func(k *auth.Key) { k.UserID = ann })
	_, his := b.key(t, func(k *auth.Key) { k.UserID = bob })
	b.admit(t, warm)
	b.admit(t, late)

	b.ring.SetDisabled(ann, true)
	for _, r := range []auth.Request{warm, cold, late} {
		if ad := b.refuse(t, r, auth.ErrSuspended); !reflect.DeepEqual(ad, auth.Admission{}) {
			t.Errorf("a suspended key is told from one that is none: %+v", ad)
		}
	}
	_, new := b.key(t, func(k *auth.Key) { k.UserID = ann })
	b.refuse(t, new, auth.ErrSuspended)
	b.admit(t, his)
	if err := b.ring.Usable(k.ID, noon); !errors.Is(err, auth.ErrSuspended) || !b.ring.Disabled(ann) || b.ring.Disabled(bob) {
		t.Errorf("Usable = %v, disabled %t and %t", err, b.ring.Disabled(ann), b.ring.Disabled(bob))
	}

	ended.RevokedAt, ended.Version = noon, 2 // revocation outranks suspension, and outlives it
	b.ring.Put(ended)
	b.refuse(t, late, auth.ErrRevoked)
	b.ring.SetDisabled(ann, false)
	b.admit(t, warm)
	b.admit(t, cold)
	b.admit(t, new)
	b.refuse(t, late, auth.ErrRevoked)
	if err := b.ring.Usable(newID(t), noon); !errors.Is(err, auth.ErrRevoked) {
		t.Errorf("Usable of no key = %v", err)
	}
}

// A suspended key costs its address what any other bad token does.
func TestSuspendedKeySpendsTheBudgetOfRefusals(t *testing.T) {
	b := newBench(t, func(o *auth.AuthenticatorOptions) { o.Failures = mustLimits(t, "3/1m") })
	k, r := b.key(t, func(k *auth.Key) { k.UserID = newID(t) })
	b.ring.SetDisabled(k.UserID, true)
	for range 3 {
		b.refuse(t, r, auth.ErrSuspended)
	}
	b.refuse(t, r, auth.ErrLimited)
}

// TestSuspendedKeyStopsAtOnce races requests against disabling and enabling:
// whoever starts after the user was disabled is refused, until he is enabled.
func TestSuspendedKeyStopsAtOnce(t *testing.T) {
	const races, callers = 3000, 2
	b := newBench(t, func(o *auth.AuthenticatorOptions) { o.CacheSize = 64 * 512 })
	var late, met atomic.Int64
	for race := range races {
		k, r := b.key(t, func(k *auth.Key) { k.UserID = newID(t) })
		if race%2 == 0 {
			b.admit(t, r)
		}
		var disabled atomic.Bool
		var begun, ended sync.WaitGroup
		begun.Add(callers)
		for range callers {
			ended.Go(func() {
				begun.Done()
				for refused := false; !refused; {
					after := disabled.Load()
					_, err := b.Admit(context.Background(), r)
					refused = errors.Is(err, auth.ErrSuspended)
					switch {
					case err == nil && after:
						late.Add(1)
						return
					case err == nil || refused && !after:
						met.Add(1)
					case !refused:
						t.Errorf("Admit: %v", err)
						return
					}
				}
			})
		}
		begun.Wait()
		b.ring.SetDisabled(k.UserID, true)
		disabled.Store(true)
		ended.Wait()
		b.ring.SetDisabled(k.UserID, false)
		b.admit(t, r)
	}
	if late.Load() != 0 {
		t.Errorf("%d of %d races were late", late.Load(), races)
	}
	if t.Logf("%d requests were under way", met.Load()); met.Load() < races/20 {
		t.Errorf("only %d requests met a suspension: nothing was raced", met.Load())
	}
}

func TestSuspensionCostsNothing(t *testing.T) {
	b := newBench(t, nil)
	k, r := b.key(t, func(k *auth.Key) { k.UserID = newID(t) })
	b.admit(t, r)
	if n := testing.AllocsPerRun(100, func() { b.try(t, r); _ = b.ring.Usable(k.ID, time.Now()) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
