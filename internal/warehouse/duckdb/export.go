package duckdb

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/duckdb/duckdb-go/v2"

	"rapport/internal/fault"
	"rapport/internal/warehouse"
)

// Export implements [warehouse.Warehouse]. DuckDB writes the file, below Dir and
// nowhere else, and it is gone when the call returns.
func (d *DB) Export(ctx context.Context, sql string, format warehouse.Format, within time.Duration, w io.Writer) error {
	option := ""
	switch format {
	case warehouse.CSV:
		option = "FORMAT csv, HEADER"
	case warehouse.Parquet:
		option = "FORMAT parquet, COMPRESSION zstd"
	default:
		return fault.New(fault.Invalid, "an export is csv or parquet, not "+string(format))
	}
	if within == 0 {
		within = warehouse.DefaultTime
	}
	if d.elsewhere(warehouse.Limits{}) {
		return d.exportApart(ctx, sql, format, within, w)
	}
	path := filepath.Join(d.o.Dir, exportDir, rand.Text())
	defer os.Remove(path)
	if err := d.export(ctx, sql, path, option, within); err != nil {
		return err
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(w, f)
	return err
}

func (d *DB) export(ctx context.Context, sql, path, option string, within time.Duration) (err error) {
	a, err := d.ask(ctx, within)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.end()) }()
	var columns []string
	stmt, err := a.prepare(sql, func(inner string, s *duckdb.Stmt) string {
		for i := range must(s.ColumnCount()) {
			name, _ := s.ColumnName(i)
			if t, _ := s.ColumnType(i); t == duckdb.TYPE_UUID { // as everybody else writes an id
				quoted := `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
				columns = append(columns, fmt.Sprintf("replace(CAST(%s AS VARCHAR), '-', '') AS %s", quoted, quoted))
			}
		}
		list := "*"
		if len(columns) > 0 {
			list = "* REPLACE (" + strings.Join(columns, ", ") + ")"
		}
		return "SELECT " + list + " FROM (\n" + inner + "\n)"
	})
	if err != nil {
		return ended(a.ctx, err)
	}
	if err := stmt.Close(); err != nil {
		return err
	}
	list := "*"
	if len(columns) > 0 {
		list = "* REPLACE (" + strings.Join(columns, ", ") + ")"
	}
	inner := strings.TrimRight(strings.TrimSpace(sql), "; \t\r\n")
	copying := fmt.Sprintf("COPY (SELECT %s FROM (\n%s\n)) TO '%s' (%s)", list, inner, escape(path), option)
	if _, err := a.c.ExecContext(a.ctx, copying, nil); err != nil {
		return ended(a.ctx, refusal(err))
	}
	return nil
}
