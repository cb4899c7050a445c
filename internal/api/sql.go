package api

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"rapport/internal/fault"
	"rapport/internal/keys"
	"rapport/internal/warehouse"
)

// The bounds of what a query or an export may ask for: beyond them a shop copies
// the tables out and works on them at its own expense.
const (
	mostRows      = 100_000
	mostBytes     = 32 << 20
	mostSeconds   = 120
	exportFor     = 10 * time.Minute
	maxSQLRequest = 80 << 10
)

// asked is a query in SQL.
type asked struct {
	Body struct {
		SQL     string `json:"sql" maxLength:"65536" doc:"One statement that selects. docs/warehouse.md names the tables."`
		Rows    int64  `json:"rows,omitempty" minimum:"1" maximum:"100000" doc:"How many rows come at most. Default: 10,000."`
		Seconds int64  `json:"seconds,omitempty" minimum:"1" maximum:"120" doc:"How long it may take. Default: 30."`
	}
}

// Table is the answer to a query.
type Table struct {
	Columns   []warehouse.Column `json:"columns"`
	Rows      [][]any            `json:"rows" doc:"Values in the order of the columns: true, a number, a text, an instant as RFC 3339, an id as 32 hex digits, or null."`
	Truncated bool               `json:"truncated" doc:"There were more rows than the limits let through."`
}

// wanted is an export.
type wanted struct {
	Body struct {
		SQL    string `json:"sql,omitempty" maxLength:"65536" doc:"One statement that selects."`
		Table  string `json:"table,omitempty" enum:"events,orders,order_lines,deliveries,decisions,memberships,members,profiles,persons" doc:"A whole table instead of a statement."`
		Format string `json:"format" enum:"csv,parquet"`
	}
}

// warehouse adds the operations that ask the tables.
func (a *API) warehouse() {
	route(a, operation{
		method: http.MethodPost, path: "/sql", scope: keys.SQL, roles: lookers, tag: "reports", summary: "Ask the warehouse in SQL", maxBody: maxSQLRequest,
		about: "It reads and does nothing else. The tables hold no names and no addresses. They follow what happens within seconds.",
	}, func(ctx context.Context, in *asked) (*body[Table], error) {
		if a.o.Warehouse == nil {
			return nil, errNoWarehouse
		}
		limits := warehouse.Limits{Rows: min(in.Body.Rows, mostRows), Bytes: mostBytes, Time: time.Duration(min(in.Body.Seconds, mostSeconds)) * time.Second}
		return answer(ReadTable(ctx, a.o.Warehouse, in.Body.SQL, limits))
	})
	route(a, operation{
		method: http.MethodPost, path: "/exports", scope: keys.SQL, roles: lookers, handsOut: true, tag: "reports", summary: "Export a table or a query as CSV or Parquet", maxBody: maxSQLRequest,
		about: "The answer is the file.",
	}, a.exportRows)
}

var errNoWarehouse = fault.New(fault.Unavailable, "there is no warehouse here: the server was started with --warehouse none")

// ReadTable asks a warehouse and keeps the whole answer.
func ReadTable(ctx context.Context, w warehouse.Warehouse, sql string, limits warehouse.Limits) (Table, error) {
	t := Table{Rows: [][]any{}}
	rows, err := w.Query(ctx, sql, nil, limits)
	if err != nil {
		return t, err
	}
	t.Columns = rows.Columns()
	for row := rows.Next(); row != nil; row = rows.Next() {
		t.Rows = append(t.Rows, append([]any(nil), row...))
	}
	t.Truncated = rows.Truncated()
	return t, errors.Join(rows.Err(), rows.Close())
}

func (a *API) exportRows(_ context.Context, in *wanted) (*huma.StreamResponse, error) {
	if a.o.Warehouse == nil {
		return nil, errNoWarehouse
	}
	sql := in.Body.SQL
	switch {
	case (sql == "") == (in.Body.Table == ""):
		return nil, fault.New(fault.Invalid, "an export is of one sql or of one table")
	case in.Body.Table != "":
		sql = "SELECT * FROM " + in.Body.Table // one of the enum
	}
	format := warehouse.Format(in.Body.Format)
	return &huma.StreamResponse{Body: func(c huma.Context) {
		r, w := humago.Unwrap(c)
		out := &lateHeader{w: w, format: format}
		if err := a.o.Warehouse.Export(r.Context(), sql, format, exportFor, out); err != nil && !out.begun {
			a.refuse(w, r, err)
		}
	}}, nil
}

// lateHeader says what an answer is when its first byte is there: before it, the
// answer may become a problem.
type lateHeader struct {
	w      http.ResponseWriter
	format warehouse.Format
	begun  bool
}

func (l *lateHeader) Write(b []byte) (int, error) {
	if !l.begun {
		l.begun = true
		kind := "text/csv; charset=utf-8"
		if l.format == warehouse.Parquet {
			kind = "application/vnd.apache.parquet"
		}
		l.w.Header().Set("Content-Type", kind)
		l.w.Header().Set("Content-Disposition", `attachment; filename="rapport.`+string(l.format)+`"`)
		l.w.WriteHeader(http.StatusOK)
	}
	return l.w.Write(b)
}

var _ io.Writer = (*lateHeader)(nil)
