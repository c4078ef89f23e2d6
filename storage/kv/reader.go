package kv

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/dgraph-io/badger/v4"
)

// A key lies in Badger behind one byte that says whose it is. So no key of the
// store can meet a name that Badger keeps for itself, or one of ours.
const (
	spaceData   = 'd' // keys of the store
	spaceEngine = 'e' // keys of this package
)

func inDataSpace(dst, key []byte) []byte { return append(append(dst, spaceData), key...) }

// reader reads one Badger snapshot.
type reader struct {
	txn *badger.Txn
	ctx context.Context // ends a Scan; nil: nothing does
	key []byte          // scratch: the key being looked up, as it lies in Badger
}

func (r *reader) Get(key []byte) ([]byte, error) {
	r.key = inDataSpace(r.key[:0], key)
	item, err := r.txn.Get(r.key)
	if errors.Is(err, badger.ErrKeyNotFound) {
		return nil, ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("read: %w", err)
	}
	value, err := item.ValueCopy(nil)
	if err != nil {
		return nil, fmt.Errorf("read: %w", err)
	}
	return present(value), nil
}

// present tells an empty value from no value.
func present(value []byte) []byte {
	if value == nil {
		return []byte{}
	}
	return value
}

func (r *reader) GetMany(keys [][]byte) ([][]byte, error) { return getMany(r, keys) }

func (r *reader) Scan(rng Range, o ScanOptions, fn func(key, value []byte) (bool, error)) error {
	return r.scan(rng, o, pending{reverse: o.Reverse}, fn)
}

func (r *reader) Count(rng Range) (int, error) { return count(r, rng) }

func (r *reader) Seq() uint64 { return r.txn.ReadTs() }

// scan walks the snapshot with the pending mutations over it.
func (r *reader) scan(rng Range, o ScanOptions, over pending, fn func(key, value []byte) (bool, error)) error {
	if rng.End != nil && bytes.Compare(rng.Start, rng.End) >= 0 {
		return nil
	}
	c := r.newCursor(rng, o.Reverse)
	defer c.it.Close()
	for n := 0; o.Limit <= 0 || n < o.Limit; n++ {
		if n%256 == 0 && r.ctx != nil && r.ctx.Err() != nil {
			return r.ctx.Err()
		}
		key, value, err := nextEntry(c, &over, o.KeysOnly)
		if err != nil || key == nil {
			return err
		}
		if more, err := fn(key, value); err != nil || !more {
			return err
		}
	}
	return nil
}

// nextEntry returns the next entry of the merged walk; a nil key ends it.
func nextEntry(c *cursor, over *pending, keysOnly bool) (key, value []byte, err error) {
	for {
		key, m := c.key(), over.peek()
		if m == nil || key != nil && over.compare(key, m.key) < 0 {
			c.passed = key != nil
			if key == nil || keysOnly {
				return key, nil, nil
			}
			value, err := c.value()
			return key, value, err
		}
		c.passed = bytes.Equal(key, m.key)
		over.pop(m)
		switch {
		case m.deleted:
		case keysOnly:
			return bytes.Clone(m.key), nil, nil
		default:
			return bytes.Clone(m.key), present(bytes.Clone(m.value)), nil
		}
	}
}

// getMany is GetMany by way of Get: one engine, one process, no round trips.
func getMany(r Reader, keys [][]byte) ([][]byte, error) {
	values := make([][]byte, len(keys))
	for i, key := range keys {
		value, err := r.Get(key)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return nil, err
		}
		values[i] = value
	}
	return values, nil
}

func count(r Reader, rng Range) (n int, err error) {
	err = r.Scan(rng, ScanOptions{KeysOnly: true}, func(_, _ []byte) (bool, error) {
		n++
		return true, nil
	})
	return n, err
}
