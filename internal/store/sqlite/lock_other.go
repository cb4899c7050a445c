//go:build !unix || solaris || illumos || aix

package sqlite

import "os"

// lockFile cannot keep another process out where there is no flock; it only
// holds a file open.
func lockFile(path, what string) (release func() error, err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, diskFault(err, what+" cannot be locked")
	}
	return f.Close, nil
}
