//go:build unix && !solaris && !illumos && !aix

package sqlite

import (
	"errors"
	"os"
	"syscall"

	"rapport/internal/fault"
)

// lockFile keeps every other process, and every other opening in this one, out
// of what until the lock is released or this process ends, however it ends. The
// lock is a file of its own: closing any handle of the database file would drop
// SQLite's own locks.
func lockFile(path, what string) (release func() error, err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, diskFault(err, what+" cannot be locked")
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close() // nothing was written
		return nil, fault.Wrap(fault.Conflict, err, "another process has "+what+" open: stop it first")
	}
	return func() error {
		// Closing would do, but for a child that is being started in this instant and
		// has a copy of the handle until it runs its own program.
		return errors.Join(syscall.Flock(int(f.Fd()), syscall.LOCK_UN), f.Close())
	}, nil
}
