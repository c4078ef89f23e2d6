package auth

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func gate(t *testing.T, slots, queue int, wait time.Duration) *Hasher {
	t.Helper()
	h, err := NewHasher(HasherOptions{Params: Params{64, 1, 1}, Slots: slots, Queue: queue, MaxWait: wait})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestGateHasTheSizeItPromises(t *testing.T) {
	h, err := NewHasher(HasherOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if h.params != DefaultParams() || cap(h.slots) < 1 || h.keys.most != 32 || h.passwords.most != 4 || h.maxWait != time.Second {
		t.Errorf("defaults: %+v, %d slots, queue of %d, %s", h.params, cap(h.slots), h.keys.most, h.maxWait)
	}
}

// A hundred at once: as many run as there are slots, as many wait as the queue
// holds, and the others hear at once that it is full.
func TestGateIsNeverExceeded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := gate(t, 3, 10, time.Hour)
		var running, most, refused atomic.Int64
		release := make(chan struct{})
		var wg sync.WaitGroup
		for range 100 {
			wg.Go(func() {
				err := h.run(t.Context(), &h.keys, func() error {
					most.Store(max(most.Load(), running.Add(1)))
					<-release
					running.Add(-1)
					return nil
				})
				var busy *BusyError
				if errors.As(err, &busy) && busy.RetryAfter == time.Hour && errors.Is(err, ErrBusy) {
					refused.Add(1)
				} else if err != nil {
					t.Errorf("run: %v", err)
				}
			})
		}
		synctest.Wait()
		if running.Load() != 3 || refused.Load() != 87 || h.keys.waiting.Load() != 10 {
			t.Errorf("%d run, %d wait, %d were refused", running.Load(), h.keys.waiting.Load(), refused.Load())
		}
		close(release)
		wg.Wait()
		if most.Load() != 3 || h.Runs() != 13 || h.keys.waiting.Load() != 0 || len(h.slots) != 0 {
			t.Errorf("at most %d at once, %d in all, %d waiting, %d slots held", most.Load(), h.Runs(), h.keys.waiting.Load(), len(h.slots))
		}
	})
}

func TestWaitForASlotIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := gate(t, 1, 10, time.Second)
		release := make(chan struct{})
		go h.run(t.Context(), &h.keys, func() error { <-release; return nil })
		synctest.Wait()
		began := time.Now()
		err := h.run(t.Context(), &h.keys, func() error { t.Error("ran without a slot"); return nil })
		if !errors.Is(err, ErrBusy) || err.Error() != "no room to verify an api key now" || time.Since(began) != time.Second {
			t.Errorf("run = %v after %s", err, time.Since(began))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if err := h.run(ctx, &h.keys, nil); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("run = %v, want the end of its context", err)
		}
		close(release)
		synctest.Wait()
		if err := h.run(t.Context(), &h.keys, func() error { return nil }); err != nil {
			t.Errorf("run after the slot came back: %v", err)
		}
	})
}

// A caller who leaves does not give his slot back: the memory is still in use.
func TestSlotIsHeldUntilTheHashEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := gate(t, 1, 1, time.Second)
		release := make(chan struct{})
		ctx, cancel := context.WithCancel(t.Context())
		go h.run(ctx, &h.keys, func() error { <-release; return nil })
		synctest.Wait()
		cancel()
		synctest.Wait()
		if err := h.run(t.Context(), &h.keys, nil); !errors.Is(err, ErrBusy) {
			t.Errorf("run = %v while the hash of a caller who left goes on", err)
		}
		close(release)
		synctest.Wait()
	})
}

func TestPanicGivesTheSlotBack(t *testing.T) {
	h := gate(t, 1, 1, time.Second)
	func() {
		defer func() { recover() }()
		h.run(t.Context(), &h.keys, func() error { panic("out of memory") })
	}()
	if err := h.run(t.Context(), &h.keys, func() error { return nil }); err != nil {
		t.Errorf("run after a panic: %v", err)
	}
}

// However many passwords are tried, few of them stand before a key, and no password
// takes the place in which a key can wait.
func TestPasswordsLeaveRoomForKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := gate(t, 1, 16, time.Hour)
		release, refused := make(chan struct{}), atomic.Int64{}
		var wg sync.WaitGroup
		for range 100 {
			wg.Go(func() {
				if err := h.run(t.Context(), &h.passwords, func() error { <-release; return nil }); errors.Is(err, ErrBusy) {
					refused.Add(1)
				}
			})
		}
		synctest.Wait()
		before := h.Runs()
		var place uint64
		wg.Go(func() {
			if err := h.run(t.Context(), &h.keys, func() error { place = h.Runs() - before; return nil }); err != nil {
				t.Errorf("a key among passwords: %v", err)
			}
		})
		synctest.Wait()
		close(release)
		wg.Wait()
		if refused.Load() != 97 || place != 3 {
			t.Errorf("%d passwords were refused, and the key came after %d that waited", refused.Load(), place-1)
		}
	})
}
