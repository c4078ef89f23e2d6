package storage

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"exante/storage/kv"
)

// freshDir is where a restore works, below the directory that it is for: on the same
// file system, so that what it made can be moved up.
const freshDir = "exante.restoring"

func isFresh(e fs.DirEntry) bool { return e.Name() == freshDir && e.IsDir() }

// claimed is a directory on its way to a store.
type claimed struct {
	dir    string
	fresh  string       // what the store is made in
	unlock func() error // nil: a dry run, which has its directory to itself
	made   bool         // dir was absent
	moved  []string     // names that are in dir already
	whole  bool         // dir is a store
}

// claim takes a directory, absent or empty, for a restore: nobody opens it
// meanwhile. A dry run gets a directory of its own beside it.
func claim(dir string, dry bool) (*claimed, error) {
	if dry {
		return scratch(dir)
	}
	c := &claimed{dir: dir, fresh: filepath.Join(dir, freshDir)}
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		if err := kv.MakeDir(dir); err != nil {
			return nil, fmt.Errorf("restore: %w", err)
		}
		c.made = true
	}
	unlock, err := kv.Lock(dir)
	if err != nil {
		return nil, fmt.Errorf("restore into %s: %w", dir, err)
	}
	c.unlock = unlock
	if err := c.clear(); err != nil {
		return nil, errors.Join(err, c.release())
	}
	return c, nil
}

// clear makes sure that nothing is in the directory, and makes the fresh one. What
// a restore left that was killed while it loaded is removed: nobody has seen it.
func (c *claimed) clear() error {
	entries, err := os.ReadDir(c.dir)
	if err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	if slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return e.Name() == nameFile }) {
		c.fresh = "" // not ours
		return fmt.Errorf("%w: %s has a store", ErrOccupied, c.dir)
	}
	begun := slices.ContainsFunc(entries, isFresh)
	for _, e := range entries {
		switch {
		case isFresh(e), e.Name() == "lost+found":
		case begun:
			c.fresh = ""
			return fmt.Errorf("%w: %s has what an interrupted restore left: remove all that is in it", ErrOccupied, c.dir)
		default:
			c.fresh = ""
			return fmt.Errorf("%w: %s has files, such as %s", ErrOccupied, c.dir, e.Name())
		}
	}
	if err := os.RemoveAll(c.fresh); err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	if err := os.Mkdir(c.fresh, 0o700); err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	return nil
}

// scratch is a directory beside dir, or where temporary files go if there can be none.
func scratch(dir string) (*claimed, error) {
	const pattern = "exante-dry-run-*"
	fresh, err := os.MkdirTemp(filepath.Dir(filepath.Clean(dir)), pattern)
	if err != nil {
		fresh, err = os.MkdirTemp("", pattern)
	}
	if err != nil {
		return nil, fmt.Errorf("restore: %w", err)
	}
	return &claimed{dir: dir, fresh: fresh}, nil
}

// finish moves the store up. Its name is last: without it nothing opens the rest,
// and with it the rest is there, after a power cut too.
func (c *claimed) finish() error {
	entries, err := os.ReadDir(c.fresh)
	if err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	if err := syncDir(c.fresh); err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	for _, name := range nameLast(entries) {
		if name == nameFile {
			if err := syncDir(c.dir); err != nil {
				return fmt.Errorf("restore: %w", err)
			}
		}
		if err := os.Rename(filepath.Join(c.fresh, name), filepath.Join(c.dir, name)); err != nil {
			return fmt.Errorf("restore: %w", err)
		}
		c.moved = append(c.moved, name)
		c.whole = name == nameFile
	}
	if err := errors.Join(os.Remove(c.fresh), syncDir(c.dir)); err != nil {
		return fmt.Errorf("restored, but it may not survive a power cut yet: %w", err)
	}
	return nil
}

func nameLast(entries []fs.DirEntry) []string {
	var names []string
	for _, e := range entries {
		if e.Name() != nameFile {
			names = append(names, e.Name())
		}
	}
	return append(names, nameFile)
}

// release gives the directory back: as it was, unless it is a store now.
func (c *claimed) release() (err error) {
	if !c.whole && c.fresh != "" {
		err = os.RemoveAll(c.fresh)
		for _, name := range c.moved {
			err = errors.Join(err, os.RemoveAll(filepath.Join(c.dir, name)))
		}
		if c.made {
			err = errors.Join(err, os.Remove(c.dir))
		}
	}
	if c.unlock != nil {
		err = errors.Join(err, c.unlock())
	}
	return err
}
