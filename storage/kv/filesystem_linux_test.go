package kv

import (
	"testing"

	"golang.org/x/sys/unix"
)

func TestNetworkFileSystemsAreRefused(t *testing.T) {
	const text = ", which cannot keep a database safe: use a local disk"
	for kind, want := range map[uint32]string{
		unix.NFS_SUPER_MAGIC:  "it is on NFS" + text,
		unix.CIFS_SUPER_MAGIC: "it is on SMB" + text,
		unix.SMB2_SUPER_MAGIC: "it is on SMB" + text,
		unix.SMB_SUPER_MAGIC:  "it is on SMB" + text,
		unix.V9FS_MAGIC:       "it is on 9p" + text,
		unix.FUSE_SUPER_MAGIC: "it is on FUSE" + text,
		unix.EXT4_SUPER_MAGIC: "",
		unix.XFS_SUPER_MAGIC:  "",
		unix.TMPFS_MAGIC:      "",
	} {
		err := refuseUntrusted(kind)
		if (err == nil) != (want == "") || err != nil && err.Error() != want {
			t.Errorf("type %#x: %v, want %q", kind, err, want)
		}
	}
}
