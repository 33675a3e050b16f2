package journal

import "syscall"

func mountSmall(dir, size string) error {
	return syscall.Mount("tmpfs", dir, "tmpfs", 0, "mode=0700,size="+size)
}

func unmount(dir string) error { return syscall.Unmount(dir, 0) }
