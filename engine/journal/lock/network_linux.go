package lock

import (
	"errors"
	"io/fs"
	"path/filepath"
	"syscall"
)

// networks are file systems that machines share, by their numbers in statfs(2) and linux/magic.h.
var networks = map[uint32]string{
	0x6969: "NFS", 0x517b: "SMB", 0xfe534d42: "SMB", 0xff534d42: "CIFS", 0x5346414f: "AFS", 0x6b414653: "AFS", 0x00c36400: "Ceph",
	0x0bd00bd0: "Lustre", 0x01161970: "GFS2", 0x7461636f: "OCFS2", 0x73757245: "Coda", 0x564c: "NCP",
}

// Network names the kind of file system on which a path is, or the nearest folder above it that is there, when other machines
// may share it; "": it is one of this machine, or nobody can tell (FUSE does not).
func Network(path string) string {
	for {
		var s syscall.Statfs_t
		err := syscall.Statfs(path, &s)
		if err == nil {
			return networks[uint32(s.Type)] // 32 bits, in a field of another size and sign on some systems
		}
		parent := filepath.Dir(path)
		if !errors.Is(err, fs.ErrNotExist) || parent == path {
			return ""
		}
		path = parent
	}
}
