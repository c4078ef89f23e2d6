// Package kv is the engine boundary: an ordered map of bytes with durable,
// serializable transactions. Everything above it (records, indexes, audit,
// verification) is written once and knows no engine; everything below it is
// one engine's business. This is the only folder that imports Badger.
//
// The interface promises no more than both an embedded tree and a table in a
// replicated SQL database can keep, and refuses the same sizes on either.
// The conformance suite in kvtest is the contract in executable form.
package kv

import (
	"context"
	"errors"

	"exante/storage/kv/disk"
)

// Limits that every engine refuses alike, so that a store can move.
const (
	MaxKey       = 512      // bytes of a key
	MaxValue     = 64 << 10 // bytes of a value
	MaxTxnWrites = 1200     // distinct keys written or fenced by one Update: an invoice of 1,000 lines, each new to the catalogue
	MaxTxnBytes  = 2 << 20  // keys and values written by one Update
)

var (
	// ErrNotFound: Get of a key that the snapshot does not hold.
	ErrNotFound = errors.New("key not found")
	// ErrExists: Insert of a key that is already there.
	ErrExists = errors.New("key already exists")
	// ErrTooLarge: a key, value or transaction over the limits above. Nothing was written.
	ErrTooLarge = errors.New("over the size limit")
	// ErrInvalidKey: an empty key. Nothing was written.
	ErrInvalidKey = errors.New("key is empty")
	// ErrClosed: the engine is closed or closing; nothing was written.
	ErrClosed = errors.New("store is closed")
	// ErrUnknownOutcome: the commit failed in a way that says neither written
	// nor unwritten (an fsync error). It is never retried; the engine takes no
	// more writes and the process is expected to stop.
	ErrUnknownOutcome = errors.New("outcome of the commit is unknown")
	// ErrLocked: another process has the directory open.
	ErrLocked = errors.New("store is in use by another process")
	// ErrLowDisk: there is too little room for writes. Nothing was written; see
	// package disk, whose *LowError says how much to free.
	ErrLowDisk = disk.ErrLow
	// ErrDiskFull: opening would take more room than there is. Nothing was touched.
	ErrDiskFull = disk.ErrFull
	// ErrDamaged: files of the engine are missing or cut short.
	ErrDamaged = errors.New("store files are damaged")
)

// DB is one open engine. All methods are safe for concurrent use.
type DB interface {
	// View runs fn on one snapshot: everything committed before the call, and
	// nothing after it. It never waits for a write in flight. It returns fn's
	// error as it is. The Reader dies with fn, and its scans end with ctx.
	View(ctx context.Context, fn func(Reader) error) error

	// Update runs fn in a serializable transaction and returns once its writes
	// are durable. fn's error (or a panic in it) abandons the transaction and
	// comes back as it is; other transactions are not affected. fn may run
	// several times and must touch nothing but the Txn and its own locals: all
	// other writers may be waiting for it, so it must not call Update.
	// A ctx that ends before fn has started abandons the call with ctx's error;
	// later than that the commit goes on and is waited for.
	// While disk space is low the first write of fn fails with ErrLowDisk, and
	// Update with it; an fn that writes nothing is not affected.
	Update(ctx context.Context, fn func(Txn) error) error

	// UpdateReserved is Update for what must not wait for space, such as taking a
	// right away: it may use the reserve that is kept back from others.
	UpdateReserved(ctx context.Context, fn func(Txn) error) error

	// Disk is how much room there is.
	Disk() disk.State

	// Changed is a hint that something was committed: buffered by one, lossy
	// by contract. Whoever listens reads the store to learn what.
	Changed() <-chan struct{}

	// Seq is the sequence number of the last acknowledged commit. It only
	// grows, across restarts too.
	Seq() uint64

	// Views is how many snapshots View has opened since Open, for metrics and
	// for the tests of what must not read.
	Views() uint64

	// Stats are figures for metrics. They cost a walk through the directory.
	Stats() (Stats, error)

	// Failed is closed once the engine has met an error it must not go on from:
	// a commit of unknown outcome, or damage it reports from its own background
	// work. From then on every Update returns ErrUnknownOutcome; reads go on.
	// The process is expected to stop.
	Failed() <-chan struct{}

	// Fail makes the engine fail, with that reason, for whoever finds out above it
	// that its data must not be trusted. The first failure stands.
	Fail(cause error)

	// Health is nil until Failed is closed, and the reason from then on.
	Health() error

	// Close lets the transactions that have been accepted finish, then closes
	// the files. Calls after it return ErrClosed. It gives up, with an error,
	// when that takes longer than ten seconds: what was acknowledged is durable
	// all the same, and the process should exit.
	Close() error
}

// Range is a half-open interval of keys: Start <= key < End. A nil End has no bound.
type Range struct{ Start, End []byte }

// Prefix is the range of all keys that begin with p.
func Prefix(p []byte) Range {
	end := append([]byte(nil), p...)
	for i := len(end) - 1; i >= 0; i-- {
		if end[i]++; end[i] != 0 {
			return Range{Start: p, End: end[:i+1]}
		}
	}
	return Range{Start: p}
}

// ScanOptions narrows a Scan. The zero value is everything, ascending, with values.
type ScanOptions struct {
	Limit    int  // at most so many entries; 0: no limit
	Reverse  bool // descending
	KeysOnly bool // the value passed to fn is nil
}

// Reader reads one snapshot, for one goroutine at a time.
type Reader interface {
	// Get returns a copy of the value, or ErrNotFound.
	Get(key []byte) ([]byte, error)
	// GetMany returns one value a key, nil where there is none, in one round trip.
	GetMany(keys [][]byte) ([][]byte, error)
	// Scan calls fn for the entries of r in key order until fn returns false or
	// an error, which it returns. key and value are valid only during the call.
	// It sees what was there when it began, whatever fn writes meanwhile.
	Scan(r Range, o ScanOptions, fn func(key, value []byte) (more bool, err error)) error
	// Count is the number of entries in r.
	Count(r Range) (int, error)
	// Seq is the sequence number of the last commit that the snapshot holds; in an
	// Update, of the last one before it that was certain.
	Seq() uint64
}

// Txn is a Reader that sees its own writes, and may write. It copies the keys
// and values that it is given. A write over the limits fails at once, and the
// transaction with it, even if fn does not pass the error on.
type Txn interface {
	Reader
	// Insert writes a key that must not exist (ErrExists).
	Insert(key, value []byte) error
	// Put writes a key whether it exists or not.
	Put(key, value []byte) error
	// Delete removes a key; removing an absent one is no error.
	Delete(key []byte) error
	// Fence conflicts with every other Fence, Insert, Put or Delete of key
	// without writing it: it guards a fact such as "nothing in this range".
	Fence(key []byte) error
	// OnCommit registers f to run once the transaction is durable, before
	// Update returns, in commit order across the whole DB; a View that starts
	// then sees the transaction. f must be quick, must not panic and must not
	// call the DB. Abandoned attempts never run it.
	OnCommit(f func())
}
