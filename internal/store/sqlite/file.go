package sqlite

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"sync"

	"rapport/internal/fault"
)

// file is one database file with its connections and its lock.
type file struct {
	path    string
	log     *slog.Logger
	release func() error // of the lock
	readers chan *conn
	all     int // how many readers there are

	writing sync.Mutex // one writer at a time; guards writer, closed and failed
	writer  *conn
	closed  bool
	failed  error // the disk did not confirm a write: nothing more is written

	closing  chan struct{}
	once     sync.Once
	closeErr error
}

// openFile opens a database file and runs its migrations.
func openFile(ctx context.Context, o Options, name string, migrations string) (f *file, err error) {
	if o.Path == "" {
		if o.Dir == "" {
			return nil, fault.New(fault.Invalid, "name the folder (Dir) or the file (Path)")
		}
		o.Path = filepath.Join(o.Dir, name)
	}
	switch o.Sync {
	case "", "full", "off":
	default:
		return nil, fault.New(fault.Invalid, `Sync is "full" or "off", not "`+o.Sync+`"`)
	}
	if o.CacheMB <= 0 {
		o.CacheMB = defaultCacheMB
	}
	if o.Readers <= 0 {
		o.Readers = defaultReaders
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if err := os.MkdirAll(filepath.Dir(o.Path), 0o700); err != nil {
		return nil, diskFault(err, "the folder "+filepath.Dir(o.Path)+" cannot be made")
	}
	release, err := lockFile(o.Path+".lock", o.Path)
	if err != nil {
		return nil, err
	}
	f = &file{path: o.Path, log: o.Log, release: release, readers: make(chan *conn, o.Readers), closing: make(chan struct{})}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.close())
			f = nil
		}
	}()
	if f.writer, err = connect(o.Path, writerPragmas(o)); err != nil {
		return f, err
	}
	if err := migrate(ctx, f.writer, migrations); err != nil {
		return f, err
	}
	for range o.Readers {
		c, err := connect(o.Path, readerPragmas())
		if err != nil {
			return f, err
		}
		f.readers <- c
		f.all++
	}
	return f, nil
}

// read lends a reading connection to do.
func (f *file) read(ctx context.Context, do func(c *conn) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case <-f.closing:
		return errClosed
	default:
	}
	select {
	case <-f.closing:
		return errClosed
	case <-ctx.Done():
		return ctx.Err()
	case c := <-f.readers:
		err := do(c)
		f.readers <- c
		return err
	}
}

// snapshot is read with one view of the data for all statements of do.
func (f *file) snapshot(ctx context.Context, do func(c *conn) error) error {
	return f.read(ctx, func(c *conn) error {
		if err := c.exec("BEGIN"); err != nil {
			return err
		}
		err := do(c)
		return errors.Join(err, c.exec("COMMIT"))
	})
}

// transact runs do in a transaction on the writing connection. If do or the
// commit fails nothing has changed.
func (f *file) transact(ctx context.Context, do func(c *conn) error) error {
	f.writing.Lock()
	defer f.writing.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	if f.closed {
		return errClosed
	}
	if f.failed != nil {
		return f.failed
	}
	err := f.writer.exec("BEGIN IMMEDIATE")
	if err == nil {
		if err = do(f.writer); err == nil {
			err = f.writer.exec("COMMIT")
		}
	}
	if err == nil {
		return nil
	}
	// Some errors end the transaction by themselves.
	if !f.writer.db.AutoCommit() {
		if again := f.writer.exec("ROLLBACK"); again != nil {
			f.failed = fault.Wrap(fault.Unavailable, errors.Join(err, again), "a failed write could not be taken back: start the server again")
		}
	}
	if unconfirmed(err) {
		// The operating system may have dropped what it could not write and
		// called it clean: a second sync would say yes to data that is gone.
		f.failed = fault.Wrap(fault.Unavailable, err, "the disk did not confirm a write: check it, then start the server again")
		f.log.Error("the disk did not confirm a write; nothing more is written", "file", f.path, "error", err)
		return f.failed
	}
	return err
}

var errClosed = fault.New(fault.Unavailable, "the store is closed")

// close waits for the calls under way and gives the file back.
func (f *file) close() error {
	f.once.Do(func() {
		close(f.closing)
		var errs []error
		for range f.all {
			errs = append(errs, (<-f.readers).close())
		}
		f.writing.Lock()
		defer f.writing.Unlock()
		f.closed = true
		if f.writer != nil {
			errs = append(errs, f.writer.close())
		}
		errs = append(errs, f.release())
		f.closeErr = errors.Join(errs...)
	})
	return f.closeErr
}
