package kv

import (
	"fmt"
	"log/slog"

	"golang.org/x/sys/unix"
)

func checkFileSystem(dir string, log *slog.Logger) error {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return fmt.Errorf("statfs: %w", err)
	}
	kind := uint32(st.Type) // its width and sign differ by architecture
	if kind == unix.TMPFS_MAGIC {
		log.Warn("the data directory is on tmpfs: nothing outlives a restart of the machine", "dir", dir)
	}
	return refuseUntrusted(kind)
}

// refuseUntrusted refuses, by the type that statfs reports, file systems on
// which locks or mapped writes do not do what a database needs.
func refuseUntrusted(kind uint32) error {
	var name string
	switch kind {
	case unix.NFS_SUPER_MAGIC:
		name = "NFS"
	case unix.SMB_SUPER_MAGIC, unix.SMB2_SUPER_MAGIC, unix.CIFS_SUPER_MAGIC:
		name = "SMB"
	case unix.V9FS_MAGIC:
		name = "9p"
	case unix.FUSE_SUPER_MAGIC:
		name = "FUSE"
	default:
		return nil
	}
	return fmt.Errorf("it is on %s, which cannot keep a database safe: use a local disk", name)
}
