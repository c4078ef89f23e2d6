package auth

import "sync"

// flights lets callers with the same token share one verification.
type flights struct {
	mu  sync.Mutex
	out map[digest]*flight
}

type flight struct {
	done chan struct{}
	live *liveKey
	err  error
}

// do runs work for the first caller with d; those who come while it runs get
// its answer.
func (f *flights) do(d digest, work func() (*liveKey, error)) (*liveKey, error) {
	f.mu.Lock()
	if c := f.out[d]; c != nil {
		f.mu.Unlock()
		<-c.done
		return c.live, c.err
	}
	c := &flight{done: make(chan struct{})}
	f.out[d] = c
	f.mu.Unlock()
	c.live, c.err = work()
	f.mu.Lock()
	delete(f.out, d)
	f.mu.Unlock()
	close(c.done)
	return c.live, c.err
}
