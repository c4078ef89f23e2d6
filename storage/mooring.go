package storage

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"exante/storage/kv"
)

const (
	anchorDelay    = time.Second     // how far the anchor may be behind the store
	anchorPatience = 5 * time.Second // how long what takes a right away waits for it
)

// mooring writes the anchor behind the store: soon after a commit, at once for
// who asks, and when it is stopped.
type mooring struct {
	write func() error  // writes the anchor for what is committed now
	log   *slog.Logger  // is told when that fails, and when it works again
	moved chan struct{} // buffered by one: something was committed
	asked chan chan<- error
	quit  chan struct{}
	done  chan struct{} // closed: run has returned
	stop  sync.Once
	fault atomic.Pointer[error] // of the last write; nil: there was none
}

func newMooring(write func() error, log *slog.Logger) *mooring {
	m := &mooring{
		write: write, log: log, moved: make(chan struct{}, 1), asked: make(chan chan<- error),
		quit: make(chan struct{}), done: make(chan struct{}),
	}
	go m.run()
	return m
}

func (m *mooring) run() {
	defer close(m.done)
	var due <-chan time.Time
	for {
		select {
		case <-m.moved:
			if due == nil {
				due = time.After(anchorDelay)
			}
		case <-due:
			due = nil
			_ = m.attempt()
		case first := <-m.asked:
			due = nil
			m.answer(first)
		case <-m.quit:
			_ = m.attempt()
			return
		}
	}
}

// answer writes once for all who ask now: each has committed already.
func (m *mooring) answer(first chan<- error) {
	waiting := []chan<- error{first}
	for more := true; more; {
		select {
		case next := <-m.asked:
			waiting = append(waiting, next)
		default:
			more = false
		}
	}
	err := m.attempt()
	for _, w := range waiting {
		w <- err
	}
}

// attempt writes, keeps what came of it, and logs what is new about that. One that
// failed is tried again.
func (m *mooring) attempt() error {
	err, before := m.write(), m.trouble()
	switch {
	case err == nil && before == nil:
		return nil
	case err == nil:
		m.fault.Store(nil)
		m.log.Warn("the anchor is written again", "file", anchorFile)
		return nil
	case before == nil || before.Error() != err.Error():
		m.log.Error("the anchor could not be written: a loss of the newest records might go unseen; it is tried again", "file", anchorFile, "error", err)
	}
	m.fault.Store(&err)
	m.nudge()
	return err
}

// nudge tells that something was committed. A store in the making has no mooring.
func (m *mooring) nudge() {
	if m == nil {
		return
	}
	select {
	case m.moved <- struct{}{}:
	default:
	}
}

// hold returns once the anchor names what was committed before the call.
func (m *mooring) hold() error {
	written := make(chan error, 1)
	limit := time.NewTimer(anchorPatience)
	defer limit.Stop()
	select {
	case m.asked <- written:
	case <-m.done:
		return ErrClosed
	case <-limit.C:
		return errors.New("writing it takes too long")
	}
	select {
	case err := <-written:
		return err
	case <-limit.C:
		return errors.New("writing it takes too long")
	}
}

// close writes a last time and ends run.
func (m *mooring) close() {
	m.stop.Do(func() { close(m.quit) })
	<-m.done
}

// trouble is why the anchor is behind; nil if it is not.
func (m *mooring) trouble() error {
	if err := m.fault.Load(); err != nil {
		return *err
	}
	return nil
}

// writeAnchor writes the anchor unless it names the last commit already. What it
// says is never ahead of the disk: a count from memory is of what was committed.
func (s *Store) writeAnchor() error {
	ctx := context.Background()
	seq := s.db.Seq()
	if seq == s.anchored.Load() || s.db.Health() != nil {
		return nil // after a failure nobody knows what is on the disk
	}
	if err := s.settle(ctx); err != nil {
		return err
	}
	var a *anchor
	err := s.db.View(ctx, func(r kv.Reader) (err error) {
		s.guarding.Add(1)
		a, err = s.standing(r, seq, s.keyring.Len())
		return err
	})
	if err == nil {
		err = writeFile(s.options.Dir, anchorFile, a.text(s.signing))
	}
	if err == nil {
		s.anchored.Store(seq)
	}
	return err
}
