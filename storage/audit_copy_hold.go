package storage

import (
	"errors"
	"fmt"
	"time"
)

// What writers have to do with the copy: they wake it, ask whether it can follow,
// and wait for it where they must.

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
	fault := c.fault
	if fault == nil && !c.began.IsZero() && time.Since(c.began) > copyStall {
		fault = errSlowCopy
	}
	if fault == nil {
		return nil
	}
	return fmt.Errorf("%w: %s: %w", ErrAuditUnavailable, c.path, hideDamage(fault))
}

// hideDamage keeps what is wrong with the copy from being taken for damage of
// the store, which ends the service.
func hideDamage(err error) error { return errors.New(err.Error()) }

var errSlowCopy = errors.New("writing it takes too long")

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
			return errSlowCopy
		}
	}
}
