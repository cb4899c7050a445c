package sqlite

import (
	"context"
	"database/sql/driver"
	"fmt"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/store"
)

// interestMigrations is the folder of the migrations of interests.
const interestMigrations = "sql/interests"

const interestFile = "interests.db"

// toldLane is the lane under which the position in the catalogue's journal stands.
const toldLane = -1

// Interests is who was interested in what, in a file. It implements [store.Interests].
type Interests struct {
	file *file
}

var _ store.Interests = (*Interests)(nil)

// OpenInterests opens the interests, as Open opens the state.
func OpenInterests(ctx context.Context, o Options) (*Interests, error) {
	f, err := openFile(ctx, o, interestFile, interestMigrations)
	if err != nil {
		return nil, fmt.Errorf("opening the interests: %w", err)
	}
	return &Interests{file: f}, nil
}

// Close implements [store.Interests].
func (i *Interests) Close() error { return i.file.close() }

func (i *Interests) position(ctx context.Context, lane int) (number int64, err error) {
	err = i.file.read(ctx, func(conn *conn) error {
		return conn.query(ctx, 1, func(row []driver.Value) error {
			number = integer(row[0])
			return nil
		}, "SELECT number FROM positions WHERE lane = ?", lane)
	})
	return number, err
}

// Position implements [store.Interests].
func (i *Interests) Position(ctx context.Context, lane int) (uint64, error) {
	n, err := i.position(ctx, lane)
	return uint64(n), err
}

// Told implements [store.Interests].
func (i *Interests) Told(ctx context.Context) (int64, error) { return i.position(ctx, toldLane) }

const setPosition = `INSERT INTO positions (lane, number) VALUES (?, ?) ON CONFLICT (lane) DO UPDATE SET number = excluded.number`

// SetTold implements [store.Interests].
func (i *Interests) SetTold(ctx context.Context, number int64) error {
	return i.file.transact(ctx, func(conn *conn) error { return conn.exec(setPosition, toldLane, number) })
}

// Note implements [store.Interests].
func (i *Interests) Note(ctx context.Context, c *store.InterestCommit) error {
	return i.file.transact(ctx, func(conn *conn) error {
		for k := range c.Noted {
			n := &c.Noted[k]
			err := conn.exec(`INSERT INTO interests (key, profile, kind, at, count) VALUES (?, ?, ?, ?, ?)
				ON CONFLICT (key, profile, kind) DO UPDATE SET at = max(at, excluded.at), count = count + excluded.count`,
				n.Key, blob(n.Profile[:]), int64(n.Kind), int64(n.At), n.Count)
			if err != nil {
				return err
			}
		}
		for k := range c.Dropped {
			d := &c.Dropped[k]
			if err := conn.exec("DELETE FROM interests WHERE key = ? AND profile = ? AND kind = ? AND at <= ?", d.Key, blob(d.Profile[:]), int64(d.Kind), int64(d.At)); err != nil {
				return err
			}
		}
		return conn.exec(setPosition, c.Lane, int64(c.To))
	})
}

// Interested implements [store.Interests].
func (i *Interests) Interested(ctx context.Context, key string, since event.Time, after identity.ID, limit int) (list []store.Interest, err error) {
	err = i.file.read(ctx, func(conn *conn) error {
		return conn.query(ctx, 4, func(row []driver.Value) error {
			n := store.Interest{Key: key, Kind: store.InterestKind(integer(row[1])), At: event.Time(integer(row[2])), Count: integer(row[3])}
			copy(n.Profile[:], bytesOf(row[0]))
			list = append(list, n)
			return nil
		}, `SELECT profile, kind, at, count FROM interests WHERE key = ? AND profile IN
			(SELECT DISTINCT profile FROM interests WHERE key = ? AND profile > ? AND at >= ? ORDER BY profile LIMIT ?) ORDER BY profile, kind`,
			key, key, blob(after[:]), int64(since), max(limit, 0))
	})
	return list, err
}

// pruned is how many people are asked about at once.
const pruned = 5000

// Prune implements [store.Interests].
func (i *Interests) Prune(ctx context.Context, before event.Time, gone func(identity.ID) bool) (deleted int64, err error) {
	var last store.Interest
	for {
		var page, drop []store.Interest
		err := i.file.read(ctx, func(conn *conn) error {
			return conn.query(ctx, 4, func(row []driver.Value) error {
				n := store.Interest{Key: row[0].(string), Kind: store.InterestKind(integer(row[2])), At: event.Time(integer(row[3]))}
				copy(n.Profile[:], bytesOf(row[1]))
				page = append(page, n)
				return nil
			}, "SELECT key, profile, kind, at FROM interests WHERE (key, profile, kind) > (?, ?, ?) ORDER BY key, profile, kind LIMIT ?", last.Key, blob(last.Profile[:]), int64(last.Kind), pruned)
		})
		if err != nil || len(page) == 0 {
			return deleted, err
		}
		last = page[len(page)-1]
		for _, n := range page {
			if n.At < before || gone != nil && gone(n.Profile) {
				drop = append(drop, n)
			}
		}
		if len(drop) == 0 {
			continue
		}
		err = i.file.transact(ctx, func(conn *conn) error {
			for _, n := range drop {
				// Whoever came back meanwhile stays, unless they are gone.
				until := before - 1
				if gone != nil && gone(n.Profile) {
					until = event.Never
				}
				if err := conn.exec("DELETE FROM interests WHERE key = ? AND profile = ? AND kind = ? AND at <= ?", n.Key, blob(n.Profile[:]), int64(n.Kind), int64(until)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return deleted, err
		}
		deleted += int64(len(drop))
	}
}
