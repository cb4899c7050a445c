package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"io/fs"
	"os"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/fault"
	"rapport/internal/store"
)

// Forwards implements [store.Store].
func (s *Store) Forwards(ctx context.Context, limit int) (forwards []store.Forward, err error) {
	err = s.file.read(ctx, func(c *conn) error {
		return c.query(ctx, 6, func(row []driver.Value) error {
			forwards = append(forwards, store.Forward{
				Lane: int(integer(row[0])), Number: uint64(integer(row[1])), From: identity.ID(id16(row[2])), To: identity.ID(id16(row[3])),
				At: event.Time(integer(row[4])), Entry: row[5].([]byte),
			})
			return nil
		}, "SELECT lane, number, source, target, at, entry FROM forwards ORDER BY lane, number LIMIT ?", max(limit, 0))
	})
	return forwards, err
}

// Feed implements [store.Store].
func (s *Store) Feed(ctx context.Context, lane int, after uint64, limit int) (blocks []store.Feed, err error) {
	err = s.file.read(ctx, func(c *conn) error {
		return c.query(ctx, 4, func(row []driver.Value) error {
			blocks = append(blocks, store.Feed{
				Lane: lane, Epoch: uint64(integer(row[0])), From: uint64(integer(row[1])), To: uint64(integer(row[2])), Body: row[3].([]byte),
			})
			return nil
		}, "SELECT epoch, from_seq, to_seq, body FROM feed WHERE lane = ? AND to_seq > ? ORDER BY number LIMIT ?", lane, after, max(limit, 0))
	})
	return blocks, err
}

// Quarantined implements [store.Store].
func (s *Store) Quarantined(ctx context.Context, limit int) (found []store.Quarantine, err error) {
	err = s.file.read(ctx, func(c *conn) error {
		return c.query(ctx, 7, func(row []driver.Value) error {
			found = append(found, store.Quarantine{
				At: event.Time(integer(row[0])), To: identity.ID(id16(row[1])), Kind: row[2].(string), Reason: row[3].(string),
				Field: row[4].(string), Detail: row[5].(string), Entry: bytesOf(row[6]),
			})
			return nil
		}, "SELECT at, target, kind, reason, field, detail, entry FROM quarantine ORDER BY number DESC LIMIT ?", max(limit, 0))
	})
	return found, err
}

// SaveProgram implements [store.Store].
func (s *Store) SaveProgram(ctx context.Context, hash uint64, source []byte) error {
	return s.file.transact(ctx, func(c *conn) error {
		return c.exec("INSERT OR IGNORE INTO programs (hash, source) VALUES (?, ?)", hash, blob(source))
	})
}

// Program implements [store.Store].
func (s *Store) Program(ctx context.Context, hash uint64) ([]byte, error) {
	var source []byte
	err := s.file.read(ctx, func(c *conn) error {
		return c.query(ctx, 1, func(row []driver.Value) error {
			source = row[0].([]byte)
			return nil
		}, "SELECT source FROM programs WHERE hash = ?", hash)
	})
	if err == nil && source == nil {
		err = fault.New(fault.NotFound, "this program was never saved here")
	}
	return source, err
}

// Stats implements [store.Store].
func (s *Store) Stats(ctx context.Context) (map[string]int64, error) {
	stats := map[string]int64{}
	err := s.file.snapshot(ctx, func(c *conn) error {
		for name, query := range map[string]string{
			"profiles":   "SELECT (SELECT count(*) FROM profiles) - (SELECT count(*) FROM profiles WHERE body IS NULL)",
			"living":     "SELECT (SELECT count(*) FROM profiles WHERE signpost IS NULL) - (SELECT count(*) FROM profiles WHERE body IS NULL)",
			"history":    "SELECT number FROM history_end",
			"deliveries": "SELECT count(*) FROM deliveries",
			"forwards":   "SELECT count(*) FROM forwards",
			"feed":       "SELECT count(*) FROM feed",
			"quarantine": "SELECT count(*) FROM quarantine",
			"programs":   "SELECT count(*) FROM programs",
		} {
			err := c.query(ctx, 1, func(row []driver.Value) error {
				stats[name] = integer(row[0])
				return nil
			}, query)
			if err != nil {
				return err
			}
		}
		return nil
	})
	counts, countErr := s.SegmentCounts(ctx)
	err = errors.Join(err, countErr)
	if s.roster.mended > 0 {
		stats["members_mended"] = s.roster.mended
	}
	stats["members"] = 0
	for _, n := range counts {
		stats["members"] += n
	}
	for _, suffix := range []string{"", "-wal", "-shm"} {
		info, statErr := os.Stat(s.file.path + suffix)
		if statErr == nil {
			stats["bytes"] += info.Size()
		} else if !errors.Is(statErr, fs.ErrNotExist) && err == nil {
			err = diskFault(statErr, "the size of the state cannot be read")
		}
	}
	return stats, err
}
