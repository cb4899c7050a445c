//go:build unix && !solaris && !illumos && !aix

package natslog

import (
	"os"
	"path/filepath"
	"syscall"

	"rapport/internal/fault"
)

// lockDir keeps every other process out of the folder until the file is closed
// or this process ends, however it ends. Two servers over the same files would
// destroy them.
func lockDir(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, diskFault(err, "the log cannot be locked")
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close()
		return nil, fault.Wrap(fault.Conflict, err, "another process has the log in "+dir+" open: stop it first")
	}
	return f, nil
}
