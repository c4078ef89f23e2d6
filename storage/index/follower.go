package index

import "sync"

// follower lets one writer keep rows up to date without ever waiting for those
// who read them: a row that comes while a query runs is laid aside, and put in
// its place by the next query or the next row.
type follower[R any] struct {
	mu  sync.RWMutex // guards what apply changes
	put func(R)      // puts one row in its place, under mu

	aside sync.Mutex
	late  []R // in the order in which they came
}

// follow takes a row. Only one goroutine at a time may call it.
func (f *follower[R]) follow(r R) {
	f.aside.Lock()
	f.late = append(f.late, r)
	f.aside.Unlock()
	if f.mu.TryLock() {
		f.catchUp()
		f.mu.Unlock()
	}
}

// read runs fn on all rows that have come before the call.
func (f *follower[R]) read(fn func()) {
	f.aside.Lock()
	behind := len(f.late) > 0
	f.aside.Unlock()
	if behind {
		f.mu.Lock()
		f.catchUp()
		f.mu.Unlock()
	}
	f.mu.RLock()
	defer f.mu.RUnlock()
	fn()
}

// catchUp puts the rows laid aside in their places. f.mu is held.
func (f *follower[R]) catchUp() {
	f.aside.Lock()
	late := f.late
	f.late = nil
	f.aside.Unlock()
	for _, r := range late {
		f.put(r)
	}
}
