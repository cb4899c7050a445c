package sqlite

import (
	"context"
	"database/sql/driver"
	"fmt"
	"slices"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/store"
)

// Position implements [store.Store].
func (s *Store) Position(ctx context.Context, lane int) (p store.Position, err error) {
	err = s.file.read(ctx, func(c *conn) (err error) {
		p, err = position(ctx, c, lane)
		return err
	})
	return p, err
}

// Load implements [store.Store].
func (s *Store) Load(ctx context.Context, ids []identity.ID) ([]store.Row, error) {
	rows := make([]store.Row, len(ids))
	err := s.file.snapshot(ctx, func(c *conn) error {
		for i := range ids {
			rows[i].ID = ids[i]
			err := c.find(3, func(row []driver.Value) error {
				rows[i].Body, rows[i].Number = joined(row[0], row[1]), integer(row[2])
				return nil
			}, "SELECT p.body, r.body, p.number FROM profiles p LEFT JOIN rests r ON r.number = p.number WHERE p.id = ?", ids[i][:])
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return rows, nil
}

// Profiles implements [store.Store].
func (s *Store) Profiles(ctx context.Context, from identity.ID, limit int) ([]store.Row, error) {
	return s.rows(ctx, limit, `SELECT p.number, p.id, p.alarm, p.body, r.body FROM profiles p LEFT JOIN rests r ON r.number = p.number
		WHERE p.id >= ? AND p.body IS NOT NULL ORDER BY p.id LIMIT ?`, from[:])
}

// parts is how rows are read whose parts come apart; living and census name the order.
const parts = "SELECT p.number AS number, p.id AS id, p.alarm AS alarm, p.body AS body, r.body AS rest, p.newest AS newest FROM profiles p %s LEFT JOIN rests r ON r.number = p.number WHERE "

var (
	living = partsOf("INDEXED BY profiles_living", "p.id BETWEEN ? AND ? AND p.signpost IS NULL AND p.body IS NOT NULL ORDER BY p.id LIMIT ?")
	census = partsOf("NOT INDEXED", "p.number BETWEEN ? AND ? AND p.signpost IS NULL AND p.body IS NOT NULL AND p.id BETWEEN ? AND ? ORDER BY p.number LIMIT ?")
)

func partsOf(index, where string) *bundled {
	return newBundled(6, "number, id, alarm, body, rest, newest", fmt.Sprintf(parts, index)+where)
}

// Living implements [store.Store].
func (s *Store) Living(ctx context.Context, from, to identity.ID, limit int) ([]store.Row, error) {
	page := store.Page{Rows: make([]store.Row, 0, min(max(limit, 0), maxRows))}
	err := s.file.read(ctx, func(c *conn) error {
		return c.apart(&page, nil, living, from[:], to[:], max(limit, 0))
	})
	return page.Rows, err
}

// Census implements [store.Store].
func (s *Store) Census(ctx context.Context, first, last int64, from, to identity.ID, limit int, into *store.Page) ([]store.Row, error) {
	page, room := &store.Page{}, (*[]byte)(nil)
	if into != nil {
		page, room = into, &into.Bytes
	}
	page.Rows, page.Bytes = slices.Grow(page.Rows[:0], min(max(limit, 0), maxRows)), page.Bytes[:0]
	err := s.file.read(ctx, func(c *conn) error {
		for had := 0; had < limit; had = len(page.Rows) {
			most := min(limit-had, rowsAtOnce)
			if err := c.apart(page, room, census, first, last, from[:], to[:], most); err != nil || len(page.Rows)-had < most {
				return err
			}
			first = page.Rows[len(page.Rows)-1].Number + 1
		}
		return nil
	})
	return page.Rows, err
}

// rowsAtOnce is how many rows are read in one call into C.
const rowsAtOnce = 32

// apart appends rows in their parts to those of the page.
func (c *conn) apart(page *store.Page, room *[]byte, query *bundled, args ...any) error {
	return c.bundle(room, func(row []cell) error {
		page.Rows = append(page.Rows, store.Row{
			Number: row[0].integer(), ID: row[1].id(), Alarm: row[2].instant(), Body: row[3].blob(), Rest: row[4].maybe(), Head: row[5].integer(),
		})
		return nil
	}, query, args...)
}

// maxRows bounds the room that is made for rows before they are known.
const maxRows = 512

// LastNumber implements [store.Store].
func (s *Store) LastNumber(ctx context.Context) (last int64, err error) {
	err = s.file.read(ctx, func(c *conn) error {
		return c.query(ctx, 1, func(row []driver.Value) error {
			last = integer(row[0])
			return nil
		}, "SELECT coalesce(max(number), 0) FROM profiles")
	})
	return last, err
}

// Due implements [store.Store].
func (s *Store) Due(ctx context.Context, from, to identity.ID, now event.Time, limit int) ([]store.Row, error) {
	return s.rows(ctx, limit, `SELECT p.number, p.id, p.alarm, p.body, r.body FROM profiles p LEFT JOIN rests r ON r.number = p.number
		WHERE p.alarm IS NOT NULL AND p.alarm <= ? AND +p.id BETWEEN ? AND ? ORDER BY p.alarm, p.id LIMIT ?`, int64(now), from[:], to[:])
}

// DueAfter implements [store.Store].
func (s *Store) DueAfter(ctx context.Context, last store.Row, from, to identity.ID, now event.Time, limit int) ([]store.Row, error) {
	return s.rows(ctx, limit, `SELECT p.number, p.id, p.alarm, p.body, r.body FROM profiles p LEFT JOIN rests r ON r.number = p.number
		WHERE p.alarm IS NOT NULL AND (p.alarm, p.id) > (?, ?) AND p.alarm <= ? AND +p.id BETWEEN ? AND ? ORDER BY p.alarm, p.id LIMIT ?`,
		int64(last.Alarm), last.ID[:], int64(now), from[:], to[:])
}

func (s *Store) rows(ctx context.Context, limit int, query string, args ...any) ([]store.Row, error) {
	var rows []store.Row
	err := s.file.read(ctx, func(c *conn) error {
		return c.query(ctx, 5, func(row []driver.Value) error {
			rows = append(rows, store.Row{Number: integer(row[0]), ID: identity.ID(id16(row[1])), Alarm: instant(row[2]), Body: joined(row[3].([]byte), row[4])})
			return nil
		}, query, append(args, max(limit, 0))...)
	})
	return rows, err
}

// NextAlarm implements [store.Store]. The plus keeps SQLite from going through
// all ids of the range: the index of alarms leads to the first one.
func (s *Store) NextAlarm(ctx context.Context, from, to identity.ID) (event.Time, error) {
	return s.earliest(ctx, "SELECT alarm FROM profiles WHERE alarm IS NOT NULL AND +id BETWEEN ? AND ? ORDER BY alarm LIMIT 1", from[:], to[:])
}

// earliest returns the instant that a query finds, or Never.
func (s *Store) earliest(ctx context.Context, query string, args ...any) (event.Time, error) {
	next := event.Never
	err := s.file.read(ctx, func(c *conn) error {
		return c.query(ctx, 1, func(row []driver.Value) error {
			next = instant(row[0])
			return nil
		}, query, args...)
	})
	return next, err
}

// joined returns the parts of a profile behind one another; nil if there is none.
func joined(body, rest driver.Value) []byte {
	if b := bytesOf(body); b != nil {
		return append(b, bytesOf(rest)...)
	}
	return nil
}

func integer(v driver.Value) int64 { return v.(int64) }

// instant reads an instant; NULL never comes.
func instant(v driver.Value) event.Time {
	if v == nil {
		return event.Never
	}
	return event.Time(v.(int64))
}

// bytesOf reads bytes that may be NULL.
func bytesOf(v driver.Value) []byte {
	b, _ := v.([]byte)
	return b
}
