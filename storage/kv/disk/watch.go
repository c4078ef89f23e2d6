package disk

import (
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// every is how often a Watch looks by itself: space that is back is used within a
// second.
const every = 500 * time.Millisecond

// Owed is what the engine may still write by itself, in bytes.
type Owed struct {
	Now   int64 // without being written to, or closed
	Later int64 // more, when it is closed, or written to a little longer
}

// Options of a Watch.
type Options struct {
	Dir     string
	MinFree int64        // bytes, at least LeastMinFree; Auto; 0: nothing is watched
	Log     *slog.Logger // is told when writes are refused, and when they are taken again
	Owed    func() Owed  // asked twice a second
}

// Watch knows whether there is room for writes. Its methods are safe for
// concurrent use.
type Watch struct {
	options Options
	ballast ballast
	state   atomic.Pointer[State]
	wrote   atomic.Int64 // bytes since Owed was asked

	mu   sync.Mutex // held while the state changes
	owed Owed
	deaf bool // statfs fails, and that has been said
	bare bool // the ballast could not be made, and is not tried again until Low has ended

	quit, ended chan struct{}
	once        sync.Once
}

// Start begins to watch. Stop ends it.
func Start(o Options) *Watch {
	w := &Watch{options: o, ballast: newBallast(o.Dir), quit: make(chan struct{}), ended: make(chan struct{})}
	w.state.Store(&State{})
	if o.MinFree == 0 {
		close(w.ended)
		return w
	}
	w.tick()
	go w.run()
	return w
}

// Stop ends the watch, and waits until it has ended.
func (w *Watch) Stop() {
	w.once.Do(func() { close(w.quit) })
	<-w.ended
}

func (w *Watch) run() {
	defer close(w.ended)
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-w.quit:
			return
		case <-ticker.C:
			w.tick()
			w.keepBallast()
		}
	}
}

// State is how things stood at the last look.
func (w *Watch) State() State { return *w.state.Load() }

// Look measures the free space now. It costs a system call.
func (w *Watch) Look() {
	if w.options.MinFree == 0 {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	last := w.state.Load()
	s, ok := w.measured(last)
	if !ok {
		return
	}
	if s.Low && !last.Low && w.wrote.Load() > 0 {
		w.ask() // what was written since may owe less than it was taken for
		s, ok = w.measured(last)
	}
	s.Low = s.Low || last.Low // it ends in tick
	if ok {
		w.enter(&s, last)
	}
}

// Wrote notes that the engine was given so many bytes, which it will write again
// when a log becomes a table, and when tables are merged.
func (w *Watch) Wrote(bytes int) { w.wrote.Add(int64(bytes)) }

// Refuses is nil if a write may go on, else a *LowError. reserve: it may use what
// is kept back from others.
func (w *Watch) Refuses(reserve bool) error {
	s := w.state.Load()
	if !s.Low || reserve && !s.Full {
		return nil
	}
	return &LowError{Dir: w.options.Dir, Missing: s.Missing(), Inodes: s.Inodes < leastNodes}
}

// tick asks the engine what it owes, and looks. Only here does Low end, so that
// it changes no more than twice a second.
func (w *Watch) tick() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ask()
	last := w.state.Load()
	if s, ok := w.measured(last); ok {
		w.enter(&s, last)
	}
}

func (w *Watch) ask() {
	wrote := w.wrote.Load() // before the question: what comes meanwhile counts twice, not never
	w.owed = w.options.Owed()
	w.wrote.Add(-wrote)
}

// measured is the state by what statfs says, after last. A file system that can't
// be asked is no reason to refuse writes: the engine will say what is wrong with it.
func (w *Watch) measured(last *State) (s State, ok bool) {
	free, total, inodes, err := measure(w.options.Dir)
	if err != nil {
		if !w.deaf {
			w.options.Log.Error("free disk space can't be measured: it is not watched", "error", err)
		}
		w.deaf = true
		return s, false
	}
	w.deaf = false
	s = State{Free: free, Total: total, Inodes: inodes, MinFree: softLimit(w.options.MinFree, total), Ballast: last.Ballast}
	s.Hard = s.MinFree / hardShare
	s.Soft = max(s.MinFree, s.Hard+w.owed.Now+w.owed.Later+2*w.wrote.Load())
	s.judge(last.Low)
	return s, true
}

// enter makes s the state that follows last.
func (w *Watch) enter(s, last *State) {
	w.state.Store(s)
	switch {
	case s.Low && !last.Low:
		w.options.Log.Error("disk space is low: writes are refused, reads and the verification of keys go on",
			"dir", w.options.Dir, "free", Size(s.Free), "to_free", Size(s.Missing()), "free_inodes", s.Inodes)
	case last.Low && !s.Low:
		w.bare = false
		w.options.Log.Info("disk space is back: writes are taken again", "dir", w.options.Dir, "free", Size(s.Free))
	}
}

// keepBallast makes the ballast where there is room for it, and gives it up where
// the engine has to write more than is free.
func (w *Watch) keepBallast() {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := *w.state.Load()
	held, size := w.ballast.size(), ballastOf(s)
	switch {
	case held > 0 && s.Free < w.owed.Now:
		w.giveUp(held)
	case held < size && !w.bare && !s.Low && s.Free+held >= s.leave()+size:
		if err := w.ballast.make(size); err != nil {
			w.bare = true
			w.options.Log.Warn("no ballast is kept: a restart on a full disk may be refused", "error", err)
		}
	}
	s.Ballast = w.ballast.size()
	w.state.Store(&s)
}

func (w *Watch) giveUp(held int64) {
	if err := w.ballast.giveUp(); err != nil {
		w.options.Log.Error("the ballast can't be given up", "error", err)
		return
	}
	w.options.Log.Warn("the ballast is given up: the disk is full", "freed", Size(held))
}

// Room makes sure that need bytes are free, by giving up the ballast if it must.
// If that would not be enough, *FullError, and the ballast stays.
func Room(o Options, need int64) error {
	if o.MinFree == 0 {
		return nil
	}
	free, _, _, err := measure(o.Dir)
	if err != nil || free >= need {
		return nil // one that can't be asked is for the engine to judge
	}
	b := newBallast(o.Dir)
	held := b.size()
	if free+held < need {
		return &FullError{Dir: o.Dir, Need: need, Missing: need - free - held}
	}
	o.Log.Warn("the ballast is given up: the disk is full", "freed", Size(held))
	return b.giveUp()
}
