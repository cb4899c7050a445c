package main

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"rapport/internal/fault"
)

// copyPrivate copies the folder from to the new folder to, under a passing name
// that is given up only when then has succeeded on it: whatever ends the process,
// there is the whole folder or none. The copy is durable and only its owner can
// read it, whoever could read the original: it holds keys and customers. Locks are
// left out.
func copyPrivate(from, to string, then func(dir string) error) (err error) {
	if _, err := os.Stat(to); err == nil {
		return fault.New(fault.Conflict, to+" is there already")
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return err
	}
	part, err := os.MkdirTemp(filepath.Dir(to), filepath.Base(to)+".part-")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(part))
		}
	}()
	if err := filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		target := filepath.Join(part, rel)
		switch {
		case rel == ".", rel == "lock":
			return nil
		case d.IsDir():
			return os.Mkdir(target, 0o700)
		case !d.Type().IsRegular():
			return fault.New(fault.Invalid, path+" is neither a file nor a folder: a data directory holds nothing else")
		}
		return copyFile(path, target)
	}); err != nil {
		return err
	}
	if then != nil {
		if err := then(part); err != nil {
			return err
		}
	}
	if err := syncFolders(part); err != nil {
		return err
	}
	if err := os.Rename(part, to); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(to))
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Sync(), out.Close())
}

// syncFolders makes the names in a folder durable, and those in all below it.
func syncFolders(dir string) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		return syncFolder(path)
	})
}

func syncFolder(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
