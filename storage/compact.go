package storage

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"exante/storage/kv"
	"exante/storage/kv/disk"
)

// CompactReport says what a store occupied before and after, in bytes of blocks:
// the lengths of its files say nothing, since they are sparse. The ballast is not in it.
type CompactReport struct{ Before, After int64 }

// Compact gives back the space of what was replaced or deleted in the store that o
// names, which nobody has open. progress, in bytes, may be nil. It can be killed at
// any time; what it is asked to stop by ctx is not begun. Errors: those of Open, and
// ErrLowDisk if it could fill the disk.
func Compact(ctx context.Context, o Options, progress func(done, total int)) (r CompactReport, err error) {
	o.Create = false
	before, err := occupied(o.Dir)
	if err := sweepOnce(ctx, o); err != nil { // which knows better what is wrong with the directory
		return r, err
	}
	if err != nil {
		return r, err
	}
	r.Before = before
	engine := kv.Options{Dir: o.Dir, MinFree: o.MinFree, Log: o.Log}
	err = kv.Compact(engine, func(done, total int64) {
		if progress != nil {
			progress(int(done), int(total))
		}
	})
	if errors.Is(err, kv.ErrDamaged) {
		err = fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	if err != nil {
		return r, err
	}
	r.After, err = occupied(o.Dir)
	return r, err
}

// sweepOnce opens the store, so that one that must not be used is not compacted, and
// deletes what is loose.
func sweepOnce(ctx context.Context, o Options) error {
	s, err := Open(o)
	if err != nil {
		return err
	}
	if err = s.sweep(ctx); errors.Is(err, ErrLowDisk) {
		err = nil // the engine says whether it can go on without
	}
	return errors.Join(err, s.Close())
}

// occupied is what the files of a store occupy.
func occupied(dir string) (bytes int64, err error) {
	err = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.Name() == disk.BallastFile {
			return err
		}
		info, err := os.Lstat(path)
		if err != nil {
			return err
		}
		if st, known := info.Sys().(*syscall.Stat_t); known {
			bytes += st.Blocks * 512
		}
		return nil
	})
	return bytes, err
}
