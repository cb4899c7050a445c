package duckdb

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/duckdb/duckdb-go/v2"

	"rapport/internal/core/wire"
)

// Answer is the inside of a process of [Options.Apart]: it reads one question from
// in, answers it to out and returns. The process may take no more memory from then
// on, and ends when in does: nobody waits for the answer any more.
func Answer(in io.Reader, out io.Writer) error {
	reader := bufio.NewReader(in)
	q, err := readQuestion(reader)
	if err != nil {
		return err
	}
	go func() {
		io.Copy(io.Discard, reader)
		os.Exit(1)
	}()
	if q.Limits.Time > 0 { // whoever asked may be stopped
		time.AfterFunc(q.Limits.Time+2*grace, func() { os.Exit(1) })
	}
	a := answering{q: &q, out: out}
	truncated, err := a.run(context.Background())
	return a.frame(frameEnd, appendEnd(nil, truncated, err))
}

type answering struct {
	q   *question
	out io.Writer
	b   []byte
}

func (a *answering) frame(kind byte, b []byte) error {
	a.b = append(wire.Uvarint(a.b[:0], uint64(len(b)+1)), kind)
	if _, err := a.out.Write(append(a.b, b...)); err != nil {
		return err
	}
	return nil
}

func (a *answering) run(ctx context.Context) (truncated bool, err error) {
	q := a.q
	// Half of the memory is DuckDB's own limit, at which it spills to files, or ends
	// the query with a word; the rest is for what it does not count.
	d := &DB{o: Options{Dir: q.Dir, MemoryMB: max(int(q.Limits.Memory>>21), leastMemoryMB), Threads: q.Threads}, slots: make(chan struct{}, 1)}
	connector, err := duckdb.NewConnector(q.Path+"?access_mode=READ_ONLY&max_temp_directory_size="+fmt.Sprint(maxSpillMB)+"MB&"+d.config(d.o.MemoryMB), nil)
	if err != nil {
		return false, translate(err, "opening the warehouse")
	}
	c, err := connect(ctx, connector)
	if err != nil {
		return false, err
	}
	// Whoever reads nothing of it has read no journal either.
	if err := errors.Join(c.exec(ctx, d.locks()...), c.exec(ctx, "SELECT count(*) FROM schema_version"), c.Close()); err != nil {
		return false, err
	}
	d.now = &instance{path: q.Path, connector: connector, done: make(chan struct{})}
	if err := bound(q.Limits.Memory); err != nil {
		return false, fmt.Errorf("bounding the memory: %w", err)
	}
	if err := a.frame(frameOpened, nil); err != nil {
		return false, err
	}
	if q.Format != "" {
		return false, d.Export(ctx, q.SQL, q.Format, q.Limits.Time, writes(func(b []byte) error { return a.frame(frameBytes, b) }))
	}
	return a.rows(ctx, d)
}

// maxSpillMB bounds what a query puts on the disk beside the tables.
const maxSpillMB = 4096

func (a *answering) rows(ctx context.Context, d *DB) (truncated bool, err error) {
	asking, err := d.ask(ctx, a.q.Limits.Time)
	if err != nil {
		return false, err
	}
	rows, err := asking.query(a.q.SQL, a.q.args, a.q.Limits)
	if err != nil {
		return false, errors.Join(ended(asking.ctx, err), asking.end())
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	if err := a.frame(frameColumns, appendColumns(nil, rows.columns)); err != nil {
		return false, err
	}
	batch := make([]byte, 0, 2*frameSize)
	for row := rows.Next(); row != nil; row = rows.Next() {
		for _, v := range row {
			batch = appendValue(batch, v)
		}
		if len(batch) >= frameSize {
			if err := a.frame(frameRows, batch); err != nil {
				return false, err
			}
			batch = batch[:0]
		}
	}
	if rows.Err() != nil {
		return false, rows.Err()
	}
	if len(batch) > 0 {
		if err := a.frame(frameRows, batch); err != nil {
			return false, err
		}
	}
	return rows.Truncated(), nil
}

// writes makes a writer of a function.
type writes func(b []byte) error

func (w writes) Write(b []byte) (int, error) { return len(b), w(b) }

// quiet waits until nothing is committed and keeps it so until loud. It counts the
// caller among those who read the file elsewhere, until left.
func (in *instance) quiet(ctx context.Context) error {
	for {
		if err := in.hold(ctx); err != nil {
			return err
		}
		alone := in.lonely()
		if alone == nil || in.journal() < journalOver {
			break
		}
		in.loud() // the next load brings the journal into the file once they have gone
		select {
		case <-alone:
		case <-ctx.Done():
			return ended(ctx, ctx.Err())
		}
	}
	in.mu.Lock()
	in.apart++
	in.mu.Unlock()
	return nil
}

// hold waits until nothing is committed, nor the file opened elsewhere, and keeps it
// so until loud.
func (in *instance) hold(ctx context.Context) error {
	select {
	case in.commits <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ended(ctx, ctx.Err())
	}
}

func (in *instance) loud() { <-in.commits }

func (in *instance) left() {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.apart--
	if in.apart == 0 && in.alone != nil {
		close(in.alone)
		in.alone = nil
	}
}

// lonely returns a channel that is closed once nobody reads the file elsewhere; nil
// if nobody does.
func (in *instance) lonely() <-chan struct{} {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.apart == 0 {
		return nil
	}
	if in.alone == nil {
		in.alone = make(chan struct{})
	}
	return in.alone
}
