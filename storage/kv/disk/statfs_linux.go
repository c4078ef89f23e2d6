package disk

import (
	"errors"
	"math"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// measure asks how much of the file system of dir this process may still take.
func measure(dir string) (free, total int64, inodes uint64, err error) {
	var st unix.Statfs_t
	for {
		if err = unix.Statfs(dir, &st); !errors.Is(err, unix.EINTR) {
			break
		}
	}
	if err != nil {
		return 0, 0, 0, &os.PathError{Op: "statfs", Path: dir, Err: err}
	}
	inodes = st.Ffree
	if st.Files == 0 {
		inodes = math.MaxUint64 // they are made as they are needed
	}
	return int64(st.Bavail) * st.Bsize, int64(st.Blocks) * st.Bsize, inodes, nil
}

// allocate gives f blocks for so many bytes.
func allocate(f *os.File, size int64) error {
	for {
		if err := unix.Fallocate(int(f.Fd()), 0, 0, size); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

// blocks is what a file occupies, in bytes.
func blocks(info os.FileInfo) int64 {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return st.Blocks * 512
	}
	return info.Size()
}
