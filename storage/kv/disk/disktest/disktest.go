// Package disktest makes small file systems for tests, and fills them.
package disktest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// Mount mounts an empty file system of so many bytes for one test and returns a
// path on it that does not exist yet. Who may not mount skips the test, except
// where CI is set: there everything must run.
func Mount(tb testing.TB, size int64) string {
	tb.Helper()
	parent, err := os.MkdirTemp("", "disk") // short: a Unix socket may lie in it
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = os.Remove(parent) })
	if err := unix.Mount("tmpfs", parent, "tmpfs", 0, fmt.Sprintf("mode=0700,size=%d", size)); err != nil {
		if os.Getenv("CI") != "" {
			tb.Fatalf("mount a file system: %v", err)
		}
		tb.Skipf("skipped: a full disk takes a file system to fill, and mounting one takes root: %v", err)
	}
	tb.Cleanup(func() {
		if err := unix.Unmount(parent, unix.MNT_DETACH); err != nil {
			tb.Errorf("unmount: %v", err)
		}
	})
	return filepath.Join(parent, "data")
}

// Fill takes all but so many bytes of the file system that dir is to be on, as
// another program does. empty gives them back.
func Fill(tb testing.TB, dir string, leave int64) (empty func()) {
	tb.Helper()
	f, err := os.CreateTemp(filepath.Dir(dir), "filler")
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	size := int64(0)
	for tries := 0; ; tries++ { // others may take and free space meanwhile
		free := Free(tb, dir)
		if free <= leave {
			break
		}
		err := unix.Fallocate(int(f.Fd()), 0, size, free-leave)
		switch {
		case err == nil:
			size += free - leave
		case tries == 100 || !errors.Is(err, unix.ENOSPC):
			tb.Fatalf("fill the disk: %v", err)
		}
	}
	return func() {
		if err := os.Remove(f.Name()); err != nil {
			tb.Fatal(err)
		}
	}
}

// Free is how many bytes are left on the file system that dir is to be on.
func Free(tb testing.TB, dir string) int64 {
	tb.Helper()
	var st unix.Statfs_t
	if err := unix.Statfs(filepath.Dir(dir), &st); err != nil {
		tb.Fatal(err)
	}
	return int64(st.Bavail) * st.Bsize
}
