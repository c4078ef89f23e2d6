package admin

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// Harden is the first thing a process of exante does: what it creates is for
// its user alone, and no core dump or debugger of that user shows a key.
func Harden() error {
	unix.Umask(0o077)
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}); err != nil {
		return fmt.Errorf("forbid core dumps: %w", err)
	}
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return fmt.Errorf("forbid dumps of the process: %w", err)
	}
	return nil
}

// enterDirectory makes the data directory safe to open. It comes before any
// file in it is touched: run by root on somebody's directory the process
// becomes that user for good, since files of root in it would keep his
// server from starting. A directory that others can enter is refused, unless
// it is still empty: then it is closed to them.
//
// copyFile is the audit copy, "" for none. It usually lies beside the directory,
// where its owner may not make files: root makes it for him.
func enterDirectory(dir, copyFile string) error {
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return enterParent(dir, copyFile)
	case err != nil:
		return err
	case !info.IsDir():
		return fmt.Errorf("%w: %s is not a directory", errDirectory, dir)
	}
	if err := becomeOwner(dir, info, copyFile); err != nil {
		return err
	}
	if info.Mode().Perm()&0o077 == 0 {
		return nil
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	if len(entries) > 0 {
		return fmt.Errorf("%w: other users can enter %s (mode %#o): close it with: chmod 700 %s", errDirectory, dir, info.Mode().Perm(), dir)
	}
	return os.Chmod(dir, 0o700)
}

// enterParent is for a data directory that is yet to be made, which whoever makes the
// store does with mode 0700: it belongs to the owner of the directory that it is made
// in.
func enterParent(dir, copyFile string) error {
	parent := filepath.Dir(filepath.Clean(dir))
	info, err := os.Stat(parent)
	if errors.Is(err, fs.ErrNotExist) && parent != filepath.Dir(parent) {
		return enterParent(parent, copyFile)
	}
	if err != nil {
		return err
	}
	if filepath.Dir(filepath.Clean(copyFile)) == parent {
		copyFile = "" // which he can make himself, once there is something to copy
	}
	return becomeOwner(parent, info, copyFile)
}

// becomeOwner makes root the owner of dir, for good. Others stay who they are.
func becomeOwner(dir string, info fs.FileInfo, copyFile string) error {
	owner := info.Sys().(*syscall.Stat_t)
	if os.Geteuid() != 0 || owner.Uid == 0 {
		return nil
	}
	if err := makeFor(int(owner.Uid), int(owner.Gid), copyFile); err != nil {
		return fmt.Errorf("make the audit copy for the owner of %s: %w", dir, err)
	}
	if err := become(int(owner.Uid), int(owner.Gid)); err != nil {
		return fmt.Errorf("%w: %s belongs to uid %d: become that user: %v", errDirectory, dir, owner.Uid, err)
	}
	return nil
}

// makeFor makes an empty file that belongs to uid, unless it is there already. No link
// is followed on the way: it may be his, and lead to where he may make nothing.
func makeFor(uid, gid int, path string) error {
	if path == "" {
		return nil
	}
	dir, err := unix.Openat2(unix.AT_FDCWD, filepath.Dir(path), &unix.OpenHow{
		Flags: unix.O_PATH | unix.O_DIRECTORY | unix.O_CLOEXEC, Resolve: unix.RESOLVE_NO_SYMLINKS,
	})
	if err != nil {
		return nil // if he can't make the file himself, that will show
	}
	defer unix.Close(dir)
	fd, err := unix.Openat(dir, filepath.Base(path), unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_CLOEXEC, 0o600)
	if errors.Is(err, unix.EEXIST) {
		return nil
	}
	if err != nil {
		return &fs.PathError{Op: "open", Path: path, Err: err}
	}
	f := os.NewFile(uintptr(fd), path)
	return errors.Join(f.Chown(uid, gid), f.Close())
}

// become gives up root for uid and gid, in every thread of the process.
func become(uid, gid int) error {
	if err := syscall.Setgroups([]int{gid}); err != nil {
		return fmt.Errorf("set groups: %w", err)
	}
	if err := syscall.Setgid(gid); err != nil {
		return fmt.Errorf("set gid %d: %w", gid, err)
	}
	if err := syscall.Setuid(uid); err != nil {
		return fmt.Errorf("set uid %d: %w", uid, err)
	}
	return nil
}

// lockHolder says which process has dir locked, " (process 4711)", as far as
// the kernel shows it.
func lockHolder(dir string) string {
	info, err := os.Stat(dir)
	if err != nil {
		return ""
	}
	locks, err := os.ReadFile("/proc/locks")
	if err != nil {
		return ""
	}
	st := info.Sys().(*syscall.Stat_t)
	file := fmt.Sprintf("%02x:%02x:%d", unix.Major(st.Dev), unix.Minor(st.Dev), st.Ino)
	for line := range strings.Lines(string(locks)) { // 1: FLOCK ADVISORY WRITE 4711 fd:01:123 0 EOF (proc_locks(5))
		f := strings.Fields(line)
		if len(f) > 5 && f[1] == "FLOCK" && f[5] == file {
			return " (process " + f[4] + ")"
		}
	}
	return ""
}

func ownerOf(dir string) (uid int, err error) {
	info, err := os.Stat(dir)
	if err != nil {
		return 0, err
	}
	return int(info.Sys().(*syscall.Stat_t).Uid), nil
}
