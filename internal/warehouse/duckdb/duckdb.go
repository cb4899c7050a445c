// Package duckdb keeps a warehouse in one DuckDB file, in the process.
//
// Tables are only appended to and have no keys or indexes: an index of DuckDB
// lives in memory, and what must be there once is seen to by the position that is
// committed with the rows. Counts are exact ones.
//
// DuckDB takes no more memory than [Options.MemoryMB], beside some for each query
// and what the C library keeps; it spills to files below Dir. After Open nothing
// can be opened from SQL: no file, no other database, no extension, no setting.
// That is the database's own lock, and not our reading of the statement; the
// latter is asked too, and each query runs in a transaction that only reads.
//
// The file is named by a generation. [DB.Forget] writes the next generation
// without the people who are to go and deletes the old one, so that no byte of
// theirs stays behind in free blocks. A crash meanwhile leaves one of the two
// whole.
//
// This is the only package that imports DuckDB: a binary that links it is 60 MB
// larger.
package duckdb

import (
	"cmp"
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"github.com/duckdb/duckdb-go/v2"

	"rapport/internal/fault"
	"rapport/internal/warehouse"
)

// Options say where a warehouse is and what it may use.
type Options struct {
	// Dir is the folder of the file and of what is spilled. It is made if there is
	// none, and must be this process's own.
	Dir string

	// MemoryMB is how many megabytes DuckDB may take. Default: 256. It wants 32 at
	// the least.
	MemoryMB int

	// Threads is how many cores a query may use. Default: 2.
	Threads int

	// Queries is how many queries run at once; more wait. Default: 2.
	Queries int

	// Apart is a command line that calls [Answer]: queries of strangers, which have a
	// limit of memory, run in processes of it. Default: none, and they run in this
	// process, where only what DuckDB counts is bounded. So they do on systems other
	// than Linux.
	Apart []string

	// ApartEnv is the whole environment of such a process beside what we set.
	ApartEnv []string
}

const (
	defaultMemoryMB = 256
	leastMemoryMB   = 32
	defaultThreads  = 2
	defaultQueries  = 2
)

// DB is a warehouse in a file. It implements [warehouse.Warehouse].
type DB struct {
	o     Options
	slots chan struct{} // one for each query that may run

	load sync.Mutex // held while something is written

	mu     sync.Mutex // guards the rest
	now    *instance
	number int64 // of the last load
	at     map[int]warehouse.Key
	closed bool
}

var _ warehouse.Warehouse = (*DB)(nil)

// Open opens the warehouse in a folder, or begins one. A file of a newer program,
// and one that is damaged, are faults of kind Invalid and Corrupt: the folder may be
// deleted, and the feed be read anew.
func Open(ctx context.Context, o Options) (*DB, error) {
	o.MemoryMB = max(cmp.Or(o.MemoryMB, defaultMemoryMB), leastMemoryMB)
	o.Threads, o.Queries = cmp.Or(o.Threads, defaultThreads), cmp.Or(o.Queries, defaultQueries)
	if strings.ContainsAny(o.Dir, "?%") {
		return nil, fault.New(fault.Invalid, "the folder of a warehouse must have neither ? nor % in its name: "+o.Dir)
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "the folder of the warehouse cannot be made")
	}
	for _, left := range []string{spillDir, exportDir, apartDir} { // by a process that was killed
		if err := os.RemoveAll(filepath.Join(o.Dir, left)); err != nil {
			return nil, err
		}
	}
	if err := os.MkdirAll(filepath.Join(o.Dir, exportDir), 0o700); err != nil {
		return nil, err
	}
	generation, err := tidy(o.Dir)
	if err != nil {
		return nil, err
	}
	d := &DB{o: o, slots: make(chan struct{}, o.Queries)}
	in, err := d.open(ctx, generation)
	if err != nil {
		return nil, err
	}
	d.now = in
	if err := d.readPositions(ctx); err != nil {
		return nil, errors.Join(err, in.close())
	}
	return d, nil
}

const (
	fileStart = "g"
	fileEnd   = ".duckdb"
	newEnd    = ".new"
	walEnd    = ".wal"
	spillDir  = "spill"
	exportDir = "export"
	apartDir  = "apart"
)

func fileOf(generation int) string { return fmt.Sprintf("%s%06d%s", fileStart, generation, fileEnd) }

// tidy returns the newest whole generation, 1 if there is none, and deletes what
// others left.
func tidy(dir string) (int, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return 0, err
	}
	newest := 1
	for _, e := range entries {
		if n, ok := generationOf(e.Name()); ok {
			newest = max(newest, n)
		}
	}
	for _, e := range entries {
		name := strings.TrimSuffix(strings.TrimSuffix(e.Name(), walEnd), newEnd)
		n, ok := generationOf(name)
		if ok && (n != newest || strings.Contains(e.Name(), newEnd)) {
			if err := os.Remove(filepath.Join(dir, e.Name())); err != nil {
				return 0, err
			}
		}
	}
	return newest, nil
}

func generationOf(name string) (int, bool) {
	digits, ok := strings.CutPrefix(name, fileStart)
	digits, end := strings.CutSuffix(digits, fileEnd)
	n, err := strconv.Atoi(digits)
	return n, ok && end && err == nil
}

// instance is one opening of one file. It closes with the last who uses it.
type instance struct {
	generation int
	path       string
	connector  *duckdb.Connector
	lock       *os.File      // held for readers elsewhere; nil: there are none
	commits    chan struct{} // held while something is committed, or the file opened elsewhere

	mu    sync.Mutex
	uses  int
	over  bool // nobody new
	done  chan struct{}
	apart int           // how many processes read the file
	alone chan struct{} // closed when apart becomes 0; nil: nobody waits for that
}

// open opens a generation and closes every other door.
func (d *DB) open(ctx context.Context, generation int) (*instance, error) {
	path := filepath.Join(d.o.Dir, fileOf(generation))
	connector, err := duckdb.NewConnector(path+"?"+d.config(d.o.MemoryMB), nil)
	if err != nil {
		return nil, translate(err, "opening the warehouse "+path)
	}
	in := &instance{generation: generation, path: path, connector: connector, commits: make(chan struct{}, 1), done: make(chan struct{})}
	c, err := connect(ctx, connector)
	if err == nil {
		if err = build(ctx, c); err == nil {
			err = c.exec(ctx, d.locks()...)
		}
		err = errors.Join(err, c.Close())
	}
	if err == nil && canBound && len(d.o.Apart) > 0 {
		in.lock, err = share(path)
	}
	if err != nil {
		return nil, errors.Join(err, connector.Close())
	}
	return in, os.Chmod(path, 0o600) // DuckDB makes it for everybody to read
}

// config are the settings with which a file is opened.
func (d *DB) config(megabytes int) string {
	return fmt.Sprintf("memory_limit=%dMB&threads=%d&temp_directory=%s&autoinstall_known_extensions=false&autoload_known_extensions=false&allow_community_extensions=false",
		megabytes, d.o.Threads, filepath.Join(d.o.Dir, spillDir))
}

// locks are the statements after which SQL reaches nothing but the tables. Only
// exports may be written, and only by us: a statement that writes is not run.
func (d *DB) locks() []string {
	return []string{
		"SET checkpoint_threshold = '1TB'", // [DB.tidyJournal] makes them, when nobody reads elsewhere
		"SET TimeZone = 'UTC'",
		"SET allowed_directories = ['" + escape(filepath.Join(d.o.Dir, exportDir)) + "']",
		"SET enable_external_access = false",
		"SET lock_configuration = true",
	}
}

// use returns the present instance, which stays open until release.
func (d *DB) use() (*instance, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil, errClosed
	}
	d.now.mu.Lock()
	defer d.now.mu.Unlock()
	d.now.uses++
	return d.now, nil
}

var errClosed = fault.New(fault.Unavailable, "the warehouse is closed")

func (in *instance) release() {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.uses--
	if in.over && in.uses == 0 {
		close(in.done)
	}
}

// retire lets nobody new in, and closes the instance once the last has gone.
func (in *instance) retire(ctx context.Context) error {
	in.mu.Lock()
	in.over = true
	if in.uses == 0 {
		close(in.done)
	}
	in.mu.Unlock()
	select {
	case <-in.done:
		return in.close()
	case <-ctx.Done():
		go func() { // the bytes go when the last reader does
			<-in.done
			in.close()
		}()
		return ctx.Err()
	}
}

func (in *instance) close() error {
	err := in.connector.Close()
	if in.lock != nil {
		err = errors.Join(err, in.lock.Close())
	}
	return err
}

// Close implements [warehouse.Warehouse].
func (d *DB) Close() error {
	d.load.Lock()
	defer d.load.Unlock()
	d.mu.Lock()
	if d.closed {
		d.mu.Unlock()
		return nil
	}
	d.closed = true
	in := d.now
	d.mu.Unlock()
	return in.retire(context.Background())
}

// conn is a connection of DuckDB, without database/sql around it.
type conn struct{ *duckdb.Conn }

func connect(ctx context.Context, connector *duckdb.Connector) (conn, error) {
	c, err := connector.Connect(ctx)
	if err != nil {
		return conn{}, translate(err, "connecting to the warehouse")
	}
	return conn{c.(*duckdb.Conn)}, nil
}

func (c conn) exec(ctx context.Context, statements ...string) error {
	for _, s := range statements {
		if _, err := c.ExecContext(ctx, s, nil); err != nil {
			return translate(err, "running "+firstLine(s))
		}
	}
	return nil
}

// each calls yield with every row of a query of ours. The row is written anew by
// the next.
func (c conn) each(ctx context.Context, sql string, yield func(row []driver.Value) error) error {
	rows, err := c.QueryContext(ctx, sql, nil)
	if err != nil {
		return translate(err, "running "+firstLine(sql))
	}
	defer rows.Close()
	row := make([]driver.Value, len(rows.Columns()))
	for {
		switch err := rows.Next(row); {
		case isEOF(err):
			return nil
		case err != nil:
			return translate(err, "reading "+firstLine(sql))
		}
		if err := yield(row); err != nil {
			return err
		}
	}
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	return line[:min(len(line), 80)]
}

// Stats implements [warehouse.Warehouse].
func (d *DB) Stats(ctx context.Context) (map[string]int64, error) {
	in, err := d.use()
	if err != nil {
		return nil, err
	}
	defer in.release()
	c, err := connect(ctx, in.connector)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	stats := map[string]int64{}
	for _, t := range tables {
		err := c.each(ctx, "SELECT count(*) FROM "+t.name, func(row []driver.Value) error {
			stats[strings.TrimPrefix(t.name, raw)] = row[0].(int64)
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	for _, path := range []string{in.path, in.path + walEnd} {
		if info, err := os.Stat(path); err == nil {
			stats["bytes"] += info.Size()
		}
	}
	return stats, nil
}

// Everything implements [warehouse.Warehouse].
func (d *DB) Everything(ctx context.Context, yield func(table string, row []byte) error) error {
	in, err := d.use()
	if err != nil {
		return err
	}
	defer in.release()
	c, err := connect(ctx, in.connector)
	if err != nil {
		return err
	}
	defer c.Close()
	for _, t := range tables {
		var texts []string
		for _, column := range t.columns {
			texts = append(texts, "coalesce(CAST("+column.name+" AS VARCHAR), '')")
		}
		err := c.each(ctx, "SELECT concat_ws(' ', "+strings.Join(texts, ", ")+") FROM "+t.name, func(row []driver.Value) error {
			return yield(t.name, []byte(row[0].(string)))
		})
		if err != nil {
			return err
		}
	}
	return nil
}
