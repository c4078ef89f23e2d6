// Package logging keeps a slow reader of the log from slowing down the program.
package logging

import (
	"context"
	"errors"
	"io"
	"sync"
	"sync/atomic"
)

// room is what may wait to be written: some 5,000 lines.
const room = 1 << 20 // bytes

// Writer hands what it is given to another writer, from a goroutine of its own.
// Write never waits. What does not fit beside what is still waiting is dropped,
// counted, and told of as soon as something is taken again.
type Writer struct {
	to   io.Writer
	told func(dropped uint64) // called by the goroutine, after which it goes on

	mu      sync.Mutex
	waiting []byte
	unsaid  uint64 // writes dropped and not yet told of
	closed  bool
	wake    chan struct{} // buffered by one: there is something to do
	ended   chan struct{} // closed: all was written

	dropped atomic.Uint64
}

// New returns a Writer to another. told, which may be nil, is called with how
// many writes were dropped since it was last called. Close ends it.
func New(to io.Writer, told func(dropped uint64)) *Writer {
	if told == nil {
		told = func(uint64) {}
	}
	w := &Writer{to: to, told: told, wake: make(chan struct{}, 1), ended: make(chan struct{})}
	go w.run()
	return w
}

// Write takes p whole or drops it. It returns no error: whoever logs can do
// nothing about one. After Close it drops.
func (w *Writer) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed || len(w.waiting)+len(p) > room {
		w.unsaid++
		w.dropped.Add(1)
		return len(p), nil
	}
	w.waiting = append(w.waiting, p...)
	w.rouse()
	return len(p), nil
}

// Dropped is how many writes were lost since New.
func (w *Writer) Dropped() uint64 { return w.dropped.Load() }

// Close writes what is waiting. It gives up when ctx ends: the other writer may
// never take it.
func (w *Writer) Close(ctx context.Context) error {
	w.mu.Lock()
	w.closed = true
	w.rouse()
	w.mu.Unlock()
	select {
	case <-w.ended:
		return nil
	case <-ctx.Done():
		return errors.Join(errors.New("the end of the log was not taken"), ctx.Err())
	}
}

func (w *Writer) rouse() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

func (w *Writer) run() {
	defer close(w.ended)
	var spare []byte
	for range w.wake {
		for {
			w.mu.Lock()
			text, unsaid, closed := w.waiting, w.unsaid, w.closed
			w.waiting, w.unsaid = spare[:0], 0
			w.mu.Unlock()
			if len(text) == 0 && unsaid == 0 {
				if closed {
					return
				}
				spare = text
				break
			}
			_, _ = w.to.Write(text) // there is no other place to complain
			if unsaid > 0 {
				w.told(unsaid)
			}
			spare = text
		}
	}
}
