package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
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
	checker *checkpointer
	closed  bool
	failed  error // the disk did not confirm a write: nothing more is written
	group   group

	synced bool // commits wait for the disk

	closing  chan struct{}
	once     sync.Once
	closeErr error
}

// private makes a file that is not there for its owner alone. SQLite would let
// everybody read it whom the folder lets in, and gives the files beside it the same
// rights.
func private(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
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
	keepMemory()
	f = &file{path: o.Path, log: o.Log, release: release, readers: make(chan *conn, o.Readers), closing: make(chan struct{}), synced: o.Sync != "off"}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.close())
			f = nil
		}
	}()
	if err := private(o.Path); err != nil {
		return f, diskFault(err, "the file "+o.Path+" cannot be made")
	}
	if f.writer, err = connect(o.Path, writerPragmas(o)); err != nil {
		return f, err
	}
	if err := migrate(ctx, f.writer, migrations); err != nil {
		return f, err
	}
	c, err := connect(o.Path, writerPragmas(o))
	if err != nil {
		return f, err
	}
	if f.checker, err = newCheckpointer(f, c); err != nil {
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
func (f *file) read(ctx context.Context, do func(c *conn) error) (err error) {
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
		defer func() {
			f.readers <- c
			if damage := recover(); damage != nil {
				// A column of another type than we write is damage, and no reason to die:
				// a process that dies of a row dies at every start.
				err = fault.New(fault.Corrupt, fmt.Sprintf("%s holds a row that nobody wrote: %v", f.path, damage))
			}
		}()
		return do(c)
	}
}

// id16 returns an id as it stands in a row. One of another length, which nobody
// wrote, is cut or filled up with zeros: it names nothing, and whoever asks for it
// finds that out.
func id16(v driver.Value) (id [16]byte) {
	b, _ := v.([]byte)
	copy(id[:], b)
	return id
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
		f.closed = true
		f.writing.Unlock()
		if f.checker != nil {
			errs = append(errs, f.checker.close())
		}
		f.writing.Lock() // the checkpointer takes it
		defer f.writing.Unlock()
		if f.writer != nil {
			errs = append(errs, f.writer.close())
		}
		errs = append(errs, f.release())
		f.closeErr = errors.Join(errs...)
	})
	return f.closeErr
}
