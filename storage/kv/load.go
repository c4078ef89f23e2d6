package kv

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/pb"
	"github.com/dgraph-io/ristretto/v2/z"
)

// A Load writes tables of this size, from pieces of that. As many tables as
// Badger writes at once, 16, may be in memory if the disk is slow.
const (
	loadTable = 4 << 20
	loadPiece = 256 << 10
)

// Load makes a store in dir, which must be absent or empty, of the entries that
// next returns, in key order, until io.EOF. It is on the disk when Load returns,
// and Seq of the store begins at seq, which must not be zero. Nothing may have dir
// open. After an error the directory holds nothing of use, and is to be removed.
//
// The entries go straight into the tables of the lowest level: no log, and nothing
// to compact later. BenchmarkLoad measures it against full transactions.
func Load(dir string, seq uint64, log *slog.Logger, next func() (key, value []byte, err error)) error {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	if err := prepareDir(dir, log); err != nil {
		return fmt.Errorf("data directory %s: %w", dir, err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 || seq == 0 {
		return errors.Join(err, fmt.Errorf("load into %s at sequence %d: %d files are in the way", dir, seq, len(entries)))
	}
	if err := load(dir, seq, log, next); err != nil {
		return fmt.Errorf("load into %s: %w", dir, err)
	}
	return syncFiles(dir)
}

func load(dir string, seq uint64, log *slog.Logger, next func() (key, value []byte, err error)) (err error) {
	o := loadOptions(dir)
	h := &health{failed: make(chan struct{})}
	db, err := badger.OpenManaged(o.WithLogger(badgerLog{log, h}))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close(), h.err()) }()
	w := db.NewStreamWriter()
	if err := w.Prepare(); err != nil {
		w.Cancel()
		return err
	}
	l := loader{to: w, seq: seq, buf: z.NewBuffer(2*loadPiece, "load")}
	defer func() { err = errors.Join(err, l.buf.Release()) }()
	if err := l.run(next); err != nil {
		w.Cancel() // else its goroutines would wait for more, for ever
		return err
	}
	return w.Flush()
}

// loadOptions are those of an open store, with one size for all tables.
func loadOptions(dir string) badger.Options {
	o := badgerOptions(dir, nil).WithBaseTableSize(loadTable)
	o.TableSizeMultiplier = 1
	return o
}

// loader packs entries as a StreamWriter reads them.
type loader struct {
	to   *badger.StreamWriter
	seq  uint64
	buf  *z.Buffer
	last []byte // key of the last entry
}

func (l *loader) run(next func() (key, value []byte, err error)) error {
	for {
		key, value, err := next()
		if errors.Is(err, io.EOF) {
			return l.to.Write(l.buf)
		}
		if err == nil {
			err = l.add(key, value)
		}
		if err != nil {
			return err
		}
	}
}

// add checks what Badger would panic about, and what no store could have written.
func (l *loader) add(key, value []byte) error {
	if err := checkSizes(&mutation{key: key, value: value}); err != nil {
		return err
	}
	if bytes.Compare(key, l.last) <= 0 {
		return errors.New("keys are not in order")
	}
	l.last = append(l.last[:0], key...)
	badger.KVToBuffer(&pb.KV{Key: inDataSpace(nil, key), Value: value, Version: l.seq, StreamId: 1}, l.buf)
	if l.buf.LenNoPadding() < loadPiece {
		return nil
	}
	defer l.buf.Reset()
	return l.to.Write(l.buf)
}

// syncFiles makes all of a closed store durable: Badger syncs its tables, but not
// every file beside them.
func syncFiles(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := syncPath(filepath.Join(dir, e.Name())); err != nil {
			return err
		}
	}
	return syncPath(dir)
}

func syncPath(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// Lock keeps every process, this one too, from opening a store in dir until unlock
// is called or the process ends. ErrLocked if one has.
func Lock(dir string) (unlock func() error, err error) {
	lock, err := lockDir(dir)
	if errors.Is(err, ErrLocked) {
		return nil, fmt.Errorf("%w: %s", ErrLocked, dir)
	}
	if err != nil {
		return nil, err
	}
	return lock.Close, nil
}
