package duckdb

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"database/sql/driver"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"rapport/internal/core/wire"
	"rapport/internal/fault"
	"rapport/internal/warehouse"
)

// What strangers ask runs apart: in a process of its own, which [Answer] is the
// inside of. A value such as repeat('x', 4000000000) is made by one call that
// nothing interrupts, in memory that DuckDB does not count; a process has a bound
// that the kernel keeps, and can be killed. The file is opened there for reading
// only. Nothing overwrites what such a process reads: between two checkpoints
// DuckDB writes only to blocks that the file's header does not name, or a crash
// would lose what was committed. So no checkpoint is made while one runs.

// question is what a process is told.
type question struct {
	Path, Dir string // the file, and a folder of its own for what is spilled and exported
	Threads   int
	SQL       string
	Limits    warehouse.Limits
	Format    warehouse.Format // empty: rows are wanted
	args      []driver.NamedValue
}

// The kinds of frames that a process answers with, each behind its length.
const (
	frameOpened  = 'o' // the file is open
	frameColumns = 'c'
	frameRows    = 'r'
	frameBytes   = 'b' // of an export
	frameEnd     = 'e' // whether rows were left out, and what went wrong, if anything
)

const (
	// frameSize is about how much is sent at once.
	frameSize = 64 << 10
	// grace is how much longer than its time a process is waited for, which ends a
	// query by itself where it can and says so.
	grace = 500 * time.Millisecond
	// maxComplaint bounds what is kept of a process's last words.
	maxComplaint = 8 << 10
)

// apart is a query that runs in another process.
type apart struct {
	d       *DB
	in      *instance
	ctx     context.Context
	stop    context.CancelFunc
	dir     string
	memory  int64
	process *exec.Cmd
	stdin   io.WriteCloser
	out     *bufio.Reader
	words   *words
	counted bool // among those who read the file elsewhere
	over    bool
}

// elsewhere reports whether a query with these limits runs in another process.
func (d *DB) elsewhere(l warehouse.Limits) bool {
	return canBound && len(d.o.Apart) > 0 && l.Memory >= 0
}

// send begins a query in another process, which has the file open when it returns.
func (d *DB) send(ctx context.Context, q question) (a *apart, err error) {
	a = &apart{d: d, stop: func() {}, ctx: ctx, memory: q.Limits.Memory, words: &words{}}
	if q.Limits.Time > 0 {
		a.ctx, a.stop = context.WithTimeoutCause(ctx, q.Limits.Time, errTime)
	}
	if err := a.ctx.Err(); err != nil {
		a.stop()
		return nil, ended(a.ctx, err)
	}
	select {
	case d.slots <- struct{}{}:
	case <-a.ctx.Done():
		a.stop()
		return nil, ended(a.ctx, a.ctx.Err())
	}
	if a.in, err = d.use(); err != nil {
		<-d.slots
		a.stop()
		return nil, err
	}
	defer func() {
		if err != nil {
			err = a.why(err)
			a.end()
			a = nil
		}
	}()
	a.dir = filepath.Join(d.o.Dir, apartDir, rand.Text())
	if err := os.MkdirAll(filepath.Join(a.dir, exportDir), 0o700); err != nil {
		return a, err
	}
	q.Path, q.Dir, q.Threads = a.in.path, a.dir, d.o.Threads
	// Nothing is committed while the file and its journal are opened.
	if err := a.in.quiet(a.ctx); err != nil {
		return a, err
	}
	a.counted = true
	defer a.in.loud()
	if err := a.start(&q); err != nil {
		return a, err
	}
	kind, r, err := a.frame()
	switch {
	case err != nil:
		return a, err
	case kind == frameEnd:
		_, err := readEnd(r)
		return a, err
	}
	return a, nil
}

// start begins the process and tells it the question.
func (a *apart) start(q *question) error {
	args := a.d.o.Apart
	a.process = exec.Command(args[0], args[1:]...)
	a.process.Env = []string{"TMPDIR=" + a.dir, "GOTRACEBACK=none", "GOGC=100"} // and nothing secret
	a.process.Env = append(a.process.Env, a.d.o.ApartEnv...)
	a.process.Stderr = a.words
	aside(a.process)
	var err error
	if a.stdin, err = a.process.StdinPipe(); err != nil {
		return err
	}
	out, err := a.process.StdoutPipe()
	if err != nil {
		return err
	}
	if err := a.process.Start(); err != nil {
		a.process = nil
		return fmt.Errorf("starting the process of a query: %w", err)
	}
	a.out = bufio.NewReaderSize(out, frameSize)
	process, ctx := a.process.Process, a.ctx
	// Whoever calls may end it, its time does, and opening must not take for ever.
	context.AfterFunc(ctx, func() {
		if context.Cause(ctx) == errTime { // it may still say so itself
			time.Sleep(grace)
		}
		process.Kill()
	})
	_, err = a.stdin.Write(q.pack())
	return err
}

// frame reads the next frame.
func (a *apart) frame() (byte, *wire.Reader, error) {
	n, err := binary.ReadUvarint(a.out)
	if err != nil || n == 0 {
		return 0, nil, a.gone(err)
	}
	if most := uint64(max(a.memory, 0)) + frameSize; n > most {
		return 0, nil, fmt.Errorf("the process of a query sent %d bytes at once", n)
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(a.out, b); err != nil {
		return 0, nil, a.gone(err)
	}
	return b[0], wire.NewReader(string(b[1:])), nil
}

// gone says why a process ended before its answer did.
func (a *apart) gone(err error) error {
	if a.ctx.Err() != nil {
		return ended(a.ctx, a.ctx.Err())
	}
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return err
	}
	state := a.wait()
	words := a.words.String()
	for _, sign := range []string{"out of memory", "cannot allocate memory", "bad_alloc", "Out of Memory", "signal: killed", "failed to create new OS thread", "pthread_create failed", "unexpected signal"} {
		if strings.Contains(words, sign) || strings.Contains(state, sign) {
			return a.memoryFault()
		}
	}
	return fmt.Errorf("the process of a query ended (%s): %s", state, words)
}

func (a *apart) memoryFault() error {
	return fault.New(fault.TooLarge, fmt.Sprintf("the query needs more than the %d MB of memory that it may take, and was ended; narrow it, group by less, or make smaller values", a.memory>>20))
}

// why words an error of the process: which of its bounds it met.
func (a *apart) why(err error) error {
	if a.ctx.Err() != nil {
		return ended(a.ctx, a.ctx.Err())
	}
	return err
}

// wait waits until the process has ended and says how.
func (a *apart) wait() string {
	if a.process == nil {
		return "not begun"
	}
	p := a.process
	a.process = nil
	a.stdin.Close()
	if err := p.Wait(); err != nil {
		return err.Error()
	}
	return "by itself"
}

// end ends the process, if it runs, and gives back what it held. A second call does
// nothing.
func (a *apart) end() error {
	if a.over {
		return nil
	}
	a.over = true
	if a.process != nil {
		a.process.Process.Kill()
		a.wait()
	}
	a.stop()
	err := error(nil)
	if a.dir != "" {
		err = os.RemoveAll(a.dir)
	}
	if a.counted {
		a.in.left()
	}
	a.in.release()
	<-a.d.slots
	return err
}

// queryApart asks in another process.
func (d *DB) queryApart(ctx context.Context, sql string, args []any, limits warehouse.Limits) (warehouse.Rows, error) {
	named, err := bind(args)
	if err != nil {
		return nil, err
	}
	a, err := d.send(ctx, question{SQL: sql, Limits: limits, args: named})
	if err != nil {
		return nil, err
	}
	r := &apartRows{apart: a}
	kind, frame, err := a.frame()
	switch {
	case err != nil:
	case kind == frameColumns:
		r.columns = readColumns(frame)
		err = frame.Err()
	case kind == frameEnd:
		if _, err = readEnd(frame); err == nil {
			err = errors.New("the process of a query ended without an answer")
		}
	}
	if err != nil {
		return nil, errors.Join(a.why(err), a.end())
	}
	r.values = make([]any, len(r.columns))
	return r, nil
}

// apartRows implements [warehouse.Rows].
type apartRows struct {
	*apart
	columns   []warehouse.Column
	values    []any
	batch     *wire.Reader
	truncated bool
	err       error
	ended     bool
}

// Columns implements [warehouse.Rows].
func (r *apartRows) Columns() []warehouse.Column { return r.columns }

// Err implements [warehouse.Rows].
func (r *apartRows) Err() error { return r.err }

// Truncated implements [warehouse.Rows].
func (r *apartRows) Truncated() bool { return r.truncated }

// Next implements [warehouse.Rows].
func (r *apartRows) Next() []any {
	for !r.ended && r.err == nil && !r.over {
		if r.batch != nil && !r.batch.Done() {
			for i := range r.values {
				r.values[i] = readValue(r.batch, 0)
			}
			if r.err = r.batch.Err(); r.err != nil {
				return nil
			}
			return r.values
		}
		kind, frame, err := r.frame()
		switch {
		case err != nil:
			r.err = err
		case kind == frameRows:
			r.batch = frame
		case kind == frameEnd:
			r.ended = true
			r.truncated, err = readEnd(frame)
			if err != nil {
				r.err = r.why(err)
			}
		}
	}
	return nil
}

// Close implements [warehouse.Rows].
func (r *apartRows) Close() error { return r.end() }

// exportApart writes an export that another process makes.
func (d *DB) exportApart(ctx context.Context, sql string, format warehouse.Format, within time.Duration, w io.Writer) error {
	a, err := d.send(ctx, question{SQL: sql, Format: format, Limits: warehouse.Limits{Time: within}.Filled()})
	if err != nil {
		return err
	}
	for {
		kind, frame, err := a.frame()
		switch {
		case err != nil:
			return errors.Join(a.why(err), a.end())
		case kind == frameBytes:
			if _, err := io.WriteString(w, frame.Rest()); err != nil {
				return errors.Join(err, a.end())
			}
		case kind == frameEnd:
			if _, err = readEnd(frame); err != nil {
				err = a.why(err)
			}
			return errors.Join(err, a.end())
		}
	}
}

// words keeps the beginning of what is written to it.
type words struct{ b bytes.Buffer }

func (t *words) Write(p []byte) (int, error) {
	if t.b.Len() < maxComplaint {
		t.b.Write(p[:min(len(p), maxComplaint-t.b.Len())])
	}
	return len(p), nil
}

func (t *words) String() string { return strings.TrimSpace(t.b.String()) }
