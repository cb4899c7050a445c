package natslog

import (
	"errors"
	"fmt"
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
// count as clean; so the block, at most 8 MiB, is written over with its own bytes
// and synced. In its place, because a full disk has no room for a copy; a crash in
// the middle leaves the same bytes. Older blocks were synced before newer ones
// were begun.
func settle(dir, stream string) error {
	msgs := filepath.Join(streamDir(dir, stream), "msgs")
	newest, err := newestBlock(msgs)
	if err != nil || newest == "" {
		return err
	}
	if err := rewrite(filepath.Join(msgs, newest)); err != nil {
		return fmt.Errorf("settling the newest block of %s: %w", stream, err)
	}
	return syncDir(msgs)
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

// rewrite writes the file over with its own bytes and syncs it.
func rewrite(path string) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(content, 0)
	if err == nil {
		err = f.Sync()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	return err
}

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
