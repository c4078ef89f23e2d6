package kv

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dgraph-io/badger/v4"

	"exante/storage/kv/disk"
)

// closeLimit bounds Close: Badger retries a flush that fails for ever.
const closeLimit = 10 * time.Second

// Options of the Badger engine.
type Options struct {
	Dir     string
	MinFree int64        // free bytes below which writes are refused, at least disk.LeastMinFree; disk.Auto; 0: not watched
	Log     *slog.Logger // nil: discard

	// Judge decides whether the opened database is the one that is meant, before
	// anything else may use or change it. If it returns an error, Open does too.
	// nil: any will do.
	Judge func(seq uint64, r Reader) error

	compacting bool // merge nothing but on demand, and then everything
}

// engine is Badger in managed mode: one writer commits, at timestamps of our
// own, and a reader gets the last one that was acknowledged. In normal mode a
// read waits for the commits in flight. Beside 64 writers the 99th percentile
// of a point read was 7 to 25 µs, at most 2.7 times that of the idle store; with
// the same batches committed in normal mode it reached 740 µs, 30 times idle
// (BenchmarkReadBesideWriters).
type engine struct {
	db        *badger.DB
	health    *health
	space     *disk.Watch
	options   Options
	snapshots snapshots
	changed   chan struct{}
	views     atomic.Uint64
	tally     tally

	// A send on turns that the writer receives is a turn to use batch; ran
	// gives it back, with the transaction to commit or nil.
	turns  chan struct{}
	ran    chan *txn
	batch  *batch
	looked time.Time // at the free space; whoever has the turn uses it

	judged bool // it was opened to be looked at, and is closed again

	closing   chan struct{} // closed: no more turns
	stopped   chan struct{} // closed: the writer has returned
	closeOnce sync.Once
}

// Open opens the Badger engine in o.Dir, and creates it where the directory is
// absent (then with mode 0700) or empty. When it refuses a database, the engine's
// files are what they were. Errors: ErrLocked if another process has it open, ErrDamaged
// if files are missing or broken, ErrDiskFull, what o.Judge says, an explanation if
// others may enter the directory or its file system cannot be trusted with a database.
func Open(o Options) (DB, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if err := prepareDir(o.Dir, o.Log); err != nil {
		return nil, fmt.Errorf("data directory %s: %w", o.Dir, err)
	}
	before, err := examine(o)
	if err != nil {
		return nil, err
	}
	switch err := judge(o); {
	case err == nil:
	case errors.Is(err, ErrLocked):
		return nil, errors.Join(err, before.accept(), before.drop()) // nothing of it was opened
	case errors.Is(err, errStillOpen):
		return nil, errors.Join(err, before.lock.Close()) // the next one to open it puts the files back
	default:
		return nil, errors.Join(err, before.putBack())
	}
	// From here on Badger may merge tables, and empties those that it replaces, under
	// every name that they have. So nothing is put back any more.
	if err := before.accept(); err != nil {
		return nil, errors.Join(err, before.lock.Close())
	}
	e, err := openAccepted(o)
	if err = errors.Join(err, before.drop()); err != nil {
		if e != nil {
			err = errors.Join(err, e.Close())
		}
		return nil, err
	}
	return e, nil
}

// judge opens the engine, has what is in it judged, and closes it again. It does
// so without compaction, which would empty tables that are set aside.
func judge(o Options) error {
	e, err := startEngine(o, withoutCompaction(badgerOptions(o.Dir, nil)))
	if err != nil {
		return err
	}
	e.judged = true
	if o.Judge != nil {
		err = e.View(context.Background(), func(r Reader) error { return o.Judge(e.Seq(), r) })
	}
	return e.leave(err)
}

// openAccepted opens the engine for good.
func openAccepted(o Options) (*engine, error) {
	settings := badgerOptions(o.Dir, nil)
	if o.compacting {
		settings = onDemand(settings)
	}
	e, err := startEngine(o, settings)
	if err != nil || e.Health() == nil {
		return e, err
	}
	return nil, e.leave(nil)
}

// leave closes an engine that was only looked at. It opens without a table that it
// can't read, and only logs that: so its health counts too.
func (e *engine) leave(err error) error {
	if bad := e.Health(); err == nil && bad != nil {
		err = fmt.Errorf("%w: %w", ErrDamaged, bad)
	}
	if closing := e.Close(); closing != nil {
		return errors.Join(err, fmt.Errorf("%w: %w", errStillOpen, closing))
	}
	return err
}

var errStillOpen = errors.New("the files are still in use")

// lockPatience is how long to wait for the directory's lock, which another
// process takes for a moment only to learn that this one is here.
const lockPatience = time.Second

func startEngine(o Options, settings badger.Options) (*engine, error) {
	h := &health{failed: make(chan struct{})}
	var db *badger.DB
	for begin := time.Now(); ; time.Sleep(time.Millisecond) {
		var err error
		db, err = badger.OpenManaged(settings.WithLogger(badgerLog{o.Log, h}))
		err = explainOpen(err, o.Dir)
		if errors.Is(err, ErrLocked) && time.Since(begin) < lockPatience {
			continue
		}
		if err != nil {
			return nil, err
		}
		break
	}
	e := &engine{
		db:      db,
		health:  h,
		options: o,
		changed: make(chan struct{}, 1),
		turns:   make(chan struct{}),
		ran:     make(chan *txn),
		closing: make(chan struct{}),
		stopped: make(chan struct{}),
	}
	db.SetDiscardTs(e.snapshots.publish(db.MaxVersion()))
	e.space = disk.Start(disk.Options{Dir: o.Dir, MinFree: o.MinFree, Log: o.Log, Owed: e.owed})
	go e.write()
	return e, nil
}

// explainOpen names Badger's refusals to open. Most bear no other mark than
// their words, since Badger does not wrap errors. Other damage was found before.
func explainOpen(err error, dir string) error {
	switch {
	case err == nil:
		return nil
	case strings.Contains(err.Error(), "Cannot acquire directory lock"):
		return fmt.Errorf("%w: %s", ErrLocked, dir)
	case strings.Contains(err.Error(), badger.ErrEncryptionKeyMismatch.Error()): // nothing of ours is encrypted
		return fmt.Errorf("%w: %s: the KEYREGISTRY was changed", ErrDamaged, dir)
	}
	return fmt.Errorf("open %s: %w", dir, err)
}

func (e *engine) View(ctx context.Context, fn func(Reader) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	snap := e.snapshots.acquire()
	if snap == nil {
		return ErrClosed
	}
	defer e.snapshots.release(snap)
	e.views.Add(1)
	txn := e.db.NewTransactionAt(snap.ts, false)
	defer txn.Discard()
	return fn(&reader{txn: txn, ctx: ctx})
}

func (e *engine) Views() uint64            { return e.views.Load() }
func (e *engine) Changed() <-chan struct{} { return e.changed }
func (e *engine) Failed() <-chan struct{}  { return e.health.failed }
func (e *engine) Fail(cause error)         { e.health.fail(cause) }
func (e *engine) Health() error            { return e.health.err() }
func (e *engine) Seq() uint64              { return e.snapshots.seq.Load() }
func (e *engine) Disk() disk.State         { return e.space.State() }

func (e *engine) Close() error {
	err := ErrClosed
	e.closeOnce.Do(func() { err = e.close() })
	return err
}

// close lets the writer finish, then the readers, since closing Badger takes
// the memory away that they read, and then closes Badger.
func (e *engine) close() error {
	close(e.closing)
	closed := make(chan error, 1)
	go func() {
		<-e.stopped
		e.snapshots.retire()
		e.snapshots.alive.Wait()
		e.space.Stop()
		closed <- e.closeFiles()
	}()
	limit := time.NewTimer(closeLimit)
	defer limit.Stop()
	select {
	case err := <-closed:
		if err != nil {
			return fmt.Errorf("close: %w", err)
		}
		return nil
	case <-limit.C:
		return fmt.Errorf("close: not finished after %v", closeLimit)
	}
}
