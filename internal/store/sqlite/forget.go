package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"slices"
	"strconv"
	"strings"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
	"rapport/internal/fault"
	"rapport/internal/store"
)

// forget deletes what lies under the ids, as [store.Commit.Forget] says. It is
// part of a commit, so it goes by keys wherever there is one; the quarantine,
// which is small, is gone through.
func forget(ctx context.Context, w *conn, ids []identity.ID) error {
	if len(ids) == 0 {
		return nil
	}
	for _, id := range ids {
		if err := forgetHistory(ctx, w, id); err != nil {
			return err
		}
		if err := forgetDeliveries(ctx, w, id); err != nil {
			return err
		}
		if err := w.exec("DELETE FROM quarantine WHERE target = ?", id[:]); err != nil {
			return err
		}
	}
	return nil
}

// leaving returns the memberships of a commit, and that whoever it forgets leaves
// every segment.
func (r *roster) leaving(w *conn, c *store.Commit) ([]store.Membership, error) {
	if len(c.Forget) == 0 {
		return c.Memberships, nil
	}
	members := slices.Clone(c.Memberships)
	var segments []uint64
	if err := w.query(context.Background(), 1, func(row []driver.Value) error {
		segments = append(segments, uint64(integer(row[0])))
		return nil
	}, "SELECT segment FROM segments"); err != nil {
		return nil, err
	}
	for segment := range r.waiting {
		if !slices.Contains(segments, segment) {
			segments = append(segments, segment)
		}
	}
	slices.Sort(segments)
	for _, segment := range segments {
		for _, id := range c.Forget {
			in, _ := r.word(segment, id)
			if !in {
				var err error
				if in, err = exists(w, "SELECT 1 FROM members WHERE segment = ? AND profile = ?", segment, id[:]); err != nil {
					return nil, err
				}
			}
			if in {
				members = append(members, store.Membership{Segment: segment, Profile: id})
			}
		}
	}
	return members, nil
}

// forgetHistory deletes a strand's chain. If a link of it is damaged, everything
// that names the strand is looked for: slow, and nothing may stay.
func forgetHistory(ctx context.Context, w *conn, strand identity.ID) error {
	h, err := findHeadOf(w, strand)
	if err != nil {
		return err
	}
	for at := h.newest; at != 0; {
		p, err := readPrints(w, strand, at)
		if fault.Is(err, fault.Corrupt) {
			if err := w.exec("DELETE FROM history WHERE strand = ?", strand[:]); err != nil {
				return err
			}
			break
		}
		if err != nil {
			return err
		}
		if err := w.exec("DELETE FROM history WHERE number = ?", at); err != nil {
			return err
		}
		at = p.before
	}
	// A strand whose hot row is elsewhere has nothing left to say.
	if err := w.exec("DELETE FROM profiles WHERE id = ? AND body IS NULL", strand[:]); err != nil {
		return err
	}
	return w.exec("UPDATE profiles SET newest = 0, month = 0, earlier = 0 WHERE id = ?", strand[:])
}

func forgetDeliveries(ctx context.Context, w *conn, id identity.ID) error {
	type row struct {
		number  int64
		body    []byte
		because string
	}
	var rows []row
	err := w.query(ctx, 3, func(v []driver.Value) error {
		rows = append(rows, row{integer(v[0]), bytesOf(v[1]), v[2].(string)})
		return nil
	}, "SELECT number, body, because FROM deliveries WHERE profile = ?", id[:])
	if err != nil {
		return err
	}
	nobody := identity.ID{}
	for _, r := range rows {
		d, err := profile.DecodeDelivery(string(r.body))
		if err != nil {
			// What it was cannot be read, so nothing of it can be kept.
			if err := w.exec("DELETE FROM deliveries WHERE number = ?", r.number); err != nil {
				return err
			}
			continue
		}
		s := store.Stripped(store.Delivery{Delivery: d, Because: r.because})
		err = w.exec(`UPDATE deliveries SET profile = ?, state = ?, because = ?, deadline = 0, outcome = '', body = ?, plan = NULL, claim = NULL WHERE number = ?`,
			nobody[:], int64(s.State), s.Because, profile.AppendDelivery(nil, &s.Delivery), r.number)
		if err != nil {
			return err
		}
	}
	return nil
}

// cleanPage is how many rows are read at a time by what goes through a table: no
// view of the data is held while the caller works.
const cleanPage = 64

// RewriteFeed implements [store.Store].
func (s *Store) RewriteFeed(ctx context.Context, clean func(store.Feed) ([]byte, bool, error)) error {
	type block struct {
		store.Feed
		number int64
	}
	for after := int64(-1); ; {
		var page []block
		err := s.file.read(ctx, func(c *conn) error {
			return c.query(ctx, 6, func(row []driver.Value) error {
				page = append(page, block{store.Feed{
					Lane: int(integer(row[1])), Epoch: uint64(integer(row[2])), From: uint64(integer(row[3])), To: uint64(integer(row[4])), Body: bytesOf(row[5]),
				}, integer(row[0])})
				return nil
			}, "SELECT number, lane, epoch, from_seq, to_seq, body FROM feed WHERE number > ? ORDER BY number LIMIT ?", after, cleanPage)
		})
		if err != nil || len(page) == 0 {
			return err
		}
		for _, b := range page {
			after = b.number
			body, changed, err := clean(b.Feed)
			if err == nil && changed {
				err = s.file.transact(ctx, func(c *conn) error {
					if len(body) == 0 {
						return c.exec("DELETE FROM feed WHERE number = ?", b.number)
					}
					return c.exec("UPDATE feed SET body = ? WHERE number = ?", body, b.number)
				})
			}
			if err != nil {
				return err
			}
		}
	}
}

// PruneQuarantine implements [store.Store].
func (s *Store) PruneQuarantine(ctx context.Context, gone func(store.Quarantine) bool) (pruned int64, err error) {
	for after := int64(-1); ; {
		var numbers []int64
		n := 0
		err := s.file.read(ctx, func(c *conn) error {
			return c.query(ctx, 8, func(row []driver.Value) error {
				n++
				after = integer(row[0])
				if gone(store.Quarantine{
					At: event.Time(integer(row[1])), To: identity.ID(id16(row[2])), Kind: row[3].(string), Reason: row[4].(string),
					Field: row[5].(string), Detail: row[6].(string), Entry: bytesOf(row[7]),
				}) {
					numbers = append(numbers, after)
				}
				return nil
			}, "SELECT number, at, target, kind, reason, field, detail, entry FROM quarantine WHERE number > ? ORDER BY number LIMIT ?", after, cleanPage)
		})
		if err == nil && len(numbers) > 0 {
			err = s.file.transact(ctx, func(c *conn) error {
				for _, number := range numbers {
					if err := c.exec("DELETE FROM quarantine WHERE number = ?", number); err != nil {
						return err
					}
				}
				return nil
			})
			pruned += int64(len(numbers))
		}
		if err != nil || n < cleanPage {
			return pruned, err
		}
	}
}

// Compact implements [store.Store].
func (s *Store) Compact(ctx context.Context) error { return s.file.compact(ctx) }

// Compact implements [store.Ledger].
func (l *Ledger) Compact(ctx context.Context) error { return l.file.compact(ctx) }

// Forget implements [store.Ledger].
func (l *Ledger) Forget(ctx context.Context, profiles ...identity.ID) error {
	return l.file.transact(ctx, func(c *conn) error {
		for _, id := range profiles {
			if err := c.exec("DELETE FROM starts WHERE profile = ?", id[:]); err != nil {
				return err
			}
		}
		return nil
	})
}

// compact writes the file anew and empties the WAL. secure_delete alone would not
// do: a page that was split keeps copies of rows in the gap between them, and
// nobody knows of those when the rows are deleted. No view may be held meanwhile,
// so the readers are taken out of use for the last step.
func (f *file) compact(ctx context.Context) error {
	f.writing.Lock()
	defer f.writing.Unlock()
	if f.closed {
		return errClosed
	}
	if f.failed != nil {
		return f.failed
	}
	// The copy may be larger than memory. The temporary file has no name.
	if err := f.writer.exec("PRAGMA temp_store = FILE"); err != nil {
		return err
	}
	_, err := f.writer.db.ExecContext(ctx, "VACUUM", nil)
	if err = errors.Join(trouble(err), f.writer.exec("PRAGMA temp_store = MEMORY")); err != nil {
		return err
	}
	var lent []*conn
	defer func() {
		for _, c := range lent {
			f.readers <- c
		}
	}()
	for range f.all {
		select {
		case c := <-f.readers:
			lent = append(lent, c)
		case <-ctx.Done():
			return ctx.Err()
		case <-f.closing:
			return errClosed
		}
	}
	busy, left := int64(0), int64(0)
	err = f.writer.query(ctx, 3, func(row []driver.Value) error {
		busy, left = integer(row[0]), integer(row[1])
		return nil
	}, "PRAGMA wal_checkpoint(TRUNCATE)")
	if err == nil && (busy != 0 || left > 0) {
		err = fault.New(fault.Unavailable, "the write-ahead log of "+f.path+" could not be emptied, "+strconv.FormatInt(left, 10)+" pages are left: close what else has the file open and try again")
	}
	return err
}

// Everything implements [store.Store].
func (s *Store) Everything(ctx context.Context, yield func(table string, cell []byte) error) error {
	return s.file.snapshot(ctx, func(c *conn) error {
		var tables []string
		if err := c.query(ctx, 1, func(row []driver.Value) error {
			tables = append(tables, row[0].(string))
			return nil
		}, "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"); err != nil {
			return err
		}
		for _, table := range tables {
			var columns []string
			if err := c.query(ctx, 1, func(row []driver.Value) error {
				columns = append(columns, row[0].(string))
				return nil
			}, "SELECT name FROM pragma_table_info(?)", table); err != nil {
				return err
			}
			err := c.query(ctx, len(columns), func(row []driver.Value) error {
				for _, v := range row {
					cell := bytesOf(v)
					if text, ok := v.(string); ok {
						cell = []byte(text)
					}
					if len(cell) > 0 {
						if err := yield(table, cell); err != nil {
							return err
						}
					}
				}
				return nil
			}, `SELECT "`+strings.Join(columns, `", "`)+`" FROM "`+table+`"`) // names of our own schema
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// SuppressionsOf implements [store.Ledger].
func (l *Ledger) SuppressionsOf(ctx context.Context, subject [16]byte) (all []store.Suppression, err error) {
	err = l.file.read(ctx, func(c *conn) error {
		return c.query(ctx, 5, func(row []driver.Value) error {
			all = append(all, store.Suppression{
				Subject: subject, Channel: row[0].(string), Purpose: row[1].(string), Reason: row[2].(string), At: event.Time(integer(row[3])), By: row[4].(string),
			})
			return nil
		}, "SELECT channel, purpose, reason, at, by FROM suppressions WHERE subject = ? ORDER BY channel, purpose, reason, by", subject[:])
	})
	return all, err
}
