package natslog

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"rapport/internal/fault"
)

// The epoch file says which log this is: one line that a person can read.
const (
	epochFile   = "epoch"
	epochFormat = "rapport-log 1 epoch %016x lanes %d\n"
)

// loadEpoch returns the epoch of the log in dir; zero if it has none yet.
func loadEpoch(dir string, lanes int) (uint64, error) {
	text, err := os.ReadFile(filepath.Join(dir, epochFile))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, diskFault(err, "the epoch of the log cannot be read")
	}
	var epoch uint64
	var had int
	if n, _ := fmt.Sscanf(string(text), epochFormat, &epoch, &had); n != 2 || epoch == 0 {
		return 0, fault.New(fault.Corrupt, "the file "+epochFile+" is not what was written: restore it from a backup; or delete it, and every reader starts anew")
	}
	if had != lanes {
		return 0, fault.New(fault.Invalid, fmt.Sprintf("the log was made with %d lanes and cannot be opened with %d: set the number back, or drain the log and make a new one", had, lanes))
	}
	return epoch, nil
}

// storeEpoch makes the epoch durable: after a crash there is the old file or the
// new one, never half of one.
func storeEpoch(dir string, epoch uint64, lanes int) error {
	return writeDurably(dir, epochFile, func(f *os.File) error {
		_, err := fmt.Fprintf(f, epochFormat, epoch, lanes)
		return err
	})
}

// writeDurably writes a file beside its place, syncs it, puts it there and syncs
// the folder.
func writeDurably(dir, name string, write func(*os.File) error) error {
	f, err := os.CreateTemp(dir, name+".new-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // gone already if all went well
	err = write(f)
	if err == nil {
		err = f.Sync()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err != nil {
		return err
	}
	if err := os.Rename(f.Name(), filepath.Join(dir, name)); err != nil {
		return err
	}
	return syncDir(dir)
}

// syncDir makes the names in a folder durable.
func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	err = f.Sync()
	if e := f.Close(); err == nil {
		err = e
	}
	return err
}

// newEpoch returns a random epoch; zero is left to the zero position.
func newEpoch() uint64 {
	for {
		var b [8]byte
		_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the process instead
		if e := binary.LittleEndian.Uint64(b[:]); e != 0 {
			return e
		}
	}
}

// diskFault translates an error of opening into a fault.
func diskFault(err error, message string) error {
	var no syscall.Errno
	if errors.As(err, &no) && isFull(no) {
		return fault.Wrap(fault.Unavailable, err, message+": the disk is full")
	}
	return fault.Wrap(fault.Unavailable, err, message)
}
