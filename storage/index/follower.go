package index

import "sync"

// follower lets one writer keep rows up to date without waiting for those who
// read them: a row that comes while a query runs is laid aside, and put in its
// place by the next query or the next row. Only a writer who is thousands of
// rows ahead waits until they are in their places.
type follower[R any] struct {
	mu  sync.RWMutex // guards what apply changes
	put func(R)      // puts one row in its place, under mu

	aside sync.Mutex
	late  []R // in the order in which they came
}

// mostLate is how many rows are laid aside at most. A writer that is faster than
// rows can be put in their places would else be ever farther ahead of them.
const mostLate = 4096

// follow takes a row. Only one goroutine at a time may call it.
func (f *follower[R]) follow(r R) {
	f.aside.Lock()
	f.late = append(f.late, r)
	full := len(f.late) >= mostLate
	f.aside.Unlock()
	if full {
		f.mu.Lock()
	} else if !f.mu.TryLock() {
		return
	}
	defer f.mu.Unlock()
	f.catchUp()
}

// read runs fn on all rows that have come before the call.
func (f *follower[R]) read(fn func()) { f.readAs(func() bool { return true }, nil, fn) }

// readAs is read, once the rows are as fn needs them: ready tells, and makeReady
// sees to it. That takes the rows for itself, and so does fn then, lest another
// that needs them different comes in between.
func (f *follower[R]) readAs(ready func() bool, makeReady, fn func()) {
	f.aside.Lock()
	behind := len(f.late) > 0
	f.aside.Unlock()
	if behind {
		f.mu.Lock()
		f.catchUp()
		f.mu.Unlock()
	}
	if f.readReady(ready, fn) {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.catchUp()
	makeReady()
	fn()
}

func (f *follower[R]) readReady(ready func() bool, fn func()) bool {
	f.mu.RLock()
	defer f.mu.RUnlock()
	if !ready() {
		return false
	}
	fn()
	return true
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
