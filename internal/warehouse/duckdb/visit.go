package duckdb

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"

	"rapport/internal/core/profile"
)

// perVisit is about how many events without a visit are seen to at once: what an
// update keeps in memory until it is committed.
const perVisit = 100_000

const (
	own  = "t.ts IS NOT NULL AND t.type != 'system' AND t.type != 'fact' AND t.name != 'Prediction Made' AND NOT (t.origin = 'import' AND (t.type IN ('identify', 'group', 'alias') OR t.name = 'Consent Changed'))"
	who  = "coalesce(j.profile, t.profile)"
	them = "raw_events AS t LEFT JOIN persons AS j ON j.strand = t.profile"
)

// Visit implements [warehouse.Warehouse].
func (d *DB) Visit(ctx context.Context) error {
	d.load.Lock()
	defer d.load.Unlock()
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
	missing := int64(0)
	err = c.each(ctx, "SELECT count(*) FROM raw_events AS t WHERE t.session IS NULL AND "+own, func(row []driver.Value) error {
		missing = row[0].(int64)
		return nil
	})
	if err != nil || missing == 0 {
		return err
	}
	// Each part holds whole customers.
	parts := 1 + missing/perVisit
	for part := range parts {
		if err := c.visit(ctx, in, fmt.Sprintf("hash(%s) %% %d = %d", who, parts, part)); err != nil {
			return err
		}
		d.tidyHeld(ctx, in, c)
	}
	return nil
}

// visit cuts the events of some customers into visits, if one of them has none.
func (c conn) visit(ctx context.Context, in *instance, some string) error {
	begun := fmt.Sprintf("CASE WHEN ts < lag(ts) OVER (PARTITION BY who ORDER BY ts, id) + INTERVAL %d MILLISECOND THEN NULL ELSE ts END", profile.SessionGap.Milliseconds())
	cut := "SELECT id, max(begun) OVER (PARTITION BY who ORDER BY ts, id ROWS UNBOUNDED PRECEDING) AS session FROM (SELECT id, who, ts, " + begun + " AS begun FROM (" +
		"SELECT t.rowid AS id, " + who + " AS who, t.ts AS ts FROM " + them + " WHERE " + own + " AND " + some +
		" AND " + who + " IN (SELECT " + who + " FROM " + them + " WHERE t.session IS NULL AND " + own + " AND " + some + ")))"
	err := c.exec(ctx, "BEGIN TRANSACTION",
		"UPDATE raw_events SET session = v.session FROM ("+cut+") AS v WHERE raw_events.rowid = v.id AND raw_events.session IS DISTINCT FROM v.session")
	if err != nil {
		return errors.Join(err, c.exec(context.WithoutCancel(ctx), "ROLLBACK"))
	}
	if err := in.hold(ctx); err != nil {
		return errors.Join(err, c.exec(context.WithoutCancel(ctx), "ROLLBACK"))
	}
	defer in.loud()
	return c.exec(context.WithoutCancel(ctx), "COMMIT")
}
