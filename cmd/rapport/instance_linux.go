package main

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// placeOf returns which file it is: its number, and when it was born, because
// numbers are used again. No copy has both: no tool can set the birth of a file.
func placeOf(f *os.File) (string, error) {
	var s unix.Statx_t
	if err := unix.Statx(int(f.Fd()), "", unix.AT_EMPTY_PATH, unix.STATX_INO|unix.STATX_BTIME, &s); err != nil {
		return "", fmt.Errorf("looking at %s: %w", f.Name(), err)
	}
	if s.Mask&unix.STATX_BTIME == 0 {
		return fmt.Sprint(s.Ino), nil // an old file system: its number alone must do
	}
	return fmt.Sprintf("%d@%d.%09d", s.Ino, s.Btime.Sec, s.Btime.Nsec), nil
}
