package duckdb

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// canBound says whether this system keeps a bound on a process's memory and lets
// two kinds of locks on a file.
const canBound = true

// aside keeps a process out of reach of the terminal's keys, and lets it die with
// this one.
func aside(c *exec.Cmd) { c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// bound lets this process take so many bytes more than it has, and no more: the
// kernel refuses them.
func bound(more int64) error {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return err
	}
	_, rest, _ := bytes.Cut(status, []byte("VmData:"))
	fields := bytes.Fields(rest)
	if len(fields) == 0 {
		return fmt.Errorf("the system does not say how much memory the process has")
	}
	kilobytes, err := strconv.ParseUint(string(fields[0]), 10, 64)
	if err != nil {
		return err
	}
	limit := kilobytes<<10 + uint64(more)
	return unix.Setrlimit(unix.RLIMIT_DATA, &unix.Rlimit{Cur: limit, Max: limit})
}

// share lets other processes open the file for reading: it puts a lock for readers
// in the place of DuckDB's, so that another writer is still refused.
func share(path string) (*os.File, error) {
	// The old kind of lock, which DuckDB uses, goes when its process closes any
	// opening of the file.
	first, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	if err := first.Close(); err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	if err := unix.FcntlFlock(f.Fd(), unix.F_OFD_SETLK, &unix.Flock_t{Type: unix.F_RDLCK}); err != nil {
		f.Close()
		return nil, fmt.Errorf("locking %s for readers: %w", path, err)
	}
	return f, nil
}
