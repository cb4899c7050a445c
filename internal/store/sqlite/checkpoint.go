package sqlite

import (
	"context"
	"database/sql/driver"
	"sync"
)

// walTarget is how large the WAL grows, in bytes, before it is written into the
// database. Under full load the same customers come back in commit after commit,
// and a page that changed in five of them is written into the database once. A
// larger WAL saves less and less, costs disk, and is read at the start after a
// crash, at about a second per gigabyte.
const walTarget = 256 << 20

// chases is how often a checkpoint runs beside the commits before it makes them
// wait. What the commits append meanwhile is left for the next round, and the
// WAL begins again from its start only when nothing is left.
const chases = 2

// checkpointer writes the WAL into the database beside the commits. SQLite's own
// checkpoints would do it inside of a commit, which then takes twice as long.
type checkpointer struct {
	f      *file
	c      *conn
	pages  int64 // the WAL's length from which on there is something to do
	wake   chan struct{}
	stop   context.Context
	end    context.CancelFunc
	done   sync.WaitGroup
	failed bool // the last round failed, and the log knows it
}

func newCheckpointer(f *file, c *conn) *checkpointer {
	k := &checkpointer{f: f, c: c, pages: walTarget / int64(pageSize), wake: make(chan struct{}, 1)}
	k.stop, k.end = context.WithCancel(context.Background())
	k.done.Go(k.run)
	return k
}

// close ends the work; a round that has begun is finished.
func (k *checkpointer) close() error {
	k.end()
	k.done.Wait()
	return k.c.close()
}

// committed is told by the writer, on its own connection, that a commit is done.
func (k *checkpointer) committed(w *conn) {
	waiting, err := wal(w, "NOOP")
	if err != nil || waiting < k.pages {
		return // an error here comes again, and to the log, in the round
	}
	select {
	case k.wake <- struct{}{}:
	default:
	}
}

func (k *checkpointer) run() {
	for {
		select {
		case <-k.stop.Done():
			return
		case <-k.wake:
		}
		err := k.round()
		switch {
		case err != nil && !k.failed:
			k.f.log.Error("the write-ahead log cannot be written into the database and keeps growing", "file", k.f.path, "error", err)
		case err == nil && k.failed:
			k.f.log.Info("the write-ahead log is written into the database again", "file", k.f.path)
		}
		k.failed = err != nil
	}
}

// round writes the whole WAL into the database, at the end under the writer's
// lock, so that the next commit begins the WAL anew.
func (k *checkpointer) round() error {
	for range chases {
		if left, err := wal(k.c, "PASSIVE"); err != nil || left == 0 || k.stop.Err() != nil {
			return err
		}
	}
	k.f.writing.Lock()
	defer k.f.writing.Unlock()
	// A reader that still sees an older state leaves something over; then the
	// next commit wakes us again.
	_, err := wal(k.c, "PASSIVE")
	return err
}

// wal runs a checkpoint in the mode and returns how many pages of the WAL are
// not in the database after it.
func wal(c *conn, mode string) (left int64, err error) {
	err = c.query(context.Background(), 3, func(row []driver.Value) error {
		left = integer(row[1]) - integer(row[2])
		return nil
	}, "PRAGMA wal_checkpoint("+mode+")")
	return left, err
}
