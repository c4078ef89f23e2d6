package kv

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"exante/storage/kv/disk"
)

// Compact merges all tables of the store in o.Dir, which nobody has open, into one
// level, and so gives back the space of what was replaced or deleted. progress, which
// may be nil, is told how many bytes have been merged. A kill leaves the store
// as it was, or merged in part; nothing of it is lost. Errors: those of Open; ErrLowDisk
// if it could fill the disk, with nothing changed; ErrDamaged if the store does
// not read as it did before.
func Compact(o Options, progress func(done, total int64)) error {
	o.compacting = true
	db, err := Open(o)
	if err != nil {
		return err
	}
	e := db.(*engine)
	return errors.Join(e.compact(progress), e.Close())
}

func (e *engine) compact(progress func(done, total int64)) error {
	if err := e.flushed(); err != nil {
		return err
	}
	t := e.tree()
	if d := e.Disk(); d.MinFree > 0 && d.Free < d.Hard+t.merging(0) {
		return &disk.LowError{Dir: e.options.Dir, Missing: d.Hard + t.merging(0) - d.Free}
	}
	before, err := e.digest()
	if err != nil {
		return err
	}
	if err := e.flatten(t.above(), progress); err != nil {
		return fmt.Errorf("compact: %w", err)
	}
	after, err := e.digest()
	if err == nil && before != after {
		err = fmt.Errorf("%w: the store in %s does not read as it did before it was compacted", ErrDamaged, e.options.Dir)
	}
	return err
}

// flushed waits until the logs that Open has found are tables: a merge would pass
// them by.
func (e *engine) flushed() error {
	for deadline := time.Now().Add(closeLimit); ; time.Sleep(10 * time.Millisecond) {
		logs, err := logsIn(e.options.Dir)
		switch {
		case err != nil || len(logs) <= 1:
			return err
		case e.health.err() != nil:
			return e.health.err()
		case time.Now().After(deadline):
			return fmt.Errorf("compact: the logs were not read within %v", closeLimit)
		}
	}
}

// flatten merges, and tells how much of what lies above the last level is down there.
// Badger can't be stopped in it.
func (e *engine) flatten(total int64, progress func(done, total int64)) error {
	done := make(chan error, 1)
	go func() { done <- e.db.Flatten(1) }() // of several, all but one may find nothing to do, and warn
	tell := func(left int64) {
		if progress != nil {
			progress(max(0, total-left), total)
		}
	}
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	for tell(total); ; {
		select {
		case err := <-done:
			tell(0)
			return err
		case <-ticker.C:
			t := e.tree()
			tell(t.above())
		}
	}
}

// digest is of every key and value there is.
func (e *engine) digest() (sum [sha256.Size]byte, err error) {
	h := sha256.New()
	err = e.View(context.Background(), func(r Reader) error {
		return r.Scan(Range{}, ScanOptions{}, func(key, value []byte) (bool, error) {
			var head [8]byte
			binary.BigEndian.PutUint32(head[:], uint32(len(key)))
			binary.BigEndian.PutUint32(head[4:], uint32(len(value)))
			h.Write(head[:])
			h.Write(key)
			h.Write(value)
			return true, nil
		})
	})
	h.Sum(sum[:0])
	return sum, err
}
