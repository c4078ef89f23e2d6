package admin

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// checkAbsent refuses a path at which there is something, with errFileExists.
func checkAbsent(path string) error {
	switch _, err := os.Lstat(path); {
	case err == nil:
		return fmt.Errorf("%w: %s", errFileExists, path)
	case errors.Is(err, fs.ErrNotExist):
		return nil
	default:
		return err
	}
}

// checkReplaceable refuses a path at which there is something other than a file: a
// device that is replaced by a file is lost to everybody.
func checkReplaceable(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil && !info.Mode().IsRegular() {
		return fmt.Errorf("%w: %s", errNoFile, path)
	}
	return err
}

// writeWhole puts what write writes into the file at path, mode 0600, once it is all
// and on the disk. What was there is replaced, or kept: then it is errFileExists.
func writeWhole(path string, replace bool, write func(io.Writer) error) error {
	if err := checkReplaceable(path); err != nil {
		return err
	}
	dir := filepath.Dir(path)
	file, err := os.CreateTemp(dir, "."+filepath.Base(path)+".*.part") // mode 0600
	if err != nil {
		var at *fs.PathError
		if errors.As(err, &at) {
			at.Path = path // the operator has not named the other one
		}
		return err
	}
	err = errors.Join(write(file), file.Sync(), file.Close())
	if err == nil {
		err = rename(file.Name(), path, replace)
	}
	if err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	return syncDir(dir)
}

// rename is os.Rename, unless it must replace nothing: two backups at once may have
// been given the same name.
func rename(from, to string, replace bool) error {
	if replace {
		return os.Rename(from, to)
	}
	err := unix.Renameat2(unix.AT_FDCWD, from, unix.AT_FDCWD, to, unix.RENAME_NOREPLACE)
	switch {
	case errors.Is(err, unix.EEXIST):
		return fmt.Errorf("%w: %s", errFileExists, to)
	case errors.Is(err, unix.EINVAL), errors.Is(err, unix.ENOSYS): // a file system that can't
		if err := checkAbsent(to); err != nil {
			return err
		}
		return os.Rename(from, to)
	case err != nil:
		return &os.LinkError{Op: "rename", Old: from, New: to, Err: err}
	}
	return nil
}

// syncDir makes the names in a directory durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
