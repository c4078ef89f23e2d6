package auth

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
)

func newFlights() *flights { return &flights{out: map[digest]*flight{}} }

func TestCallersWithOneTokenShareOneFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, want := newFlights(), &liveKey{}
		var works atomic.Int64
		release := make(chan struct{})
		work := func() (*liveKey, error) { works.Add(1); <-release; return want, nil }
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() {
				if live, err := f.do(t.Context(), digest{1}, work); live != want || err != nil {
					t.Errorf("do = %v, %v", live, err)
				}
			})
		}
		wg.Go(func() { f.do(t.Context(), digest{2}, work) })
		synctest.Wait()
		if works.Load() != 2 {
			t.Errorf("%d flights for two tokens", works.Load())
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := f.do(ctx, digest{1}, work); !errors.Is(err, context.Canceled) {
			t.Errorf("do = %v, want the end of its context", err)
		}
		close(release)
		wg.Wait()
		if len(f.out) != 0 {
			t.Errorf("%d flights left", len(f.out))
		}
	})
}

func TestFlightEndsWhenItsWorkPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFlights()
		release := make(chan struct{})
		go func() {
			defer func() { recover() }()
			f.do(context.Background(), digest{1}, func() (*liveKey, error) { <-release; panic("no memory") })
		}()
		synctest.Wait()
		go func() {
			if live, err := f.do(context.Background(), digest{1}, nil); live != nil || !errors.Is(err, ErrBadToken) {
				t.Errorf("do = %v, %v beside a panic", live, err)
			}
		}()
		synctest.Wait()
		close(release)
		synctest.Wait()
	})
}
