package kv

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// Badger changes files as it opens them: it cuts a log at the first entry that
// it can't read, and deletes tables that no MANIFEST names. What shows that
// something was lost would be lost with it. So its files are set aside before,
// tables as hard links and the rest as copies, and put back if the opened
// database is refused.
//
// The directories below say how far that came when a process ends in between.
// Whoever works on one holds a lock on it, which goes with it from name to name: it
// keeps others out where Badger's own lock is given back between two openings.
const (
	asideDraft = "set-aside.new" // not complete: the files beside it are untouched
	asideDir   = "set-aside"     // complete, and nobody has accepted the database: put it back
	asideDone  = "set-aside.old" // of no use any more

	returning = ".returning" // a file on its way back
)

// aside is what was set aside of a directory.
type aside struct {
	dir  string
	lock *os.File // held until drop or putBack
}

// engineFile reports a file that Badger makes, changes or deletes.
func engineFile(name string) bool {
	switch filepath.Ext(name) {
	case ".sst", ".mem", ".vlog":
		return true
	}
	return slices.Contains([]string{"MANIFEST", "MANIFEST-REWRITE", "KEYREGISTRY", "REWRITE-KEYREGISTRY", "DISCARD", "LOCK"}, name)
}

// engineFiles lists those of a directory.
func engineFiles(dir string) (names []string, err error) {
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		if e.Type().IsRegular() && engineFile(e.Name()) {
			names = append(names, e.Name())
		}
	}
	return names, err
}

// setAside sets the files of dir aside. The caller has the lock of dir.
func setAside(dir string) (*aside, error) {
	draft := filepath.Join(dir, asideDraft)
	if err := os.Mkdir(draft, 0o700); err != nil {
		return nil, err
	}
	lock, err := lockDir(draft)
	if err != nil {
		return nil, err
	}
	a := &aside{dir, lock}
	names, err := engineFiles(dir)
	for _, name := range names {
		if err == nil {
			err = keep(filepath.Join(dir, name), filepath.Join(draft, name))
		}
	}
	if err == nil {
		err = errors.Join(lock.Sync(), os.Rename(draft, filepath.Join(dir, asideDir)), syncDir(dir))
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("set the files aside: %w", err), os.RemoveAll(draft), lock.Close())
	}
	return a, nil
}

// keep makes to what from is now. A table never changes, so a second name will do.
func keep(from, to string) error {
	if filepath.Ext(from) == ".sst" {
		return os.Link(from, to)
	}
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer source.Close()
	info, err := source.Stat()
	if err != nil {
		return err
	}
	target, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, info.Mode().Perm())
	if err != nil {
		return err
	}
	err = copySparse(target, source, info.Size())
	return errors.Join(err, target.Sync(), target.Close(), os.Chtimes(to, info.ModTime(), info.ModTime()))
}

// copySparse copies the data of a file and leaves its holes out: a log is a few
// KiB in 32 MiB.
func copySparse(to, from *os.File, size int64) error {
	if err := to.Truncate(size); err != nil {
		return err
	}
	for at := int64(0); at < size; {
		begin, err := unix.Seek(int(from.Fd()), at, unix.SEEK_DATA)
		if errors.Is(err, syscall.ENXIO) {
			return nil // only a hole is left
		}
		if err != nil {
			return err
		}
		end, err := unix.Seek(int(from.Fd()), begin, unix.SEEK_HOLE)
		if err != nil {
			return err
		}
		if _, err := io.Copy(io.NewOffsetWriter(to, begin), io.NewSectionReader(from, begin, end-begin)); err != nil {
			return err
		}
		at = end
	}
	return nil
}

// accept is for a database that was accepted: nothing is put back from then on. It
// must have returned before anything is merged or acknowledged.
func (a *aside) accept() error {
	return errors.Join(os.Rename(filepath.Join(a.dir, asideDir), filepath.Join(a.dir, asideDone)), syncDir(a.dir))
}

// drop removes what is of no use any more, and lets others in.
func (a *aside) drop() error {
	defer a.lock.Close()
	return os.RemoveAll(filepath.Join(a.dir, asideDone))
}

// putBack makes the files what they were. Nothing may have them open.
func (a *aside) putBack() error {
	if err := a.restore(); err != nil {
		return errors.Join(err, a.lock.Close())
	}
	return errors.Join(a.accept(), a.drop())
}

func (a *aside) restore() error {
	from := filepath.Join(a.dir, asideDir)
	kept, err := engineFiles(from)
	if err != nil {
		return err
	}
	present, err := engineFiles(a.dir)
	if err != nil {
		return err
	}
	for _, name := range present {
		if !slices.Contains(kept, name) {
			err = errors.Join(err, os.Remove(filepath.Join(a.dir, name)))
		}
	}
	for _, name := range kept {
		err = errors.Join(err, giveBack(filepath.Join(from, name), filepath.Join(a.dir, name)))
	}
	if err != nil {
		return fmt.Errorf("put the files back from %s: %w", from, err)
	}
	return syncDir(a.dir)
}

// giveBack replaces a file by the one that was set aside, which stays where it
// is until all are back.
func giveBack(from, to string) error {
	source, err := os.Stat(from)
	if err != nil {
		return err
	}
	if target, err := os.Stat(to); err == nil && os.SameFile(source, target) {
		return nil
	}
	if err := os.Remove(to + returning); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return errors.Join(os.Link(from, to+returning), os.Rename(to+returning, to))
}

// takeUp deals with what a process left that ended while a database was being
// opened. ErrLocked if one is at it still. The caller has the lock of dir.
func takeUp(dir string) error {
	for _, name := range []string{asideDraft, asideDone, asideDir} {
		lock, err := lockDir(filepath.Join(dir, name))
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return err
		case name == asideDir:
			if err := (&aside{dir, lock}).putBack(); err != nil {
				return err
			}
		default:
			if err := errors.Join(os.RemoveAll(filepath.Join(dir, name)), lock.Close()); err != nil {
				return err
			}
		}
	}
	return removeReturning(dir)
}

func removeReturning(dir string) error {
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		if name, was := strings.CutSuffix(e.Name(), returning); was && engineFile(name) {
			err = errors.Join(err, os.Remove(filepath.Join(dir, e.Name())))
		}
	}
	return err
}

// lockDir opens a directory and locks it until it is closed; ErrLocked.
func lockDir(dir string) (*os.File, error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		err = errors.Join(err, f.Close())
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, fmt.Errorf("%w: %s", ErrLocked, filepath.Dir(dir))
		}
		return nil, fmt.Errorf("lock %s: %w", dir, err)
	}
	return f, nil
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
