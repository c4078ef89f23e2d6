package storage

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"exante/storage/auditcopy"
	"exante/storage/kv"
)

const (
	copyDelay    = 100 * time.Millisecond // how long a record waits for company
	copyRetry    = time.Second            // how often a copy is tried again that can't be written
	copyPatience = 2 * time.Second        // how long what takes a right away waits for its record to be copied
	copyStop     = 10 * time.Second
	copyBatch    = 1 << 20 // bytes of one append
)

// copier follows the audit chain and appends what is new to a file outside the
// store. A nil copier copies nothing.
type copier struct {
	store *Store
	path  string
	fresh bool // of a store that has just been made

	woken chan struct{} // buffered by one: there is something to copy
	asked chan struct{} // likewise: somebody waits for it
	quit  chan struct{}
	done  chan struct{} // closed: run has returned
	stop  sync.Once

	file  *os.File    // nil: not open. It is run's, and before that newCopier's.
	known os.FileInfo // of the file, as it was left; likewise
	at    uint64      // the last record that is in it; likewise

	mu       sync.Mutex
	copied   uint64        // the last record that is durable in the file
	attempts uint64        // that failed
	fault    error         // why it can't be written; nil: it can
	changed  chan struct{} // closed and made anew when one of these changes
}

// newCopier goes on with the copy at path. One that can't be written is no error:
// it is tried again, and meanwhile refusal says so.
func newCopier(s *Store, path string, fresh bool) *copier {
	c := &copier{
		store: s, path: path, fresh: fresh, woken: make(chan struct{}, 1), asked: make(chan struct{}, 1),
		quit: make(chan struct{}), done: make(chan struct{}), changed: make(chan struct{}),
	}
	c.told(c.attach())
	c.nudge()
	go c.run()
	return c
}

func (c *copier) run() {
	defer close(c.done)
	var due <-chan time.Time
	for {
		if due == nil && c.refusal() != nil {
			due = time.After(copyRetry)
		}
		select {
		case <-c.woken:
			if due == nil {
				due = time.After(copyDelay)
			}
		case <-due:
			due = nil
			c.told(c.catchUp(c.quit))
		case <-c.asked:
			due = nil
			c.told(c.catchUp(c.quit))
		case <-c.quit:
			limit := make(chan struct{})
			timer := time.AfterFunc(copyStop, func() { close(limit) })
			c.told(c.catchUp(limit))
			timer.Stop()
			c.detach()
			return
		}
	}
}

// told keeps what came of an attempt, and logs what is new about it.
func (c *copier) told(err error) {
	c.mu.Lock()
	before := c.fault
	c.fault, c.copied = err, c.at
	if err != nil {
		c.attempts++
		c.detach()
	}
	close(c.changed)
	c.changed = make(chan struct{})
	c.mu.Unlock()
	log := c.store.options.Log
	switch {
	case err != nil && (before == nil || before.Error() != err.Error()):
		log.Error("the audit copy can't be written: changes are refused until it can; it is tried again", "file", c.path, "error", err)
	case err == nil && before != nil:
		log.Warn("the audit copy is written again", "file", c.path)
	}
}

// attach opens the file and goes on where it ends, if it tells the same as the
// store.
func (c *copier) attach() error {
	var end copyEnd
	var mend []byte
	err := c.store.db.View(context.Background(), func(r kv.Reader) (err error) {
		if end, err = compareCopy(r, c.path); err != nil {
			return err
		}
		mend, err = end.mend(r)
		return err
	})
	if err != nil {
		return err
	}
	if end.next == 1 && len(mend) == 0 && !c.fresh {
		c.store.options.Log.Warn("there is no audit copy: it is made from the first record on", "file", c.path)
	}
	if c.file, err = auditcopy.Append(c.path); err != nil {
		return err
	}
	c.at = end.next - 1
	return c.append(mend)
}

// mend is what makes a whole line of one that a crash cut off, and moves the end
// behind it. One that will be superseded is only ended.
func (e *copyEnd) mend(r kv.Reader) ([]byte, error) {
	if len(e.torn) == 0 {
		if e.unended {
			return []byte("\n"), nil
		}
		return nil, nil
	}
	var rec auditRecord
	if err := get(r, keyAudit(e.next), famAudit, &rec); err != nil {
		return nil, err
	}
	line, err := rec.line()
	tail, begins := bytes.CutPrefix(line, e.torn)
	if !begins {
		return []byte("\n"), err
	}
	e.next++
	return append(tail, '\n'), err
}

// append makes text durable at the end of the file.
func (c *copier) append(text []byte) error {
	if _, err := c.file.Write(text); err != nil {
		return err
	}
	if err := c.file.Sync(); err != nil {
		return err
	}
	var err error
	c.known, err = c.file.Stat()
	return err
}

// catchUp appends what is missing, until quit is closed.
func (c *copier) catchUp(quit <-chan struct{}) error {
	if c.file != nil && !auditcopy.Current(c.path, c.known) {
		c.detach()
	}
	if c.file == nil {
		if err := c.attach(); err != nil {
			return err
		}
	}
	for {
		lines, last, err := c.missing()
		if err != nil || len(lines) == 0 {
			return err
		}
		if err := c.append(lines); err != nil {
			return err
		}
		c.at = last
		c.told(nil)
		select {
		case <-quit:
			return nil
		default:
		}
	}
}

// missing is the next batch of lines.
func (c *copier) missing() (lines []byte, last uint64, err error) {
	in := inGlobal(famAudit)
	in.Start = keyAudit(c.at + 1)
	err = c.store.db.View(context.Background(), func(r kv.Reader) error {
		return scanWhile(r, in, famAudit, func(_ []byte, rec *auditRecord) (bool, error) {
			line, err := rec.line()
			lines, last = append(append(lines, line...), '\n'), rec.Seq
			return len(lines) < copyBatch, err
		})
	})
	return lines, last, err
}

func (c *copier) detach() {
	if c.file != nil {
		_ = c.file.Close() // it was synced, or its error is known
		c.file = nil
	}
}

// nudge tells that there is something to copy.
func (c *copier) nudge() {
	if c != nil {
		wake(c.woken)
	}
}

func wake(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// refusal is why nothing may be written that belongs into the copy;
// ErrAuditUnavailable, or nil.
func (c *copier) refusal() error {
	if c == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.fault == nil {
		return nil
	}
	return fmt.Errorf("%w: %s: %w", ErrAuditUnavailable, c.path, hideDamage(c.fault))
}

// hideDamage keeps what is wrong with the copy from being taken for damage of
// the store, which ends the service.
func hideDamage(err error) error { return errors.New(err.Error()) }

// hold returns once the copy has the record seq, or it could not be written.
func (c *copier) hold(seq uint64) error {
	if c == nil {
		return nil
	}
	limit := time.NewTimer(copyPatience)
	defer limit.Stop()
	for begun := uint64(0); ; {
		c.mu.Lock()
		copied, attempts, fault, changed := c.copied, c.attempts, c.fault, c.changed
		c.mu.Unlock()
		switch {
		case copied >= seq:
			return nil
		case begun == 0:
			begun = attempts + 1
		case attempts >= begun:
			return fault
		}
		wake(c.asked)
		select {
		case <-changed:
		case <-c.done:
			return ErrClosed
		case <-limit.C:
			return errors.New("writing it takes too long")
		}
	}
}

// close copies what is left and ends run.
func (c *copier) close() {
	if c == nil {
		return
	}
	c.stop.Do(func() { close(c.quit) })
	<-c.done
}
