package storage

import (
	"bytes"
	"context"
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
	copyStall    = 5 * time.Second        // how long one write may take: a file system that hangs reports no error
	copyStop     = 10 * time.Second       // how long a stop waits for the copy
	copyBatch    = 1 << 20                // bytes of one append
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
	began    time.Time     // of the write that is under way; zero: none is
	changed  chan struct{} // closed and made anew when one of these changes
}

// newCopier goes on with the copy at path. One that can't be written is no error:
// it is tried again, and meanwhile refusal says so.
func newCopier(s *Store, path string, fresh bool) *copier {
	c := makeCopier(s, path, fresh)
	c.told(c.attach())
	c.nudge()
	go c.run()
	return c
}

func makeCopier(s *Store, path string, fresh bool) *copier {
	return &copier{
		store: s, path: path, fresh: fresh, woken: make(chan struct{}, 1), asked: make(chan struct{}, 1),
		quit: make(chan struct{}), done: make(chan struct{}), changed: make(chan struct{}),
	}
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
			c.attempt(c.quit)
		case <-c.asked:
			due = nil
			c.attempt(c.quit)
		case <-c.quit:
			limit := make(chan struct{})
			timer := time.AfterFunc(copyStop, func() { close(limit) })
			c.attempt(limit)
			timer.Stop()
			c.detach()
			return
		}
	}
}

// attempt catches up, and keeps when it began.
func (c *copier) attempt(quit <-chan struct{}) {
	c.under(time.Now())
	c.told(c.catchUp(quit))
	c.under(time.Time{})
}

func (c *copier) under(way time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.began = way
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
		c.store.guarding.Add(1)
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
		c.under(time.Now())
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
		c.store.guarding.Add(1)
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

// close copies what is left and ends run. A write that hangs can't be ended, and is
// not waited for: what it lacks is copied at the next start.
func (c *copier) close() {
	if c == nil {
		return
	}
	c.stop.Do(func() { close(c.quit) })
	limit := time.NewTimer(copyStop)
	defer limit.Stop()
	select {
	case <-c.done:
	case <-limit.C:
		c.store.options.Log.Error("the audit copy lacks the newest records: they are copied at the next start", "file", c.path, "error", errSlowCopy)
	}
}
