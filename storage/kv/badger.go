package kv

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/options"
)

// Options of the Badger engine.
type Options struct {
	Dir string
	Log *slog.Logger // nil: discard
}

type engine struct {
	db      *badger.DB
	queue   chan *call
	done    chan struct{}
	changed chan struct{}

	closing sync.RWMutex // held for reading while a call is handed in
	closed  bool
	failed  atomic.Pointer[error]

	mu    sync.Mutex
	acked uint64
	open  map[uint64]int
}

// Open opens the Badger engine in o.Dir, creating it there when the directory
// is empty. ErrLocked if another process has it.
func Open(o Options) (DB, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	db, err := badger.OpenManaged(badgerOptions(o))
	if err != nil {
		if strings.Contains(err.Error(), "Cannot acquire directory lock") {
			return nil, fmt.Errorf("%w: %s", ErrLocked, o.Dir)
		}
		return nil, err
	}
	e := &engine{
		db: db, queue: make(chan *call, 1024), done: make(chan struct{}), changed: make(chan struct{}, 1),
		acked: db.MaxVersion(), open: map[uint64]int{},
	}
	go e.write()
	return e, nil
}

func badgerOptions(o Options) badger.Options {
	return badger.DefaultOptions(o.Dir).
		WithSyncWrites(true).
		WithDetectConflicts(false).
		WithNumVersionsToKeep(1).
		WithMemTableSize(16 << 20).
		WithNumMemtables(2).
		WithNumLevelZeroTables(3).
		WithNumLevelZeroTablesStall(8).
		WithNumCompactors(2).
		WithValueThreshold(1 << 20).
		WithValueLogFileSize(32 << 20).
		WithBlockCacheSize(32 << 20).
		WithIndexCacheSize(16 << 20).
		WithCompression(options.Snappy).
		WithChecksumVerificationMode(options.OnBlockRead).
		WithVerifyValueChecksum(true).
		WithCompactL0OnClose(false).
		WithMetricsEnabled(false).
		WithLogger(nil)
}

func (e *engine) acquire() uint64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.open[e.acked]++
	return e.acked
}

func (e *engine) release(ts uint64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.open[ts]--; e.open[ts] == 0 {
		delete(e.open, ts)
	}
}

func (e *engine) View(ctx context.Context, fn func(Reader) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	e.closing.RLock()
	defer e.closing.RUnlock()
	if e.closed {
		return ErrClosed
	}
	ts := e.acquire()
	defer e.release(ts)
	txn := e.db.NewTransactionAt(ts, false)
	defer txn.Discard()
	return fn(snapshot{txn})
}

func (e *engine) Changed() <-chan struct{} { return e.changed }

func (e *engine) Seq() uint64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.acked
}

func (e *engine) Close() error {
	e.closing.Lock()
	if e.closed {
		e.closing.Unlock()
		return ErrClosed
	}
	e.closed = true
	close(e.queue)
	e.closing.Unlock()
	<-e.done
	return e.db.Close()
}

type snapshot struct{ txn *badger.Txn }

func (s snapshot) Get(key []byte) ([]byte, error) {
	item, err := s.txn.Get(key)
	if errors.Is(err, badger.ErrKeyNotFound) {
		return nil, ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	return item.ValueCopy(nil)
}

func (s snapshot) GetMany(keys [][]byte) ([][]byte, error) { return getMany(s, keys) }

func getMany(r Reader, keys [][]byte) ([][]byte, error) {
	out := make([][]byte, len(keys))
	for i, k := range keys {
		v, err := r.Get(k)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return nil, err
		}
		out[i] = v
	}
	return out, nil
}

func (s snapshot) Count(r Range) (int, error) { return count(s, r) }

func count(s Reader, r Range) (int, error) {
	n := 0
	err := s.Scan(r, ScanOptions{KeysOnly: true}, func(_, _ []byte) (bool, error) { n++; return true, nil })
	return n, err
}

func (s snapshot) Scan(r Range, o ScanOptions, fn func(k, v []byte) (bool, error)) error {
	return merge(s.txn, nil, nil, r, o, fn)
}
