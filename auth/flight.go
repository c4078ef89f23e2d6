package auth

import (
	"context"
	"sync"
)

// flights lets callers with the same token share one verification.
type flights struct {
	mu  sync.Mutex
	out map[digest]*flight
}

type flight struct {
	done chan struct{} // closed at the end
	live *liveKey
	err  error
}

// do runs work for the first caller with d; those who come while it runs wait
// for its answer, or for the end of their ctx.
func (f *flights) do(ctx context.Context, d digest, work func() (*liveKey, error)) (*liveKey, error) {
	f.mu.Lock()
	c := f.out[d]
	if c != nil {
		f.mu.Unlock()
		select {
		case <-c.done:
			return c.live, c.err
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	c = &flight{done: make(chan struct{}), err: ErrBadToken}
	f.out[d] = c
	f.mu.Unlock()
	defer f.land(d, c) // even if work panics: the next caller must not wait for ever
	c.live, c.err = work()
	return c.live, c.err
}

func (f *flights) land(d digest, c *flight) {
	f.mu.Lock()
	delete(f.out, d)
	f.mu.Unlock()
	close(c.done)
}
