package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"net/url"
	"runtime"
	"strconv"

	"github.com/mattn/go-sqlite3"

	"rapport/internal/core/event"
	"rapport/internal/fault"
)

// conn is one connection with its prepared statements. It serves one caller at
// a time.
type conn struct {
	db    *sqlite3.SQLiteConn
	stmts map[string]*statement
	calls int // since others had the processor
}

// statement is a prepared statement with the space for its arguments.
type statement struct {
	db   *sqlite3.SQLiteStmt
	args []driver.NamedValue
	row  []driver.Value
}

// pageSize is that of a new database in bytes; an older one keeps its own. A commit
// changes rows of 1 to 2 KB that lie anywhere, and each costs a page in the WAL and
// often one in the database; a sweep reads and changes rows that lie together, two or
// three in a page. It is the page of the operating system too, which writes no part of
// one without looking at the rest.
const pageSize = 4096

// busyTimeout is never waited for in normal running: there is one writer, and
// readers of a WAL wait for nobody. It covers the moment in which another
// process, a backup or a shell, looks at the file.
const busyTimeout = "5000"

func writerPragmas(o Options) []string {
	synchronous := "FULL"
	if o.Sync == "off" {
		synchronous = "OFF"
	}
	return []string{
		"page_size=" + strconv.Itoa(pageSize),
		"journal_mode=WAL",
		"synchronous=" + synchronous,
		"cache_size=-" + strconv.Itoa(o.CacheMB<<10),
		"temp_store=MEMORY",
		"wal_autocheckpoint=0", // see checkpointer,
	}
}

func readerPragmas() []string {
	return []string{"query_only=1", "cache_size=-" + strconv.Itoa(readerCacheMB<<10), "temp_store=MEMORY"}
}

// connect opens a connection to the file at path.
func connect(path string, pragmas []string) (*conn, error) {
	keepPlans()
	bundles()
	// The path is escaped: a question mark in a folder's name is not a parameter.
	dsn := (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: "_mutex=no&_busy_timeout=" + busyTimeout}).String()
	db, err := (&sqlite3.SQLiteDriver{}).Open(dsn)
	if err != nil {
		return nil, trouble(err)
	}
	c := &conn{db: db.(*sqlite3.SQLiteConn), stmts: map[string]*statement{}}
	for _, p := range pragmas {
		if _, err := c.db.ExecContext(context.Background(), "PRAGMA "+p, nil); err != nil {
			return nil, errors.Join(trouble(err), c.close())
		}
	}
	return c, nil
}

func (c *conn) close() error {
	var errs []error
	for _, s := range c.stmts {
		errs = append(errs, s.db.Close())
	}
	c.stmts = nil
	return trouble(errors.Join(append(errs, c.db.Close())...))
}

// prepare returns the statement of a query, with args in place.
func (c *conn) prepare(query string, args []any) (*statement, error) {
	s := c.stmts[query]
	if s == nil {
		p, err := c.db.PrepareContext(context.Background(), query)
		if err != nil {
			return nil, trouble(err)
		}
		s = &statement{db: p.(*sqlite3.SQLiteStmt)}
		s.args = make([]driver.NamedValue, s.db.NumInput())
		for i := range s.args {
			s.args[i].Ordinal = i + 1
		}
		c.stmts[query] = s
	}
	if len(args) != len(s.args) {
		return nil, fault.New(fault.Internal, "a statement with the wrong number of arguments: "+query)
	}
	for i, a := range args {
		s.args[i].Value = value(a)
	}
	c.breathe(1)
	return s, nil
}

// breathe lets others have the processor after so many calls more into C, which the scheduler
// takes for waits: it would come only when a time slice ends, and whoever became ready
// on this processor meanwhile waits for that long.
func (c *conn) breathe(calls int) {
	if c.calls += calls; c.calls >= breath {
		c.calls = 0
		runtime.Gosched()
	}
}

// breath is how many calls are made in one go: some 400 µs. Each time costs the scheduler
// some microseconds, for it wakes a thread that looks for what else there is to do.
const breath = 48

// value turns what we keep into what the driver takes. An instant that never
// comes is NULL, so that an index can leave it out.
func value(a any) driver.Value {
	switch a := a.(type) {
	case event.Time:
		if a == event.Never {
			return nil
		}
		return int64(a)
	case uint64:
		return int64(a) // and back: the bits stay
	case int:
		return int64(a)
	case int32:
		return int64(a)
	}
	return a
}

// exec runs a statement. It asks as for rows, although there are none: on that
// way the driver binds all arguments and runs the statement in one call into C.
func (c *conn) exec(query string, args ...any) error {
	s, err := c.prepare(query, args)
	if err != nil {
		return err
	}
	rows, err := s.db.QueryContext(context.Background(), s.args)
	if err != nil {
		return trouble(err)
	}
	return trouble(rows.Close())
}

// change runs a statement and returns how many rows it changed.
func (c *conn) change(query string, args ...any) (int64, error) {
	s, err := c.prepare(query, args)
	if err != nil {
		return 0, err
	}
	r, err := s.db.ExecContext(context.Background(), s.args)
	if err != nil {
		return 0, trouble(err)
	}
	return r.RowsAffected()
}

// query calls each for every row. The values are each's to keep, the slice is not.
func (c *conn) query(ctx context.Context, columns int, each func(row []driver.Value) error, query string, args ...any) error {
	return c.rows(ctx, false, columns, each, query, args)
}

// find is query where there is one row at most: to be told that there is no second
// would cost as much as the first.
func (c *conn) find(columns int, found func(row []driver.Value) error, query string, args ...any) error {
	// The context is not given on: a row is a matter of microseconds, and watching a
	// context costs as much again.
	return c.rows(context.Background(), true, columns, found, query, args)
}

func (c *conn) rows(ctx context.Context, one bool, columns int, each func(row []driver.Value) error, query string, args []any) error {
	s, err := c.prepare(query, args)
	if err != nil {
		return err
	}
	if s.row == nil {
		s.row = make([]driver.Value, columns)
	}
	rows, err := s.db.QueryContext(ctx, s.args)
	if err != nil {
		return trouble(err)
	}
	for {
		if err = rows.Next(s.row); err != nil {
			break
		}
		c.breathe(1)
		if err = each(s.row); err != nil || one {
			break
		}
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return trouble(errors.Join(err, rows.Close()))
}
