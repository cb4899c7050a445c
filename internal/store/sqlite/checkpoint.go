package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

// walTarget is how large the WAL grows, in bytes, before it is written into the
// database. Under full load the same customers come back in commit after commit,
// and a page that changed in eight of them is written into the database once. A
// larger WAL saves less and less, costs disk, and is read at the start after a
// crash, at about a second per gigabyte.
const walTarget = 512 << 20

// restTime is how long nothing is committed before a WAL of any length is
// written into the database, so that a small shop has a small one.
const restTime = 10 * time.Second

// checkpointer writes the WAL into the database beside the commits. SQLite's own
// checkpoints would do it inside of a commit, which then takes twice as long.
type checkpointer struct {
	f       *file
	c       *conn
	most    int64        // pages of the WAL before it is written into the database
	waiting atomic.Int64 // pages of it that are not there
	wake    chan struct{}
	stop    context.Context
	end     context.CancelFunc
	done    sync.WaitGroup
	failed  bool // the last round failed, and the log knows it
}

// newCheckpointer takes the connection, which is closed if there is an error.
func newCheckpointer(f *file, c *conn) (*checkpointer, error) {
	k := &checkpointer{f: f, c: c, wake: make(chan struct{}, 1)}
	err := c.query(context.Background(), 1, func(row []driver.Value) error {
		k.most = walTarget / integer(row[0]) // an older database has pages of its own
		return nil
	}, "PRAGMA page_size")
	if err != nil {
		return nil, errors.Join(err, c.close())
	}
	k.stop, k.end = context.WithCancel(context.Background())
	k.done.Go(k.run)
	return k, nil
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
	if err != nil {
		return // the round will meet it and tell the log
	}
	k.waiting.Store(waiting)
	select {
	case k.wake <- struct{}{}:
	default:
	}
}

func (k *checkpointer) run() {
	rest := time.NewTimer(restTime)
	defer rest.Stop()
	for {
		select {
		case <-k.stop.Done():
			return
		case <-k.wake:
			if k.waiting.Load() < k.most {
				rest.Reset(restTime)
				continue
			}
		case <-rest.C:
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

// round writes the WAL into the database: most of it while commits go on, and
// the end under the writer's lock. For the WAL begins anew only with a commit
// that finds nothing left over, and a commit that is under way appends to it,
// even if everything before it is in the database.
func (k *checkpointer) round() error {
	if _, err := wal(k.c, "PASSIVE"); err != nil || k.stop.Err() != nil {
		return err
	}
	k.f.writing.Lock()
	defer k.f.writing.Unlock()
	// A reader that still sees an older state leaves something over; then the
	// next commit wakes us again.
	left, err := wal(k.c, "PASSIVE")
	k.waiting.Store(left)
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
