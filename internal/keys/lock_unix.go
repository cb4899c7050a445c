//go:build unix

package keys

import (
	"io/fs"
	"os"
	"syscall"
)

// lock waits until this process alone holds the lock. The kernel gives it up
// when a process dies, so none is ever left behind.
func lock(path string) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	for {
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX)
		if err != syscall.EINTR {
			break
		}
	}
	if err != nil {
		_ = f.Close() // the lock's error is the one to tell
		return nil, err
	}
	return func() { _ = f.Close() }, nil // closing gives the lock up; nothing was written
}

func inodeOf(info fs.FileInfo) uint64 {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return uint64(s.Ino)
	}
	return 0
}
