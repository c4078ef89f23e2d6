package storage

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"exante/auth/uid"
	"exante/storage/kv"
)

// A request may carry a name of its own (the API's Idempotency-Key), so that who
// heard no answer can ask again and have one effect. The first one's answer is
// kept in the transaction of its write: after a crash either both are there or
// neither is. Only what was carried out is kept; a refusal may be tried again.

// onceFor is how long an answer is kept.
const onceFor = 24 * time.Hour

// What such a request is told, beside *ReplayError.
var (
	ErrReused     = errors.New("idempotency key was used with another body")
	ErrInProgress = errors.New("a request with that idempotency key is still running")
)

// OnceID names a request: a hash of who sent it, what it asks for, and the key
// that it carries.
type OnceID [32]byte

// Answer is what was answered to a request that was carried out.
type Answer struct {
	Status  int
	Body    []byte
	Version uint64 // of the record that it shows, for the ETag; 0: none
}

// ReplayError is what a writing method returns for a request that was carried out
// before. Nothing was done, and Answer is what it is to be answered with.
type ReplayError struct{ Answer }

func (r *ReplayError) Error() string { return fmt.Sprintf("answered before, with %d", r.Status) }

// Once is the last argument of the methods that make something; without it, or
// with nil, a call is just carried out. With it a second call of the same ID
// returns *ReplayError, or ErrReused if its Fingerprint is another.
//
// Render makes the answer that is kept of the method's result, in the transaction:
// it must be quick, may run several times, and must not call the store. Nothing in
// it may be secret, for it goes to the disk as it is.
type Once[T any] struct {
	ID          OnceID
	Fingerprint [32]byte // of the body
	Render      func(T) Answer

	kept Answer
}

// Kept is the answer that was kept, once the method has returned without an error.
func (o *Once[T]) Kept() Answer { return o.kept }

// only is the optional last argument of a method.
func only[T any](once []*Once[T]) *Once[T] {
	if len(once) == 0 {
		return nil
	}
	return once[0]
}

// around makes of fn, which leaves what it made in made, a function of a
// transaction that does it once. A nil o is no bother.
func (o *Once[T]) around(made *T, fn func(*tx) error) func(*tx) error {
	if o == nil {
		return fn
	}
	return func(t *tx) error {
		if err := o.answered(t, t.by.OrgID, t.now); err != nil {
			return err
		}
		if err := fn(t); err != nil {
			return err
		}
		o.kept = o.Render(*made)
		return t.keepAnswer(o.ID, o.Fingerprint, o.kept)
	}
}

// answered is *ReplayError or ErrReused for what was answered before; nil for a nil o.
func (o *Once[T]) answered(r kv.Reader, org uid.ID, now time.Time) error {
	if o == nil {
		return nil
	}
	return findAnswer(r, org, o.ID, o.Fingerprint, now)
}

// Answered says, before anything else is asked of a request, what its method will
// say of it in the transaction: *ReplayError, ErrReused, or nil where it is new.
func (s *Store) Answered(ctx context.Context, org uid.ID, id OnceID, fingerprint [32]byte) error {
	return s.db.View(ctx, func(r kv.Reader) error { return findAnswer(r, org, id, fingerprint, s.now()) })
}

// Reserve keeps others of that ID out until release is called: they get
// ErrInProgress. A crash forgets it, and the disk says what came of the request.
func (s *Store) Reserve(org uid.ID, id OnceID) (release func(), err error) {
	return s.once.reserve(onceKey{org, id})
}

// desk is what memory knows of answers.
type desk struct {
	mu      sync.Mutex
	running map[onceKey]struct{}
	due     map[uid.ID]stamp // no answer of that organization ends before; absent: not known
}

type onceKey struct {
	org uid.ID
	id  OnceID
}

func newDesk() *desk {
	return &desk{running: map[onceKey]struct{}{}, due: map[uid.ID]stamp{}}
}

func (d *desk) reserve(k onceKey) (release func(), err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, taken := d.running[k]; taken {
		return nil, ErrInProgress
	}
	d.running[k] = struct{}{}
	return func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		delete(d.running, k)
	}, nil
}

func (d *desk) dueOf(org uid.ID) stamp {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.due[org]
}

// swept notes that the first answer which is left ends at next.
func (d *desk) swept(org uid.ID, next stamp) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.due[org] = next
}

// added notes an answer that ends at end: before others, if the clock was set back.
func (d *desk) added(org uid.ID, end stamp) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if due, known := d.due[org]; known && end < due {
		d.due[org] = end
	}
}
