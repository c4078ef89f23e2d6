package kv

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
)

// prepareDir makes sure that dir exists, is nobody else's business, lies on a
// file system that keeps what it is given, and has the files it should have.
func prepareDir(dir string, log *slog.Logger) error {
	if dir == "" {
		return errors.New("no path given")
	}
	info, err := os.Stat(dir)
	if errors.Is(err, fs.ErrNotExist) {
		if err := MakeDir(dir); err != nil {
			return err
		}
		info, err = os.Stat(dir)
	}
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return errors.New("not a directory")
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return fmt.Errorf("others may enter it (mode %04o): set it to 0700", mode)
	}
	return checkFileSystem(dir, log)
}

// examine checks the files of dir as far as that goes without opening them, and
// sets them aside where there is room for that and for opening. It has the
// directory's lock meanwhile. Errors: ErrLocked, ErrDamaged, ErrDiskFull.
func examine(o Options) (*aside, error) {
	dir := o.Dir
	lock, err := lockDir(dir)
	if errors.Is(err, ErrLocked) {
		return nil, fmt.Errorf("%w: %s", ErrLocked, dir)
	}
	if err != nil {
		return nil, err
	}
	defer lock.Close()
	if err := takeUp(dir); err != nil {
		return nil, err
	}
	if err := checkFiles(dir); err != nil {
		return nil, fmt.Errorf("data directory %s: %w", dir, err)
	}
	if err := checkTables(dir); err != nil {
		return nil, err
	}
	if err := makeRoom(o); err != nil {
		return nil, err
	}
	a, err := setAside(dir)
	if err != nil {
		return nil, err
	}
	if err := removeEmptyLogs(dir); err != nil {
		return nil, errors.Join(err, a.putBack())
	}
	return a, nil
}

// MakeDir creates dir, and what is missing above it, with mode 0700, so that it
// is still there after a power cut.
func MakeDir(dir string) error {
	dir = filepath.Clean(dir)
	parent := filepath.Dir(dir)
	if _, err := os.Stat(parent); errors.Is(err, fs.ErrNotExist) {
		if err := MakeDir(parent); err != nil {
			return err
		}
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	return syncDir(parent)
}

// emptyManifest is the size of a MANIFEST that names no table.
const emptyManifest = 16

// checkFiles refuses what Badger would turn into an empty database, deleting
// every table on the way: tables without a MANIFEST, or beside one that names
// none while no log is left that they could have been flushed from.
func checkFiles(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	files := map[string]int{} // by extension
	for _, e := range entries {
		if info, err := e.Info(); err == nil && info.Size() > 0 { // an empty log was never one
			files[filepath.Ext(e.Name())]++
		}
	}
	tables, logs := files[".sst"], files[".mem"]
	manifest, err := os.Stat(filepath.Join(dir, "MANIFEST"))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if tables+logs > 0 {
			return fmt.Errorf("%w: data files without a MANIFEST", ErrDamaged)
		}
	case err != nil:
		return err
	case tables+logs > 0 && !exists(dir, "KEYREGISTRY"):
		return fmt.Errorf("%w: a MANIFEST without a KEYREGISTRY", ErrDamaged)
	case manifest.Size() <= emptyManifest && tables > 0 && logs == 0:
		return fmt.Errorf("%w: the MANIFEST names no table, but there are %d", ErrDamaged, tables)
	}
	return nil
}

func exists(dir, name string) bool {
	_, err := os.Stat(filepath.Join(dir, name))
	return err == nil
}
