package duckdb

import (
	"context"
	"database/sql/driver"
	"fmt"
	"strings"

	"rapport/internal/fault"
)

// raw begins the names of the tables that are appended to; what people ask are
// views of them, in which a profile that joined another is the other.
const raw = "raw_"

// schemaVersion is that of the tables. A file of an older one is thrown away and
// the feed read anew; one of a newer is not touched.
const schemaVersion = 3

type column struct{ name, kind string }

type table struct {
	name    string
	person  string // the column of the profile that a row is about; empty: about nobody
	columns []column
}

func columnsOf(list string) (columns []column) {
	for _, c := range strings.Split(list, ",") {
		name, kind, _ := strings.Cut(strings.TrimSpace(c), " ")
		columns = append(columns, column{name, kind})
	}
	return columns
}

// tables are in the order in which a load appends to them; the columns are in the
// order in which it gives values. docs/warehouse.md describes them.
var tables = []table{
	{"raw_events", "profile", columnsOf(`profile UUID, n BIGINT, ts TIMESTAMP, heard TIMESTAMP, id BIGINT, type VARCHAR, name VARCHAR, source VARCHAR, origin VARCHAR, known BOOLEAN,
		session TIMESTAMP, device VARCHAR, channel VARCHAR, store VARCHAR, sku VARCHAR, product VARCHAR, category VARCHAR, search VARCHAR, value BIGINT, currency VARCHAR, properties VARCHAR`)},
	{"raw_orders", "profile", columnsOf(`profile UUID, n BIGINT, order_id VARCHAR, kind VARCHAR, ts TIMESTAMP, net BIGINT, currency VARCHAR, units BIGINT, channel VARCHAR, device VARCHAR,
		store VARCHAR, origin VARCHAR, known BOOLEAN`)},
	{"raw_order_lines", "profile", columnsOf(`profile UUID, n BIGINT, order_id VARCHAR, kind VARCHAR, ts TIMESTAMP, line INTEGER, sku VARCHAR, product VARCHAR, name VARCHAR, category VARCHAR,
		quantity BIGINT, price BIGINT, net BIGINT, currency VARCHAR, known BOOLEAN`)},
	{"raw_deliveries", "profile", columnsOf(`profile UUID, delivery UUID, ts TIMESTAMP, channel VARCHAR, origin VARCHAR, version UBIGINT, step VARCHAR, class VARCHAR, state VARCHAR,
		reason VARCHAR, actor VARCHAR, product VARCHAR, category VARCHAR`)},
	{"raw_decisions", "profile", columnsOf(`profile UUID, delivery UUID, ts TIMESTAMP, stage VARCHAR, outcome VARCHAR, rule INTEGER, reason VARCHAR, chance DOUBLE, channel VARCHAR,
		origin VARCHAR, version UBIGINT, step VARCHAR`)},
	{"raw_memberships", "profile", columnsOf(`profile UUID, n BIGINT, segment VARCHAR, is_in BOOLEAN, ts TIMESTAMP`)},
	{"raw_profiles", "profile", columnsOf(`profile UUID, n BIGINT, first TIMESTAMP, last TIMESTAMP, born TIMESTAMP, known BOOLEAN, country VARCHAR, city VARCHAR, locale VARCHAR,
		zone VARCHAR, device VARCHAR, consents VARCHAR, reachable VARCHAR, lifecycle VARCHAR, gone BOOLEAN`)},
	{"raw_joins", "strand", columnsOf(`strand UUID, profile UUID, n BIGINT`)},
	{"loads", "", columnsOf(`n BIGINT, lane INTEGER, epoch UBIGINT, upto UBIGINT, heard TIMESTAMP, row_count BIGINT`)},
}

// macros are the functions of [warehouse.Functions] that DuckDB has not, or has
// under another name.
var macros = []string{
	"toStartOfHour(x) AS date_trunc('hour', x)",
	"toStartOfDay(x) AS date_trunc('day', x)",
	"toStartOfMonth(x) AS CAST(date_trunc('month', x) AS TIMESTAMP)",
	"toUnixTimestamp(x) AS CAST(epoch(x) AS BIGINT)",
	"ms(x) AS epoch_ms(x)",
	"intDiv(a, b) AS (a // b)",
	"uniqExact(x) AS count(DISTINCT x)",
	"countIf(x) AS count(*) FILTER (WHERE x)",
	"sumIf(x, c) AS coalesce(sum(x) FILTER (WHERE c), 0)",
	"groupArray(x) AS list(x)",
	"visitParamExtractString(j, k) AS coalesce(json_extract_string(j, '$.\"' || k || '\"'), '')",
}

// views are what people ask.
func views() []string {
	out := []string{"CREATE OR REPLACE VIEW persons AS SELECT strand, argMax(profile, n) AS profile FROM raw_joins GROUP BY strand"}
	for _, t := range tables {
		if t.person != "profile" || t.name == "raw_profiles" {
			continue
		}
		list := []string{"coalesce(j.profile, t.profile) AS profile"}
		for _, c := range t.columns[1:] {
			list = append(list, "t."+c.name)
		}
		out = append(out, fmt.Sprintf("CREATE OR REPLACE VIEW %s AS SELECT %s FROM %s AS t LEFT JOIN persons AS j ON j.strand = t.profile",
			strings.TrimPrefix(t.name, raw), strings.Join(list, ", "), t.name))
	}
	// The last word of the last instant: a history that is brought in enters and leaves a
	// segment at one. An instant has 43 bits, and a place less than 60.
	out = append(out, "CREATE OR REPLACE VIEW members AS SELECT profile, segment, max(ts) AS since FROM memberships GROUP BY profile, segment "+
		"HAVING argMax(is_in, CAST(epoch_ms(ts) AS HUGEINT) * 1152921504606846976 + n)")
	last := []string{"coalesce(j.profile, t.profile) AS profile", "min(t.born) AS born", "min(t.first) AS first", "max(t.last) AS last"}
	for _, c := range []string{"known", "country", "city", "locale", "zone", "device", "consents", "reachable", "lifecycle"} {
		last = append(last, fmt.Sprintf("argMax(t.%s, t.n) AS %s", c, c))
	}
	return append(out, "CREATE OR REPLACE VIEW profiles AS SELECT "+strings.Join(last, ", ")+
		" FROM raw_profiles AS t LEFT JOIN persons AS j ON j.strand = t.profile GROUP BY coalesce(j.profile, t.profile) HAVING NOT coalesce(argMax(t.gone, t.n), false)")
}

// build makes tables, functions and views in a file that has none, and checks the
// version of one that has.
func build(ctx context.Context, c conn) error {
	if err := c.exec(ctx, "CREATE TABLE IF NOT EXISTS schema_version (version INTEGER)"); err != nil {
		return err
	}
	version := int32(0)
	err := c.each(ctx, "SELECT max(version) FROM schema_version", func(row []driver.Value) error {
		if v, ok := row[0].(int32); ok {
			version = v
		}
		return nil
	})
	switch {
	case err != nil:
		return err
	case version > schemaVersion:
		return fault.New(fault.Invalid, "a newer program wrote this warehouse; delete its folder and the feed is read anew")
	}
	statements := []string{"BEGIN TRANSACTION"}
	if version != 0 && version < schemaVersion {
		for _, t := range tables {
			statements = append(statements, "DROP TABLE IF EXISTS "+t.name+" CASCADE")
		}
	}
	for _, t := range tables {
		var list []string
		for _, col := range t.columns {
			list = append(list, col.name+" "+col.kind)
		}
		statements = append(statements, "CREATE TABLE IF NOT EXISTS "+t.name+" ("+strings.Join(list, ", ")+")")
	}
	for _, m := range macros {
		statements = append(statements, "CREATE OR REPLACE MACRO "+m)
	}
	statements = append(statements, views()...)
	if version != schemaVersion {
		statements = append(statements, "DELETE FROM schema_version", fmt.Sprintf("INSERT INTO schema_version VALUES (%d)", schemaVersion))
	}
	return c.exec(ctx, append(statements, "COMMIT")...)
}
