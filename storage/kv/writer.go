package kv

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sort"

	"github.com/dgraph-io/badger/v4"
)

type call struct {
	ctx   context.Context
	fn    func(Txn) error
	done  chan struct{}
	err   error
	panic any
	hooks []func()
}

type write struct {
	value   []byte
	deleted bool
}

func (e *engine) Update(ctx context.Context, fn func(Txn) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	c := &call{ctx: ctx, fn: fn, done: make(chan struct{})}
	e.closing.RLock()
	if e.closed {
		e.closing.RUnlock()
		return ErrClosed
	}
	e.queue <- c
	e.closing.RUnlock()
	<-c.done
	if c.panic != nil {
		panic(c.panic)
	}
	return c.err
}

func (e *engine) write() {
	defer close(e.done)
	for c := range e.queue {
		batch := []*call{c}
	drain:
		for len(batch) < 512 {
			select {
			case c, ok := <-e.queue:
				if !ok {
					break drain
				}
				batch = append(batch, c)
			default:
				break drain
			}
		}
		for len(batch) > 0 {
			batch = e.commit(batch)
		}
	}
}

// commit runs and commits as many of the calls as fit, and returns the rest.
func (e *engine) commit(batch []*call) []*call {
	if err := e.failed.Load(); err != nil {
		for _, c := range batch {
			c.err = *err
			close(c.done)
		}
		return nil
	}
	ts := e.Seq()
	base := e.db.NewTransactionAt(ts, false)
	defer base.Discard()
	pending := &layer{m: map[string]write{}}
	var ok []*call
	n := 0
	for _, c := range batch {
		own := &layer{m: map[string]write{}}
		t := &txn{base: base, pending: pending, own: own, call: c}
		if c.err = c.ctx.Err(); c.err == nil {
			t.run()
		}
		if c.err != nil || c.panic != nil {
			n++
			close(c.done)
			continue
		}
		if pending.size+own.size > MaxTxnBytes || len(pending.m)+len(own.m) > 8000 {
			if len(ok) > 0 {
				break
			}
		}
		n++
		ok = append(ok, c)
		for k, w := range own.m {
			pending.put(k, w)
		}
	}
	if len(ok) > 0 {
		e.finish(ts+1, pending, ok)
	}
	return batch[n:]
}

func (e *engine) finish(ts uint64, pending *layer, ok []*call) {
	var err error
	if len(pending.m) > 0 {
		wt := e.db.NewTransactionAt(ts-1, true)
		for k, w := range pending.m {
			if w.deleted {
				err = wt.Delete([]byte(k))
			} else {
				err = wt.SetEntry(badger.NewEntry([]byte(k), w.value))
			}
			if err != nil {
				break
			}
		}
		if err == nil {
			err = wt.CommitAt(ts, nil)
		}
		wt.Discard()
		if err != nil {
			err = fmt.Errorf("%w: %v", ErrUnknownOutcome, err)
			e.failed.Store(&err)
		} else {
			e.mu.Lock()
			e.acked = ts
			least := ts
			for t := range e.open {
				least = min(least, t)
			}
			e.mu.Unlock()
			e.db.SetDiscardTs(least)
			select {
			case e.changed <- struct{}{}:
			default:
			}
		}
	}
	for _, c := range ok {
		c.err = err
		if err == nil {
			for _, f := range c.hooks {
				f()
			}
		}
		close(c.done)
	}
}

type layer struct {
	m    map[string]write
	size int
}

func (l *layer) put(k string, w write) {
	if old, ok := l.m[k]; ok {
		l.size -= len(k) + len(old.value)
	}
	l.m[k] = w
	l.size += len(k) + len(w.value)
}

type txn struct {
	base    *badger.Txn
	pending *layer
	own     *layer
	fences  map[string]bool
	call    *call
}

func (t *txn) run() {
	defer func() { t.call.panic = recover() }()
	t.call.err = t.call.fn(t)
}

func (t *txn) Get(key []byte) ([]byte, error) {
	for _, l := range []*layer{t.own, t.pending} {
		if w, ok := l.m[string(key)]; ok {
			if w.deleted {
				return nil, ErrNotFound
			}
			return bytes.Clone(w.value), nil
		}
	}
	return snapshot{t.base}.Get(key)
}
func (t *txn) GetMany(keys [][]byte) ([][]byte, error) { return getMany(t, keys) }
func (t *txn) Count(r Range) (int, error)              { return count(t, r) }
func (t *txn) Scan(r Range, o ScanOptions, fn func(k, v []byte) (bool, error)) error {
	return merge(t.base, t.own, t.pending, r, o, fn)
}
func (t *txn) Insert(key, value []byte) error {
	if _, err := t.Get(key); err == nil {
		return ErrExists
	} else if !errors.Is(err, ErrNotFound) {
		return err
	}
	return t.Put(key, value)
}
func (t *txn) Put(key, value []byte) error { return t.set(key, write{value: value}) }
func (t *txn) Delete(key []byte) error     { return t.set(key, write{deleted: true}) }
func (t *txn) Fence(key []byte) error {
	if len(key) == 0 || len(key) > MaxKey {
		return ErrTooLarge
	}
	return nil
}
func (t *txn) OnCommit(f func()) { t.call.hooks = append(t.call.hooks, f) }
func (t *txn) set(key []byte, w write) error {
	if len(key) == 0 || len(key) > MaxKey || len(w.value) > MaxValue {
		return ErrTooLarge
	}
	t.own.put(string(key), w)
	if len(t.own.m) > MaxTxnWrites || t.own.size > MaxTxnBytes {
		return ErrTooLarge
	}
	return nil
}

// merge scans the engine under the layers.
func merge(base *badger.Txn, own, pending *layer, r Range, o ScanOptions, fn func(k, v []byte) (bool, error)) error {
	over := map[string]write{}
	for _, l := range []*layer{pending, own} {
		if l == nil {
			continue
		}
		for k, w := range l.m {
			if bytes.Compare([]byte(k), r.Start) >= 0 && (r.End == nil || bytes.Compare([]byte(k), r.End) < 0) {
				over[k] = w
			}
		}
	}
	keys := make([]string, 0, len(over))
	for k := range over {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	if o.Reverse {
		slices.Reverse(keys)
	}
	before := func(a, b []byte) bool {
		if o.Reverse {
			return bytes.Compare(a, b) > 0
		}
		return bytes.Compare(a, b) < 0
	}
	it := base.NewIterator(badger.IteratorOptions{Reverse: o.Reverse, PrefetchValues: false})
	defer it.Close()
	if o.Reverse {
		if r.End == nil {
			it.Rewind()
		} else {
			it.Seek(r.End)
			if it.Valid() && bytes.Equal(it.Item().Key(), r.End) {
				it.Next()
			}
		}
	} else {
		it.Seek(r.Start)
	}
	inside := func(k []byte) bool {
		return bytes.Compare(k, r.Start) >= 0 && (r.End == nil || bytes.Compare(k, r.End) < 0)
	}
	seen := 0
	emit := func(k, v []byte) (bool, error) {
		if o.KeysOnly {
			v = nil
		}
		more, err := fn(k, v)
		seen++
		return more && (o.Limit == 0 || seen < o.Limit), err
	}
	for {
		valid := it.Valid() && inside(it.Item().Key())
		if len(keys) == 0 && !valid {
			return nil
		}
		if len(keys) > 0 && (!valid || !before(it.Item().Key(), []byte(keys[0]))) {
			k := keys[0]
			keys = keys[1:]
			if valid && string(it.Item().Key()) == k {
				it.Next()
			}
			if w := over[k]; !w.deleted {
				if more, err := emit([]byte(k), w.value); err != nil || !more {
					return err
				}
			}
			continue
		}
		item := it.Item()
		var v []byte
		if !o.KeysOnly {
			var err error
			if v, err = item.ValueCopy(nil); err != nil {
				return err
			}
		}
		if more, err := emit(item.KeyCopy(nil), v); err != nil || !more {
			return err
		}
		it.Next()
	}
}
