package duckdb

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"time"

	"github.com/duckdb/duckdb-go/v2"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/money"
	"rapport/internal/core/profile"
	"rapport/internal/fault"
	"rapport/internal/warehouse"
)

// asking is a query that runs, with what must be given back when it ends.
type asking struct {
	in    *instance
	c     conn
	slots chan struct{}
	stop  context.CancelFunc
	ctx   context.Context
}

// ask begins a transaction that only reads, on a connection of its own.
func (d *DB) ask(ctx context.Context, within time.Duration) (*asking, error) {
	a := &asking{slots: d.slots, stop: func() {}, ctx: ctx}
	if within > 0 {
		a.ctx, a.stop = context.WithTimeoutCause(ctx, within, errTime)
	}
	select {
	case d.slots <- struct{}{}:
	case <-a.ctx.Done():
		a.stop()
		return nil, ended(a.ctx, a.ctx.Err())
	}
	in, err := d.use()
	if err != nil {
		<-d.slots
		a.stop()
		return nil, err
	}
	a.in = in
	a.c, err = connect(ctx, in.connector)
	if err != nil {
		in.release()
		<-d.slots
		a.stop()
		return nil, err
	}
	if err := a.c.exec(ctx, "BEGIN TRANSACTION READ ONLY"); err != nil {
		return nil, errors.Join(err, a.end())
	}
	return a, nil
}

func (a *asking) end() error {
	err := a.c.Close() // the transaction goes with it
	a.in.release()
	a.stop()
	<-a.slots
	return err
}

// prepare reads the SQL of a stranger: one statement that selects. It returns the
// statement as it is to be run, after wrap has put something around it.
func (a *asking) prepare(sql string, wrap func(inner string, s *duckdb.Stmt) string) (*duckdb.Stmt, error) {
	if len(sql) > maxSQL {
		return nil, fault.New(fault.TooLarge, fmt.Sprintf("a statement has at most %d bytes", maxSQL))
	}
	sql = strings.TrimRight(strings.TrimSpace(sql), "; \t\r\n")
	if !selects(sql) {
		return nil, errSelect
	}
	if strings.ContainsRune(sql, 0) {
		return nil, fault.New(fault.Invalid, "the statement has a zero byte in it")
	}
	first, err := a.c.Prepare(sql)
	if err != nil {
		if errors.As(err, new(*duckdb.Error)) {
			return nil, refusal(err)
		}
		return nil, errSelect
	}
	stmt := first.(*duckdb.Stmt)
	kind, err := stmt.StatementType()
	if err != nil || kind != duckdb.STATEMENT_TYPE_SELECT {
		return nil, errors.Join(errDenied, stmt.Close())
	}
	wrapped := sql
	if wrap != nil {
		wrapped = wrap(sql, stmt)
	}
	if wrapped == sql {
		return stmt, nil
	}
	if err := stmt.Close(); err != nil {
		return nil, err
	}
	again, err := a.c.Prepare(wrapped)
	if err != nil {
		if errors.As(err, new(*duckdb.Error)) {
			return nil, refusal(err)
		}
		return nil, fault.New(fault.Invalid, "the statement must stand by itself: "+err.Error())
	}
	return again.(*duckdb.Stmt), nil
}

var (
	errSelect = fault.New(fault.Invalid, "one statement is expected, which begins with SELECT, FROM, VALUES or WITH")
	errDenied = fault.New(fault.Denied, "only SELECT is allowed: the warehouse is made of the feed, and nothing else changes it")
)

// selects reports whether the first word of a statement is one of a query. DuckDB
// calls some others, such as PRAGMA database_list, queries too.
func selects(sql string) bool {
	for {
		sql = strings.TrimLeft(sql, " \t\r\n(")
		switch {
		case strings.HasPrefix(sql, "--"):
			_, sql, _ = strings.Cut(sql, "\n")
		case strings.HasPrefix(sql, "/*"):
			_, sql, _ = strings.Cut(sql, "*/")
		default:
			end := strings.IndexFunc(sql, func(r rune) bool { return (r|0x20) < 'a' || (r|0x20) > 'z' })
			if end < 0 {
				end = len(sql)
			}
			switch strings.ToLower(sql[:end]) {
			case "select", "from", "values", "with":
				return true
			}
			return false
		}
	}
}

// maxSQL bounds a statement: longer than what anybody writes, shorter than what
// makes the parser work for seconds.
const maxSQL = 64 << 10

// Query implements [warehouse.Warehouse].
func (d *DB) Query(ctx context.Context, sql string, args []any, limits warehouse.Limits) (warehouse.Rows, error) {
	limits = limits.Filled()
	if d.elsewhere(limits) {
		return d.queryApart(ctx, sql, args, limits)
	}
	named, err := bind(args)
	if err != nil {
		return nil, err
	}
	a, err := d.ask(ctx, limits.Time)
	if err != nil {
		return nil, err
	}
	r, err := a.query(sql, named, limits)
	if err != nil {
		return nil, errors.Join(ended(a.ctx, err), a.end())
	}
	return r, nil
}

func (a *asking) query(sql string, named []driver.NamedValue, limits warehouse.Limits) (*rows, error) {
	stmt, err := a.prepare(sql, func(inner string, _ *duckdb.Stmt) string {
		if limits.Rows < 0 {
			return inner
		}
		// One more than is shown, so that we know whether there were more.
		return fmt.Sprintf("SELECT * FROM (\n%s\n) LIMIT %d", inner, limits.Rows+1)
	})
	if err != nil {
		return nil, err
	}
	r := &rows{asking: a, stmt: stmt, limits: limits}
	for i := range must(stmt.ColumnCount()) {
		name, _ := stmt.ColumnName(i)
		t, _ := stmt.ColumnType(i)
		r.columns = append(r.columns, warehouse.Column{Name: name, Type: typeOf(t)})
	}
	out, err := stmt.QueryContext(a.ctx, named)
	if err != nil {
		return nil, errors.Join(refusal(err), stmt.Close())
	}
	r.rows, r.row, r.values = out, make([]driver.Value, len(r.columns)), make([]any, len(r.columns))
	return r, nil
}

func must(n int, _ error) int { return n } // unreachable: the statement is open

// ended says that a query's time was over, if it was.
func ended(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); ctx.Err() != nil && cause != nil {
		return cause
	}
	return err
}

// bind makes arguments of what the product's own types are.
func bind(args []any) ([]driver.NamedValue, error) {
	named := make([]driver.NamedValue, len(args))
	for i, v := range args {
		switch x := v.(type) {
		case identity.ID:
			v = x.String()
		case profile.DeliveryID:
			v = x.String()
		case event.Time:
			v = at(x)
		case money.Micros:
			v = int64(x)
		case int:
			v = int64(x)
		case nil, bool, int64, float64, string, time.Time:
		default:
			return nil, fault.New(fault.Invalid, fmt.Sprintf("argument %d is a %T, which no column is", i+1, v))
		}
		named[i] = driver.NamedValue{Ordinal: i + 1, Value: v}
	}
	return named, nil
}

func typeOf(t duckdb.Type) warehouse.Type {
	switch t {
	case duckdb.TYPE_BOOLEAN:
		return warehouse.Bool
	case duckdb.TYPE_TINYINT, duckdb.TYPE_SMALLINT, duckdb.TYPE_INTEGER, duckdb.TYPE_BIGINT, duckdb.TYPE_UTINYINT, duckdb.TYPE_USMALLINT, duckdb.TYPE_UINTEGER,
		duckdb.TYPE_UBIGINT, duckdb.TYPE_HUGEINT, duckdb.TYPE_UHUGEINT:
		return warehouse.Int
	case duckdb.TYPE_FLOAT, duckdb.TYPE_DOUBLE, duckdb.TYPE_DECIMAL:
		return warehouse.Float
	case duckdb.TYPE_TIMESTAMP, duckdb.TYPE_TIMESTAMP_S, duckdb.TYPE_TIMESTAMP_MS, duckdb.TYPE_TIMESTAMP_NS, duckdb.TYPE_TIMESTAMP_TZ, duckdb.TYPE_DATE:
		return warehouse.Time
	case duckdb.TYPE_UUID:
		return warehouse.ID
	case duckdb.TYPE_LIST, duckdb.TYPE_ARRAY:
		return warehouse.List
	}
	return warehouse.Text
}

// rows implements [warehouse.Rows].
type rows struct {
	*asking
	stmt    *duckdb.Stmt
	rows    driver.Rows
	columns []warehouse.Column
	limits  warehouse.Limits

	row       []driver.Value
	values    []any
	count     int64
	bytes     int64
	truncated bool
	err       error
	closed    bool
}

// Columns implements [warehouse.Rows].
func (r *rows) Columns() []warehouse.Column { return r.columns }

// Err implements [warehouse.Rows].
func (r *rows) Err() error { return r.err }

// Truncated implements [warehouse.Rows].
func (r *rows) Truncated() bool { return r.truncated }

// Next implements [warehouse.Rows].
func (r *rows) Next() []any {
	if r.err != nil || r.truncated || r.closed {
		return nil
	}
	if r.ctx.Err() != nil {
		r.err = ended(r.ctx, r.ctx.Err())
		return nil
	}
	switch err := r.rows.Next(r.row); {
	case isEOF(err):
		return nil
	case err != nil:
		r.err = refusal(err)
		return nil
	}
	r.count++
	for i, v := range r.row {
		r.values[i] = plain(v, r.columns[i].Type)
		r.bytes += weigh(r.values[i])
	}
	if r.limits.Rows >= 0 && r.count > r.limits.Rows || r.limits.Bytes >= 0 && r.bytes > r.limits.Bytes {
		r.truncated = true
		return nil
	}
	return r.values
}

// Close implements [warehouse.Rows].
func (r *rows) Close() error {
	if r.closed {
		return nil
	}
	r.closed = true
	return errors.Join(r.rows.Close(), r.stmt.Close(), r.end())
}

// weigh is about how many bytes a value takes when it is written.
func weigh(v any) int64 {
	const number = 8
	switch v := v.(type) {
	case string:
		return int64(len(v)) + number
	case []any:
		n := int64(number)
		for _, x := range v {
			n += weigh(x)
		}
		return n
	case identity.ID:
		return 2*int64(len(v)) + number
	}
	return number
}

// plain makes one of the types of [warehouse.Rows] of a value of DuckDB's.
func plain(v driver.Value, t warehouse.Type) any {
	switch x := v.(type) {
	case nil, bool, int64, float64, string:
		return x
	case int8:
		return int64(x)
	case int16:
		return int64(x)
	case int32:
		return int64(x)
	case uint8:
		return int64(x)
	case uint16:
		return int64(x)
	case uint32:
		return int64(x)
	case uint64:
		if int64(x) >= 0 {
			return int64(x)
		}
		return fmt.Sprint(x)
	case *big.Int:
		if x.IsInt64() {
			return x.Int64()
		}
		return x.String()
	case float32:
		return float64(x)
	case duckdb.Decimal:
		return x.Float64()
	case time.Time:
		return x.UTC()
	case []byte:
		if t == warehouse.ID && len(x) == len(identity.ID{}) {
			return identity.ID(x)
		}
		return string(x)
	case []any:
		list := make([]any, len(x))
		for i := range x {
			inner := warehouse.Text
			if b, ok := x[i].([]byte); ok && len(b) == len(identity.ID{}) {
				inner = warehouse.ID
			}
			list[i] = plain(x[i], inner)
		}
		return list
	}
	return fmt.Sprint(v)
}
