package kv

import (
	"bytes"
	"errors"
	"fmt"
)

// txn is one Update: its own writes over those its batch has accepted so far,
// over the snapshot the batch began with.
type txn struct {
	own   overlay
	batch *overlay
	base  *reader

	hooks   []func()
	noRoom  error      // why it may not write at all; nil: it may
	refused error      // why it must not commit: a write over the limits, or fn's own error
	done    chan error // the outcome of the commit
}

func (t *txn) Get(key []byte) ([]byte, error) {
	m := t.own.get(key)
	if m == nil {
		m = t.batch.get(key)
	}
	switch {
	case m == nil:
		return t.base.Get(key)
	case m.deleted:
		return nil, ErrNotFound
	}
	return present(bytes.Clone(m.value)), nil
}

func (t *txn) GetMany(keys [][]byte) ([][]byte, error) { return getMany(t, keys) }

func (t *txn) Scan(r Range, o ScanOptions, fn func(key, value []byte) (bool, error)) error {
	over := pending{own: t.own.within(r), below: t.batch.within(r), reverse: o.Reverse}
	return t.base.scan(r, o, over, fn)
}

func (t *txn) Count(r Range) (int, error) { return count(t, r) }

func (t *txn) Seq() uint64 { return t.base.Seq() }

func (t *txn) Insert(key, value []byte) error {
	switch _, err := t.Get(key); {
	case err == nil:
		return ErrExists
	case !errors.Is(err, ErrNotFound):
		return err
	}
	return t.Put(key, value)
}

func (t *txn) Put(key, value []byte) error {
	return t.write(&mutation{key: key, value: value})
}

func (t *txn) Delete(key []byte) error {
	return t.write(&mutation{key: key, deleted: true})
}

// Fence has nothing to do but count: transactions run one after the other.
func (t *txn) Fence(key []byte) error {
	if _, written := t.own.byKey[string(key)]; written {
		return nil
	}
	return t.write(&mutation{key: key, fenced: true})
}

func (t *txn) OnCommit(f func()) { t.hooks = append(t.hooks, f) }

// write makes a copy of m pending. A refusal sticks, so that a caller who
// overlooks it does not commit half of what he meant.
func (t *txn) write(m *mutation) error {
	if t.refused != nil {
		return t.refused
	}
	if t.refused = t.noRoom; t.refused != nil {
		return t.refused
	}
	if t.refused = checkSizes(m); t.refused != nil {
		return t.refused
	}
	m.key, m.value = bytes.Clone(m.key), bytes.Clone(m.value)
	t.own.put(m)
	switch {
	case len(t.own.byKey) > MaxTxnWrites:
		t.refused = fmt.Errorf("transaction of more than %d writes: %w", MaxTxnWrites, ErrTooLarge)
	case t.own.bytes > MaxTxnBytes:
		t.refused = fmt.Errorf("transaction of more than %d bytes: %w", MaxTxnBytes, ErrTooLarge)
	}
	return t.refused
}

func checkSizes(m *mutation) error {
	switch {
	case len(m.key) == 0:
		return ErrInvalidKey
	case len(m.key) > MaxKey:
		return fmt.Errorf("key of %d bytes, at most %d: %w", len(m.key), MaxKey, ErrTooLarge)
	case len(m.value) > MaxValue:
		return fmt.Errorf("value of %d bytes, at most %d: %w", len(m.value), MaxValue, ErrTooLarge)
	}
	return nil
}
