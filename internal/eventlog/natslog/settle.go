package natslog

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// settle makes sure that what will be read from the newest block of a stream is
// on disk. It runs before the server opens the stream.
//
// A process that was killed between write and fsync, or whose fsync failed,
// leaves a record in the page cache that looks whole and may never reach the
// disk. If a reader took it and stored its position, and then the power went,
// the log would give its sequence to another record and the reader would skip
// that one. Syncing again does not help after a failed fsync, because the pages
// count as clean; so the block, at most 8 MiB, is written anew beside its place,
// synced and renamed. Older blocks were synced before newer ones were begun.
func settle(dir, stream string) error {
	msgs := filepath.Join(streamDir(dir, stream), "msgs")
	newest, err := newestBlock(msgs)
	if err != nil || newest == "" {
		return err
	}
	// Beside the stream's folder and not in it: the server reads what it finds there.
	err = copyDurably(filepath.Join(msgs, newest), filepath.Join(dir, stream+".settle"))
	if err != nil {
		return fmt.Errorf("settling the newest block of %s: %w", stream, err)
	}
	return nil
}

// newestBlock returns the name of the block with the highest number, empty if
// there is none.
func newestBlock(msgs string) (string, error) {
	entries, err := os.ReadDir(msgs)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	name, highest := "", int64(-1)
	for _, e := range entries {
		number, isBlock := strings.CutSuffix(e.Name(), ".blk")
		if n, err := strconv.ParseInt(number, 10, 64); isBlock && err == nil && n > highest {
			name, highest = e.Name(), n
		}
	}
	return name, nil
}

// copyDurably replaces the file at path by a copy of itself that is on disk.
func copyDurably(path, temp string) error {
	from, err := os.Open(path)
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := os.OpenFile(temp, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer os.Remove(temp) // gone already if all went well
	_, err = io.Copy(to, onlyReader{from})
	if err == nil {
		err = to.Sync()
	}
	if e := to.Close(); err == nil {
		err = e
	}
	if err != nil {
		return err
	}
	if err := os.Rename(temp, path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// onlyReader hides that a file is one. Between two files io.Copy asks the kernel
// to copy, and some file systems then share the old blocks instead of writing.
type onlyReader struct{ io.Reader }

// streamDir is where the server keeps a stream of its only account.
func streamDir(dir, stream string) string {
	return filepath.Join(dir, "jetstream", "$G", "streams", stream)
}

// syncTree makes the names of all folders under dir durable.
func syncTree(dir string) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		return syncDir(path)
	})
}
