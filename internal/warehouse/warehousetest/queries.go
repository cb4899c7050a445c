package warehousetest

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/fault"
	"rapport/internal/warehouse"
)

func arguments(t *testing.T, open Open) {
	w, _ := start(t, open)
	load(t, w, warehouse.Load{
		Events: []warehouse.Event{seen(person(1), "a", day), seen(person(2), "it's", day+hour)}, Deliveries: []warehouse.Delivery{{Profile: person(1), Delivery: message(1), At: day}},
	})
	for want, q := range map[string][]any{
		"1": {"SELECT count(*) FROM events WHERE profile = ?", person(1)},
		"2": {"SELECT count(*) + 1 FROM events WHERE name = ?", "it's"},
		"3": {"SELECT count(*) + 2 FROM events WHERE ts > ?", day},
		"4": {"SELECT count(*) + 3 FROM deliveries WHERE delivery = ?", message(1)},
		"5": {"SELECT count(*) + 3 FROM events WHERE ms(ts) >= ? AND ? = 2.5", int64(day), 2.5},
	} {
		if got := table(t, w, q[0].(string), q[1:]...); len(got) != 1 || got[0] != want {
			t.Errorf("%v gave %q, want %s", q, got, want)
		}
	}
	if _, err := w.Query(t.Context(), "SELECT ?", []any{struct{}{}}, warehouse.Limits{}); !fault.Is(err, fault.Invalid) {
		t.Errorf("an argument of no type: %v", err)
	}
	if _, err := w.Query(t.Context(), "SELECT ?", nil, warehouse.Limits{}); err == nil {
		t.Error("a missing argument is nothing")
	}
}

func functions(t *testing.T, open Open) {
	w, _ := start(t, open)
	load(t, w, warehouse.Load{Events: []warehouse.Event{seen(person(1), "a", day), seen(person(1), "b", day+hour), seen(person(2), "b", day+2*hour)}})
	tests := map[string]string{
		"toStartOfHour(min(ts))": "@1599998400000", "toStartOfDay(min(ts))": "@1599955200000", "toStartOfMonth(min(ts))": "@1598918400000",
		"toUnixTimestamp(min(ts))": "1600000000", "ms(max(ts))": "1600007200000", "intDiv(7, 2)": "3", "if(count(*) = 3, 'three', 'other')": "three",
		"coalesce(max(session), max(ts))": "@1600007200000", "lower('AB')": "ab", "length('abc')": "3", "concat('a', 'b')": "ab",
		"argMin(name, ts)": "a", "argMax(name, ts)": "b", "uniqExact(profile)": "2", "countIf(name = 'b')": "2", "sumIf(ms(ts) - 1600000000000, name = 'b')": "10800000", "sumIf(1, name = 'z')": "0",
	}
	named := map[string]bool{}
	for expression, want := range tests {
		name, _, _ := strings.Cut(expression, "(")
		named[name] = true
		if got := table(t, w, "SELECT "+expression+" FROM events"); got[0] != want {
			t.Errorf("%s = %s, want %s", expression, got[0], want)
		}
	}
	spoken := seen(person(3), "c", day+3*hour)
	spoken.Properties = `{"actor":"human","of":{"actor":"nobody"},"say \"x\"":"y","n":7}`
	load(t, w, warehouse.Load{Events: []warehouse.Event{spoken}})
	named["visitParamExtractString"] = true
	answers(t, w, "SELECT name, visitParamExtractString(properties, 'actor'), visitParamExtractString(properties, 'device') FROM events WHERE profile >= ? ORDER BY ts",
		[]any{person(2)}, "b||", "c|human|")
	named["groupArray"] = true
	if got := table(t, w, "SELECT profile, length(groupArray(ms(ts))) FROM events GROUP BY profile ORDER BY profile"); got[0] != person(1).String()+"|2" {
		t.Errorf("groupArray gave %q", got)
	}
	rows, err := w.Query(t.Context(), "SELECT groupArray(ms(ts)) FROM events WHERE profile = ?", []any{person(2)}, warehouse.All)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	if list, ok := rows.Next()[0].([]any); !ok || len(list) != 1 || list[0] != int64(day+2*hour) {
		t.Errorf("groupArray is %v", list)
	}
	for _, name := range warehouse.Functions {
		if !named[name] {
			t.Errorf("%s is not tested", name)
		}
	}
}

// Whoever reads customer by customer asks for a range of ids at a time, and wants what
// happened at one instant in the order in which it was heard.
func ordered(t *testing.T, open Open) {
	w, reopen := start(t, open)
	order := func(p byte, id string) warehouse.Order {
		return warehouse.Order{Profile: person(p), OrderID: id, Kind: "completed", At: day, Net: pound}
	}
	line := func(p byte, id, sku string) warehouse.Line {
		return warehouse.Line{Profile: person(p), OrderID: id, Kind: "completed", At: day, SKU: sku}
	}
	load(t, w, warehouse.Load{
		Events: []warehouse.Event{seen(person(0x81), "z", day), seen(person(0x7f), "b", day), seen(person(0x7f), "a", day), seen(person(0x7f), "first", day-1)},
		Orders: []warehouse.Order{order(0x7f, "o2"), order(0x7f, "o1")},
		Lines:  []warehouse.Line{line(0x7f, "o2", "y"), line(0x7f, "o2", "x"), line(0x7f, "o1", "z")},
	})
	w = reopen()
	load(t, w, warehouse.Load{
		Events: []warehouse.Event{seen(person(0x7f), "0", day), seen(person(0), "zero", day), seen(person(0xff), "last", day)},
		Orders: []warehouse.Order{order(0x7f, "o0")}, Lines: []warehouse.Line{line(0x7f, "o0", "w")},
		Joins: []warehouse.Join{{Strand: person(0xff), Profile: person(0x10)}},
	})
	const ask = "SELECT name FROM events WHERE profile >= ? AND profile <= ? ORDER BY profile, ts, n"
	answers(t, w, ask, []any{identity.ID{}, identity.ID{0x7f, 15: 0xff}}, "zero", "last")
	answers(t, w, ask, []any{identity.ID{0x7f}, identity.ID{0x80}}, "first", "b", "a", "0")
	answers(t, w, ask, []any{identity.ID{0x80}, identity.ID{0xff, 15: 0xff}}, "z")
	expect(t, w, "SELECT order_id FROM orders ORDER BY profile, ts, n", "o2", "o1", "o0")
	expect(t, w, "SELECT sku FROM order_lines ORDER BY profile, ts, n", "y", "x", "z", "w")
	if err := w.Forget(t.Context(), person(0x81)); err != nil {
		t.Fatal(err)
	}
	answers(t, w, ask, []any{identity.ID{0x7f}, identity.ID{0xff}}, "first", "b", "a", "0")
}

func exact(t *testing.T, open Open) {
	w, _ := start(t, open)
	l := warehouse.Load{}
	for i := range 3000 {
		l.Orders = append(l.Orders, warehouse.Order{Profile: person(1), OrderID: "o" + strconv.Itoa(i), Kind: "completed", At: day, Net: 3_000_000_000_000_001})
	}
	load(t, w, l)
	expect(t, w, "SELECT sum(net) FROM orders", "9000000000000003000")
}

func columns(t *testing.T, open Open) {
	w, _ := start(t, open)
	rows, err := w.Query(t.Context(), "SELECT profile, ts, name, known, id, count(*) AS n, avg(value) AS mean FROM events GROUP BY profile, ts, name, known, id", nil, warehouse.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	want := []warehouse.Column{
		{Name: "profile", Type: warehouse.ID},
		{Name: "ts", Type: warehouse.Time},
		{Name: "name", Type: warehouse.Text},
		{Name: "known", Type: warehouse.Bool},
		{Name: "id", Type: warehouse.Int},
		{Name: "n", Type: warehouse.Int},
		{Name: "mean", Type: warehouse.Float},
	}
	for i, c := range rows.Columns() {
		if c != want[i] {
			t.Errorf("column %d is %v, want %v", i, c, want[i])
		}
	}
}

// forbidden are statements that do more than read, or read more than the tables.
func forbidden(dir string) []string {
	quoted := strings.ReplaceAll(dir, "'", "''")
	return []string{
		"INSERT INTO events SELECT * FROM events", "DELETE FROM events", "UPDATE events SET name = 'x'", "DROP TABLE events", "CREATE TABLE x (a INTEGER)", "ALTER TABLE events ADD COLUMN x INTEGER",
		"INSERT INTO raw_events (name) VALUES ('x')", "DELETE FROM raw_events", "UPDATE raw_events SET name = 'x'", "DROP VIEW events", "CREATE TEMP TABLE x AS SELECT 1", "TRUNCATE raw_events",
		"COPY events TO '" + quoted + "/out.csv'", "COPY (SELECT 1) TO '" + quoted + "/out.parquet' (FORMAT parquet)", "COPY raw_events FROM '" + quoted + "/in.csv'",
		"EXPORT DATABASE '" + quoted + "/all'", "IMPORT DATABASE '" + quoted + "/all'",
		"ATTACH '" + quoted + "/other.db' AS other", "ATTACH ':memory:' AS other", "DETACH memory", "USE memory",
		"INSTALL httpfs", "LOAD httpfs", "INSTALL '" + quoted + "/x.duckdb_extension'", "PRAGMA database_list", "PRAGMA memory_limit='8GB'", "SET memory_limit = '8GB'", "RESET memory_limit",
		"SET enable_external_access = true", "CALL force_checkpoint()", "CHECKPOINT", "VACUUM", "BEGIN TRANSACTION", "COMMIT", "PREPARE p AS SELECT 1", "EXECUTE p", "EXPLAIN ANALYZE SELECT 1",
		"SELECT * FROM read_csv('" + quoted + "/in.csv')", "SELECT * FROM '" + quoted + "/in.csv'", "SELECT * FROM read_text('" + quoted + "/in.csv')", "SELECT * FROM read_blob('/etc/hostname')",
		"SELECT * FROM read_parquet('https://shop.example/x.parquet')", "SELECT * FROM read_csv('https://shop.example/x.csv')", "SELECT * FROM read_json('" + quoted + "/in.csv')",
		"SELECT * FROM glob('" + quoted + "/*')", "SELECT * FROM query('DELETE FROM raw_events')", "SELECT * FROM sniff_csv('" + quoted + "/in.csv')",
		"SELECT 1; SELECT 2", "SELECT 1; DELETE FROM raw_events", "SELECT 1) ; DELETE FROM raw_events; SELECT * FROM (SELECT 1", "WITH x AS (DELETE FROM raw_events RETURNING *) SELECT * FROM x",
		"SELECT 1 AS a) TO '" + quoted + "/out.csv' (FORMAT csv); --",
	}
}

func readOnly(t *testing.T, open Open) {
	w, _ := start(t, open)
	load(t, w, warehouse.Load{Events: []warehouse.Event{seen(person(1), "a", day)}})
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "in.csv"), []byte("a,b\n1,2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, sql := range forbidden(dir) {
		for name, limits := range map[string]warehouse.Limits{"": {}, " without limits": warehouse.All} {
			rows, err := w.Query(t.Context(), sql, nil, limits)
			if err == nil {
				t.Errorf("%s%s is run: %v", sql, name, rows.Next())
				rows.Close()
				continue
			}
			if !fault.Is(err, fault.Denied) && !fault.Is(err, fault.Invalid) {
				t.Errorf("%s: %v, want Denied or Invalid", sql, err)
			}
		}
		if err := w.Export(t.Context(), sql, warehouse.CSV, 0, new(bytes.Buffer)); err == nil {
			t.Errorf("%s is exported", sql)
		}
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 1 {
		t.Errorf("the folder holds %v, %v", left, err)
	}
	expect(t, w, "SELECT name FROM events", "a")
	load(t, w, warehouse.Load{Events: []warehouse.Event{seen(person(1), "b", day)}})
}

func misunderstood(t *testing.T, open Open) {
	w, _ := start(t, open)
	for sql, word := range map[string]string{
		"SELECT nme FROM events": "nme", "SELECT 1 FRM 2": "2", "SELEC 1": "SELECT", "SELECT * FROM nowhere": "nowhere", "": "SELECT", "  ;; ": "SELECT", "-- nothing": "SELECT", "SELECT nofunction(1)": "nofunction",
	} {
		_, err := w.Query(t.Context(), sql, nil, warehouse.Limits{})
		if _, message := fault.Of(err); !fault.Is(err, fault.Invalid) || !strings.Contains(message, word) {
			t.Errorf("%q: %v, want an Invalid with %q in it", sql, err, word)
		}
	}
	if _, err := w.Query(t.Context(), "SELECT '"+strings.Repeat("x", 1<<20)+"'", nil, warehouse.Limits{}); !fault.Is(err, fault.TooLarge) {
		t.Errorf("a statement of a megabyte: %v", err)
	}
	if _, err := w.Query(t.Context(), "SELECT 1 \x00 DELETE", nil, warehouse.Limits{}); !fault.Is(err, fault.Invalid) {
		t.Errorf("a zero byte: %v", err)
	}
}

func many(t *testing.T, w warehouse.Warehouse, n int) {
	l := warehouse.Load{}
	for i := range n {
		l.Events = append(l.Events, seen(person(byte(i)), "event "+strconv.Itoa(i%10), day+event.Time(i)))
	}
	load(t, w, l)
}

func rowLimit(t *testing.T, open Open) {
	w, _ := start(t, open)
	many(t, w, 100)
	for limit, truncated := range map[int64]bool{99: true, 100: false, 101: false, 1: true, warehouse.NoLimit: false} {
		rows, err := w.Query(t.Context(), "SELECT name FROM events ORDER BY ts -- all of them", nil, warehouse.Limits{Rows: limit})
		if err != nil {
			t.Fatal(err)
		}
		n := int64(0)
		for rows.Next() != nil {
			n++
		}
		want := int64(100)
		if truncated {
			want = limit
		}
		if n != want || rows.Truncated() != truncated || rows.Err() != nil {
			t.Errorf("limit %d: %d rows, truncated %v, %v", limit, n, rows.Truncated(), rows.Err())
		}
		if err := errors.Join(rows.Close(), rows.Close()); err != nil {
			t.Error(err)
		}
	}
}

func byteLimit(t *testing.T, open Open) {
	w, _ := start(t, open)
	many(t, w, 100)
	rows, err := w.Query(t.Context(), "SELECT name, profile FROM events", nil, warehouse.Limits{Bytes: 1000})
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	n := 0
	for rows.Next() != nil {
		n++
	}
	if !rows.Truncated() || n < 5 || n > 50 {
		t.Errorf("%d rows in a thousand bytes, truncated %v", n, rows.Truncated())
	}
}

// endless is a query that nobody waits for.
const endless = "SELECT count(*) FROM events AS a CROSS JOIN events AS b CROSS JOIN events AS c CROSS JOIN events AS d WHERE length(concat(a.name, b.name, c.name, d.name)) = 7"

func timeLimit(t *testing.T, open Open) {
	w, _ := start(t, open)
	many(t, w, 3000)
	_, err := w.Query(t.Context(), endless, nil, warehouse.Limits{Time: 50 * time.Millisecond})
	if !fault.Is(err, fault.TooLarge) {
		t.Errorf("the query ended with %v, want TooLarge", err)
	}
	expect(t, w, "SELECT count(*) FROM events", "3000")
	if err := w.Export(t.Context(), endless, warehouse.CSV, 50*time.Millisecond, new(bytes.Buffer)); !fault.Is(err, fault.TooLarge) {
		t.Errorf("the export ended with %v, want TooLarge", err)
	}
}

// greedy are queries of which one value, or one group, takes gigabytes.
var greedy = []string{
	"SELECT length(repeat('x', 4000000000))", "SELECT repeat('x', 4000000000)", "SELECT length(repeat(name, 500000000)) FROM events", "SELECT length(lpad('x', 2000000000, 'y'))",
	"SELECT length(string_agg(repeat('x', 1000000), '')) FROM range(4000)", "SELECT length(range(1000000000))",
}

func memoryLimit(t *testing.T, open Open) {
	w, _ := start(t, open)
	many(t, w, 100)
	for _, sql := range greedy {
		rows, err := w.Query(t.Context(), sql, nil, warehouse.Limits{Time: 20 * time.Second, Memory: 256 << 20})
		if err == nil {
			row := rows.Next()
			if err = errors.Join(rows.Err(), rows.Close()); err == nil {
				t.Errorf("%s is answered: %.40v", sql, row)
				continue
			}
		}
		if _, message := fault.Of(err); !fault.Is(err, fault.TooLarge) || message == "" {
			t.Errorf("%s: %v, want TooLarge", sql, err)
		}
		if err := w.Export(t.Context(), sql, warehouse.CSV, 20*time.Second, new(bytes.Buffer)); !fault.Is(err, fault.TooLarge) {
			t.Errorf("%s is exported: %v, want TooLarge", sql, err)
		}
	}
	expect(t, w, "SELECT count(*) FROM events", "100")
}

// strangerSees asks as strangers do, with all kinds of values, beside loads.
func strangerSees(t *testing.T, open Open) {
	w, reopen := start(t, open)
	for n := range 5 {
		many(t, w, 100)
		if n == 3 {
			w = reopen()
		}
		rows, err := w.Query(t.Context(), "SELECT count(*), min(profile), min(ts), min(name), max(known), avg(id), max(session), groupArray(known) FROM events WHERE name > ?", []any{"e"}, warehouse.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		got := append([]any(nil), rows.Next()...)
		if rows.Next() != nil || rows.Err() != nil || rows.Truncated() || len(rows.Columns()) != 8 {
			t.Errorf("after the row: %v, truncated %v", rows.Err(), rows.Truncated())
		}
		if err := rows.Close(); err != nil {
			t.Fatal(err)
		}
		if want := table(t, w, "SELECT count(*), min(profile), min(ts), min(name), max(known), avg(id), max(session), groupArray(known) FROM events"); text(got) != want[0] || got[0] != int64(100*(n+1)) {
			t.Errorf("load %d: a stranger sees %s, want %s", n, text(got), want[0])
		}
	}
}

func endedQuery(t *testing.T, open Open) {
	w, _ := start(t, open)
	many(t, w, 3000)
	ctx, stop := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer stop()
	if _, err := w.Query(ctx, endless, nil, warehouse.All); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the query ended with %v", err)
	}
	if _, err := w.Query(cancelled(t), "SELECT 1", nil, warehouse.All); !errors.Is(err, context.Canceled) {
		t.Errorf("under an ended context: %v", err)
	}
	expect(t, w, "SELECT count(*) FROM events", "3000")
}

func openAnswer(t *testing.T, open Open) {
	w, _ := start(t, open)
	many(t, w, 100)
	rows, err := w.Query(t.Context(), "SELECT name FROM events", nil, warehouse.All)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	rows.Next()
	many(t, w, 100)
	n := 1
	for rows.Next() != nil {
		n++
	}
	if n != 100 {
		t.Errorf("the answer has %d rows", n)
	}
	expect(t, w, "SELECT count(*) FROM events", "200")
}

func exports(t *testing.T, open Open) {
	w, _ := start(t, open)
	many(t, w, 100)
	var out bytes.Buffer
	if err := w.Export(t.Context(), "SELECT profile, name, ts FROM events ORDER BY ts;", warehouse.CSV, 0, &out); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&out).ReadAll()
	if err != nil || len(rows) != 101 || strings.Join(rows[0], ",") != "profile,name,ts" {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	if _, err := identity.ParseID(rows[1][0]); err != nil || rows[1][0] != person(0).String() {
		t.Errorf("the first row is %q, %v", rows[1], err)
	}
	out.Reset()
	if err := w.Export(t.Context(), "SELECT profile, name, ts FROM events", warehouse.Parquet, 0, &out); err != nil {
		t.Fatal(err)
	}
	if b := out.Bytes(); len(b) < 100 || string(b[:4]) != "PAR1" || string(b[len(b)-4:]) != "PAR1" {
		t.Errorf("%d bytes are no Parquet file", len(b))
	}
}

func exportRefused(t *testing.T, open Open) {
	w, _ := start(t, open)
	var out bytes.Buffer
	for sql, format := range map[string]warehouse.Format{"DELETE FROM raw_events": warehouse.CSV, "SELECT nme FROM events": warehouse.Parquet, "SELECT 1": "xml", "SELECT 1; SELECT 2": warehouse.CSV} {
		if err := w.Export(t.Context(), sql, format, 0, &out); !fault.Is(err, fault.Denied) && !fault.Is(err, fault.Invalid) || out.Len() != 0 {
			t.Errorf("%s: %v, %d bytes", sql, err, out.Len())
		}
	}
}
