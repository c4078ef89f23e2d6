package storage

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"

	"exante/auth/uid"
	"exante/storage/kv"
)

// Content is what an attachment holds, as it is read: chunk by chunk, each from a
// snapshot of its own, so that a slow reader holds on to none. It ends with io.EOF
// only when all of it was read and has the hash that it had when it came.
type Content struct {
	Attachment
	store *Store
	ctx   context.Context // of the reading, which is as long as the client likes
	org   uid.ID

	chunk []byte // what is left of the last one that was read
	next  uint16
	read  int64
	sum   hash.Hash
}

// OpenAttachment reads the beginning of an attachment; what follows comes from
// Read. Errors of both: ErrNotFound, also for one that is deleted meanwhile, and
// ErrCorrupt.
func (s *Store) OpenAttachment(ctx context.Context, org, inv, id uid.ID) (*Content, error) {
	c := &Content{store: s, ctx: ctx, org: org, sum: sha256.New()}
	err := s.db.View(ctx, func(r kv.Reader) (err error) {
		c.Attachment, err = attachmentOf(r, org, inv, id)
		return err
	})
	if err != nil {
		return nil, err
	}
	return c, c.advance()
}

// Read is io.Reader's.
func (c *Content) Read(p []byte) (int, error) {
	if len(c.chunk) == 0 && c.next == c.chunks {
		return 0, io.EOF
	}
	if len(c.chunk) == 0 {
		if err := c.advance(); err != nil {
			return 0, err
		}
	}
	n := copy(p, c.chunk)
	c.chunk = c.chunk[n:]
	return n, nil
}

// advance reads the next chunk in a snapshot of its own.
func (c *Content) advance() error {
	return c.store.db.View(c.ctx, func(r kv.Reader) error {
		err := c.load(r)
		if errors.Is(err, ErrCorrupt) {
			if _, gone := attachmentOf(r, c.org, c.InvoiceID, c.ID); errors.Is(gone, ErrNotFound) {
				return gone
			}
		}
		return err
	})
}

// load reads the next chunk, if there is one. The last one is handed out only if
// the whole is what was added.
func (c *Content) load(r kv.Reader) error {
	if c.next < c.chunks {
		key := keyContent(c.org, c.InvoiceID, c.ID, c.next)
		value, err := r.Get(key)
		if errors.Is(err, kv.ErrNotFound) {
			return missing(ErrNotFound, "chunk", key)
		}
		if err == nil {
			c.chunk, err = openBytes(key, famContent, value)
		}
		if err != nil {
			return err
		}
		c.next++
		c.read += int64(len(c.chunk))
		c.sum.Write(c.chunk)
	}
	if c.next == c.chunks && (c.read != c.Size || [sha256.Size]byte(c.sum.Sum(nil)) != c.SHA256) {
		c.chunk = nil
		return fmt.Errorf("%w: attachment %s does not have the content that it came with", ErrCorrupt, c.ID)
	}
	return nil
}
