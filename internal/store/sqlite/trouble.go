package sqlite

import (
	"errors"
	"os"
	"syscall"

	"github.com/mattn/go-sqlite3"

	"rapport/internal/fault"
)

// Extended codes that the driver does not name.
var (
	ioErrData      = sqlite3.ErrIoErr.Extend(32) // a page does not have its checksum
	ioErrCorruptFS = sqlite3.ErrIoErr.Extend(33) // the file system says that it is damaged
)

// trouble turns an error of the driver into a fault. Others pass.
func trouble(err error) error {
	var e sqlite3.Error
	if err == nil || !errors.As(err, &e) {
		return err
	}
	var f *fault.Error
	if errors.As(err, &f) {
		return err
	}
	switch e.Code {
	case sqlite3.ErrFull:
		return fault.Wrap(fault.Unavailable, err, "the disk is full: free some space")
	case sqlite3.ErrCorrupt, sqlite3.ErrNotADB:
		return fault.Wrap(fault.Corrupt, err, "the state is damaged: restore a backup, or rebuild it from the log")
	case sqlite3.ErrIoErr:
		switch e.ExtendedCode {
		case sqlite3.ErrIoErrShortRead, ioErrData, ioErrCorruptFS:
			return fault.Wrap(fault.Corrupt, err, "the state is damaged: restore a backup, or rebuild it from the log")
		}
		if e.SystemErrno == syscall.ENOSPC {
			return fault.Wrap(fault.Unavailable, err, "the disk is full: free some space")
		}
		return fault.Wrap(fault.Unavailable, err, "the disk does not work: check it")
	case sqlite3.ErrBusy, sqlite3.ErrLocked:
		return fault.Wrap(fault.Unavailable, err, "the state is held by something else: close the shell or the backup that has it open")
	case sqlite3.ErrCantOpen, sqlite3.ErrPerm, sqlite3.ErrReadonly, sqlite3.ErrAuth:
		return fault.Wrap(fault.Unavailable, err, "the state cannot be opened for writing: check the folder's owner and permissions")
	case sqlite3.ErrNomem:
		return fault.Wrap(fault.Unavailable, err, "there is not enough memory")
	case sqlite3.ErrTooBig:
		return fault.Wrap(fault.TooLarge, err, "a row is larger than a row may be")
	}
	return err
}

// taken reports whether a row was not inserted because its key is there. That takes
// back the statement, and leaves the transaction as it was.
func taken(err error) bool {
	var e sqlite3.Error
	return errors.As(err, &e) && (e.ExtendedCode == sqlite3.ErrConstraintUnique || e.ExtendedCode == sqlite3.ErrConstraintPrimaryKey)
}

// unconfirmed reports whether err says that the disk did not confirm a write.
func unconfirmed(err error) bool {
	var e sqlite3.Error
	return errors.As(err, &e) && (e.ExtendedCode == sqlite3.ErrIoErrFsync || e.ExtendedCode == sqlite3.ErrIoErrDirFsync)
}

// diskFault turns an error of the operating system into a fault.
func diskFault(err error, message string) error {
	switch {
	case errors.Is(err, syscall.ENOSPC):
		return fault.Wrap(fault.Unavailable, err, message+": the disk is full")
	case errors.Is(err, os.ErrPermission):
		return fault.Wrap(fault.Unavailable, err, message+": check the folder's owner and permissions")
	}
	return fault.Wrap(fault.Unavailable, err, message)
}
