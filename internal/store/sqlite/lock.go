package sqlite

import (
	"os"
	"path/filepath"
)

// LockDir keeps every other process out of a data folder, which it makes if
// there is none, until release is called or this process ends, however it ends.
// It returns a fault of kind Conflict if another process has the folder. Open
// and OpenLedger lock their own files besides, so a caller that opens only those
// need not lock the folder.
func LockDir(dir string) (release func() error, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, diskFault(err, "the folder "+dir+" cannot be made")
	}
	return lockFile(filepath.Join(dir, "lock"), "the folder "+dir)
}
