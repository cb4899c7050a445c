package sqlite

import (
	"context"
	"database/sql/driver"

	"rapport/internal/store"
)

const putRun = `INSERT INTO campaign_runs (lane, campaign, name, body) VALUES (?, ?, ?, ?)
	ON CONFLICT (lane, campaign, name) DO UPDATE SET body = excluded.body`

func commitRuns(w *conn, c *store.Commit) error {
	for i := range c.Runs {
		r := &c.Runs[i]
		if err := w.exec(putRun, c.Lane, r.Campaign, r.Name, blob(r.Body)); err != nil {
			return err
		}
	}
	return nil
}

// Runs implements [store.Store].
func (s *Store) Runs(ctx context.Context, lane int) (runs []store.Run, err error) {
	err = s.file.read(ctx, func(c *conn) error {
		return c.query(ctx, 3, func(row []driver.Value) error {
			runs = append(runs, store.Run{Campaign: row[0].(string), Name: row[1].(string), Body: bytesOf(row[2])})
			return nil
		}, "SELECT campaign, name, body FROM campaign_runs WHERE lane = ? ORDER BY number", lane)
	})
	return runs, err
}
