//go:build !unix || solaris || illumos || aix

package natslog

import (
	"os"
	"path/filepath"
)

// lockDir cannot keep another process out where there is no flock; it only holds
// a file open.
func lockDir(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, diskFault(err, "the log cannot be locked")
	}
	return f, nil
}
