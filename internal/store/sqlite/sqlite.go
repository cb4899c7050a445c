// Package sqlite keeps the state of a workspace in one SQLite file, state.db,
// and the ledger of dispatch in another, ledger.db, so that a large commit of
// state never holds back an unsubscribe.
//
// Both are in WAL mode and synced at every commit. Each has one writing
// connection and a few that read; the statements are prepared once and run on
// the driver's own connection, because database/sql costs as much again as the
// statements do. The log is the durability point and the file is a fold of it,
// so nobody else may write here: Open holds a lock for as long as it is open.
//
// What a commit costs is the pages it touches, twice: once in the WAL and once in
// the database. So the pages are small, a strand's history is a chain from its
// profile instead of an index, an index is touched only when its columns change,
// and checkpoints are rare and run beside the commits. The migrations say why
// each table has the form it has. A caller that gives rows in the order of their
// ids saves some reading.
//
// Deleted content is not overwritten in normal running: secure_delete would
// write freed pages at every commit. Erasing a person must turn it on, and empty
// the WAL afterwards.
package sqlite

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"rapport/internal/store"
)

// Options say where a file is and how it is kept.
type Options struct {
	// Dir is the folder of the file. It is made if there is none.
	Dir string

	// Path is the file itself and wins over Dir.
	Path string

	// Sync says when a commit counts as written: "full" when the disk has
	// confirmed it, which is the default; "off" when the operating system has
	// it, which survives the end of the process and not that of the machine.
	// "off" is for tests.
	Sync string

	// CacheMB is how many megabytes of pages the writing connection keeps. The default is
	// 128. A commit that changes more is written in pieces.
	CacheMB int

	// Readers is how many calls may read at once; more wait. The default is 4.
	Readers int

	// Log hears of what goes wrong in the background. The default is silence.
	Log *slog.Logger
}

const (
	stateFile  = "state.db"
	ledgerFile = "ledger.db"

	defaultCacheMB = 128
	defaultReaders = 4

	// warmShare is how much of the newest history is in memory for a while where it is
	// wanted: one part in so many of what the pages of the state may take.
	warmShare = 2

	// readerCacheMB is small: what readers need often is in the operating
	// system's cache, which all of them share.
	readerCacheMB = 4
)

// Store is the state in a file. It implements [store.Store].
type Store struct {
	file   *file
	heads  knownHeads
	recent recent
	roster roster
}

var _ store.Store = (*Store)(nil)

// Open opens the state, brings its schema up to this program, and makes the file
// if there is none. It returns a fault of kind Conflict if another process has
// the file open, of kind Invalid if a newer program wrote it, and of kind Corrupt
// if it is not a state of ours.
func Open(ctx context.Context, o Options) (*Store, error) {
	if o.CacheMB <= 0 {
		o.CacheMB = defaultCacheMB
	}
	f, err := openFile(ctx, o, stateFile, stateMigrations)
	if err != nil {
		return nil, fmt.Errorf("opening the state: %w", err)
	}
	s := &Store{file: f, recent: recent{limit: o.CacheMB << 20 / warmShare}}
	var damaged []uint64
	err = f.read(ctx, func(c *conn) (err error) {
		damaged, err = s.roster.load(ctx, c)
		return err
	})
	for i := 0; i < len(damaged) && err == nil; i++ {
		err = s.mend(ctx, damaged[i])
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("opening the state: %w", err), f.close())
	}
	return s, nil
}

// Close implements [store.Store].
func (s *Store) Close() error { return s.file.close() }
