package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"rapport/internal/durable"
	"rapport/internal/fault"
)

// instanceFile tells a data directory from a copy of it. Two instances of one
// directory would each send what is planned in it, so only one may send: that
// whose file still is where it was made, which no copy, restored backup or
// unpacked archive can be. It holds a number too, the epoch, which grows with each
// start: kept a second time by --epoch-file, on a disk that is not part of the
// snapshot, it tells a disk that was set back as a whole.
const instanceFile = "instance.json"

// instance is what the file holds.
type instance struct {
	Epoch uint64 `json:"epoch"`
	Place string `json:"place"` // which file it is: see placeOf
}

// newInstance makes a fresh data directory this instance's own.
func newInstance(dir string) error { return writeInstance(dir, 1) }

// writeInstance writes the file anew, at a place of its own.
func writeInstance(dir string, epoch uint64) error {
	path := filepath.Join(dir, instanceFile)
	tmp := path + ".new"
	if err := os.Remove(tmp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := os.OpenFile(tmp, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	place, err := placeOf(f)
	if err == nil {
		var b []byte
		if b, err = json.Marshal(instance{epoch, place}); err == nil {
			_, err = f.Write(append(b, '\n'))
		}
	}
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(tmp, path); err != nil {
		return err
	}
	folder, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

// maxInstance bounds what is read of the file: some dozens of bytes are written.
const maxInstance = 4 << 10

// readInstance returns what the directory says of itself, and why it may not be
// the original; empty if it is.
func readInstance(dir string) (in instance, doubt string, err error) {
	path := filepath.Join(dir, instanceFile)
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return in, "it has no " + instanceFile, nil
	}
	if err != nil {
		return in, "", err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxInstance))
	if err != nil {
		return in, "", err
	}
	place, err := placeOf(f)
	if err != nil {
		return in, "", err
	}
	switch {
	case json.Unmarshal(b, &in) != nil || in.Epoch == 0:
		return instance{}, "its " + instanceFile + " cannot be read", nil
	case in.Place != place:
		return in, "it is a copy: a backup, an archive or another disk", nil
	}
	return in, "", nil
}

// readEpoch returns the epoch that is kept outside; 0 if there is none yet.
func readEpoch(file string) (uint64, error) {
	b, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fault.Wrap(fault.Unavailable, err, "the epoch file cannot be read")
	}
	n, err := strconv.ParseUint(strings.TrimSpace(string(b)), 10, 64)
	if err != nil {
		return 0, fault.Wrap(fault.Corrupt, err, file+" is no epoch file: it must hold a number")
	}
	return n, nil
}

// mayTakeOver decides whether this instance may send, and begins its epoch if it
// may. Adopt is the operator's word that no other instance of the directory is
// running or will be. The text says why it may not; empty: it may.
func mayTakeOver(dir, epochFile string, adopt bool) (doubt string, err error) {
	in, doubt, err := readInstance(dir)
	if err != nil {
		return "", err
	}
	outside := uint64(0)
	if epochFile != "" {
		if outside, err = readEpoch(epochFile); err != nil {
			return "", err
		}
		switch {
		case doubt != "":
		case outside > in.Epoch:
			doubt = fmt.Sprintf("it was set back: its epoch is %d, and the epoch file says %d", in.Epoch, outside)
		case outside == 0 && in.Epoch > 1:
			doubt = "the epoch file " + epochFile + " is not there, and this is not the first start"
		}
	}
	if doubt != "" && !adopt {
		return doubt, nil
	}
	// The directory first: if the process ends between the two, it is ahead, which
	// is no doubt.
	next := max(in.Epoch, outside) + 1
	if err := writeInstance(dir, next); err != nil {
		return "", err
	}
	if epochFile == "" {
		return "", nil
	}
	return "", durable.Write(epochFile, []byte(strconv.FormatUint(next, 10)+"\n"))
}
