package kv

import (
	"context"
	"errors"
	"runtime"
	"time"
)

// A batch is offered to no more transactions once it has passed one of these.
// It never waits to be filled.
const (
	batchWrites = 4000
	batchBytes  = 1 << 20
	batchTime   = 4 * time.Millisecond // spent in the functions of its transactions

	// lookEvery is how old the measured free space may be that a transaction is
	// judged by. With one client a look before each commit cost 4 % of them; what
	// can be written in a millisecond is far below the hard limit.
	lookEvery = time.Millisecond
)

// batch is what one commit makes durable.
type batch struct {
	base   *reader // the state before it
	writes overlay
	txns   []*txn // accepted, in order
	began  time.Time
}

func (b *batch) full() bool {
	return len(b.writes.byKey) >= batchWrites || b.writes.bytes >= batchBytes || time.Since(b.began) >= batchTime
}

// fits tells whether one commit can hold t beside what has been accepted.
func (b *batch) fits(t *txn) bool {
	entries := len(b.writes.byKey) + len(t.own.byKey)
	return b.writes.bytes+t.own.bytes+entries*entryOverhead <= maxCommitBytes
}

func (b *batch) accept(t *txn) {
	b.txns = append(b.txns, t)
	for _, m := range t.own.byKey {
		if !m.fenced {
			b.writes.put(m)
		}
	}
}

// Update waits for its turn, runs fn on the calling goroutine while all other
// transactions stand still, and leaves the rest to the writer. A panic in fn,
// or a runtime.Goexit, is thereby the caller's own.
func (e *engine) Update(ctx context.Context, fn func(Txn) error) error {
	return e.update(ctx, false, fn)
}

func (e *engine) UpdateReserved(ctx context.Context, fn func(Txn) error) error {
	return e.update(ctx, true, fn)
}

func (e *engine) update(ctx context.Context, reserved bool, fn func(Txn) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case e.turns <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	case <-e.closing:
		return ErrClosed
	case <-e.health.failed:
		return e.health.unknownOutcome()
	}
	t, err := e.take(reserved, fn)
	if err != nil {
		return err
	}
	return <-t.done
}

// take runs fn in the turn that the caller has been given. e.batch is the
// caller's until it reports what is to become of it.
func (e *engine) take(reserved bool, fn func(Txn) error) (*txn, error) {
	var accepted *txn
	defer func() { e.ran <- accepted }()

	if now := time.Now(); now.Sub(e.looked) > lookEvery {
		e.space.Look()
		e.looked = now
	}
	t := &txn{batch: &e.batch.writes, base: e.batch.base, done: make(chan error, 1), noRoom: e.space.Refuses(reserved)}
	if err := fn(t); err != nil && !errors.Is(t.refused, ErrLowDisk) {
		t.refused = err
	}
	if t.refused != nil {
		if len(e.batch.txns) == 0 {
			return nil, t.refused
		}
		// What it has read of this batch is not durable yet, and so neither is
		// the reason of its refusal: it waits with the others, without writes.
		t.own, t.hooks = overlay{}, nil
	}
	accepted = t
	return t, nil
}

// write is the writer goroutine. It gives out turns one by one for as long as
// somebody wants one, then commits what they left.
func (e *engine) write() {
	defer close(e.stopped)
	for {
		e.begin()
		select {
		case <-e.turns:
		case <-e.closing:
			e.batch.base.txn.Discard()
			return
		}
		e.batch.began = time.Now()
		for e.await(); e.another(); {
			e.await()
		}
		e.finish()
	}
}

// begin opens a batch on the latest state.
func (e *engine) begin() {
	e.batch = &batch{base: &reader{txn: e.db.NewTransactionAt(e.Seq(), false)}}
}

// await takes back the turn.
func (e *engine) await() {
	t := <-e.ran
	if t == nil {
		return
	}
	if !e.batch.fits(t) {
		e.finish() // t has read these writes, and goes on reading them below it
		e.begin()
		e.batch.began = time.Now()
	}
	e.batch.accept(t)
}

// another gives the next turn away, if somebody wants it now. Whoever is
// runnable may ask first, for those who were just acknowledged have not run
// yet: without that eight clients get half as much done.
func (e *engine) another() bool {
	if e.batch.full() {
		return false
	}
	select {
	case <-e.turns:
		return true
	default:
		runtime.Gosched()
	}
	select {
	case <-e.turns:
		return true
	default:
		return false
	}
}

// finish commits the batch, runs the hooks in order and tells everybody.
func (e *engine) finish() {
	b := e.batch
	b.base.txn.Discard()
	began := time.Now()
	err := e.commit(&b.writes)
	if err == nil && len(b.writes.byKey) > 0 {
		e.tally.committed(len(b.txns), began)
	}
	for _, t := range b.txns {
		if err != nil {
			t.done <- err
			continue
		}
		for _, f := range t.hooks {
			f()
		}
		t.done <- t.refused
	}
}
