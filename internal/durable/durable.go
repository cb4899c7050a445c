// Package durable replaces files so that a kill, a full disk or a lost power leaves the
// old version or the new one, and never half of either.
//
// Many rooms keep a small file beside state and log: keys, people, domains, the book of
// imports. What makes such a file safe is easily left out of one of them, so it stands
// here once.
package durable

import (
	"errors"
	"os"
	"path/filepath"
)

// Unfinished is in the name of what a process that died has left of a version that was
// not finished: nobody reads it.
const Unfinished = ".new-"

// Write makes b the next version of a file, readable to its owner alone, and returns
// when it is on the disk. If it fails the file is as it was. Two writers at once each
// write a whole version, and the last one stays.
func Write(path string, b []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+Unfinished+"*") // 0600
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return Sync(filepath.Dir(path))
}

// Sync makes the names in a folder durable.
func Sync(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
