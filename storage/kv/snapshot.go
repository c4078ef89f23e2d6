package kv

import (
	"slices"
	"sync"
	"sync/atomic"
)

// snapshot is one committed state of the store, named by its timestamp, and
// the number of those who read it. The engine itself counts as one for as long
// as the snapshot is the latest; at zero it is dead and stays dead.
type snapshot struct {
	ts   uint64
	refs atomic.Int64
}

// acquire takes a reference, unless the snapshot is dead.
func (s *snapshot) acquire() bool {
	for {
		n := s.refs.Load()
		if n == 0 {
			return false
		}
		if s.refs.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

// snapshots knows the latest state and every older one that somebody reads.
// Readers take no lock. publish and retire are for one at a time: Open, then
// the writer, then Close.
type snapshots struct {
	latest atomic.Pointer[snapshot] // nil: closed
	seq    atomic.Uint64            // of the latest; set after it, and kept when closed
	older  []*snapshot              // oldest first
	alive  sync.WaitGroup           // one for each snapshot that is not dead
	open   atomic.Int64             // as many as alive waits for
}

// acquire returns the latest snapshot, or nil when closed. release gives it back.
func (s *snapshots) acquire() *snapshot {
	for {
		latest := s.latest.Load()
		if latest == nil || latest.acquire() {
			return latest
		}
	}
}

func (s *snapshots) release(snap *snapshot) {
	if snap.refs.Add(-1) == 0 {
		s.open.Add(-1)
		s.alive.Done()
	}
}

// publish makes ts the latest state and returns the oldest timestamp that can
// still be read: versions hidden from it may be discarded.
func (s *snapshots) publish(ts uint64) (oldest uint64) {
	next := &snapshot{ts: ts}
	next.refs.Store(1)
	s.alive.Add(1)
	s.open.Add(1)
	s.replace(next)
	s.seq.Store(ts)

	s.older = slices.DeleteFunc(s.older, func(snap *snapshot) bool { return snap.refs.Load() == 0 })
	if len(s.older) > 0 {
		return s.older[0].ts
	}
	return ts
}

// retire refuses new readers. alive waits for those that are left.
func (s *snapshots) retire() { s.replace(nil) }

func (s *snapshots) replace(next *snapshot) {
	last := s.latest.Swap(next)
	if last == nil {
		return
	}
	s.older = append(s.older, last)
	s.release(last)
}
