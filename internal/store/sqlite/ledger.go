package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
	"rapport/internal/fault"
	"rapport/internal/store"
)

// Ledger is dispatch's own book in a file. It implements [store.Ledger].
type Ledger struct {
	file    *file
	reserve *reserve
	closing sync.Once
}

var _ store.Ledger = (*Ledger)(nil)

// OpenLedger opens the ledger, as Open opens the state.
func OpenLedger(ctx context.Context, o Options) (*Ledger, error) {
	f, err := openFile(ctx, o, ledgerFile, ledgerMigrations)
	if err != nil {
		return nil, fmt.Errorf("opening the ledger: %w", err)
	}
	r, err := openReserve(f.path + ".reserve")
	if err != nil {
		return nil, errors.Join(fmt.Errorf("opening the ledger: %w", err), f.close())
	}
	f.group.first = r.drain
	return &Ledger{file: f, reserve: r}, nil
}

// Close implements [store.Ledger].
func (l *Ledger) Close() error {
	err := l.file.close()
	l.closing.Do(func() { err = errors.Join(err, l.reserve.close()) })
	return err
}

const (
	// stopping finds what stops a delivery: an empty channel or purpose is every
	// one. The pluses make it one step into the primary key for nearly everybody, who
	// has no row, in place of one for each of the four combinations.
	stopping = `FROM suppressions WHERE subject = ?1 AND +channel IN (?2, '') AND +purpose IN (?3, '')`

	putStart = `INSERT INTO starts (id, profile, fence, subjects, channel, purpose, at, resend, service, finished, receipt)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0, NULL)`

	putAgain = ` ON CONFLICT (id) DO UPDATE SET profile = excluded.profile, fence = excluded.fence, subjects = excluded.subjects,
			channel = excluded.channel, purpose = excluded.purpose, at = excluded.at, resend = excluded.resend,
			service = excluded.service, finished = 0, receipt = NULL`
)

// stoppingAny are the questions whether one of so many subjects is suppressed.
var stoppingAny = func() (queries [maxAsked + 1]string) {
	for n := 1; n < len(queries); n++ {
		var parts []string
		for i := range n {
			parts = append(parts, "SELECT 1 FROM suppressions WHERE subject = ?"+strconv.Itoa(i+3)+" AND +channel IN (?1, '') AND +purpose IN (?2, '')")
		}
		queries[n] = strings.Join(parts, " UNION ALL ") + " LIMIT 1"
	}
	return queries
}()

// maxAsked is of how many subjects one statement asks: a person, the address and a few
// ids that they were known by.
const maxAsked = 8

// Start implements [store.Ledger].
func (l *Ledger) Start(ctx context.Context, batch []store.Start) ([]store.StartAnswer, error) {
	answers := make([]store.StartAnswer, len(batch))
	err := l.file.together(ctx, func(c *conn) error {
		for i := range batch {
			var err error
			if answers[i], err = begin(c, &batch[i]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return answers, nil
}

// begin asks as little as it can, for each of a campaign's mails comes here: that a
// delivery was begun before, or that another has its Only, is what an insertion tells.
func begin(c *conn, s *store.Start) (store.StartAnswer, error) {
	subjects := make([]byte, 0, 16*len(s.Subjects))
	for i := range s.Subjects {
		subjects = append(subjects, s.Subjects[i][:]...)
	}
	stopped, err := anyStopped(c, subjects, s)
	if err != nil {
		return store.Stop, err
	}
	if stopped {
		if s.Resend {
			return store.Stop, nil
		}
		begun, err := exists(c, "SELECT 1 FROM starts WHERE id = ?", s.ID[:])
		if err != nil || begun {
			return store.Again, err
		}
		return store.Stop, nil
	}
	if s.Resend {
		if mine, err := first(c, s); err != nil || !mine {
			return store.Same, err
		}
		return store.Go, put(c, putStart+putAgain, s, subjects)
	}
	if err := put(c, putStart, s, subjects); taken(err) {
		return store.Again, nil
	} else if err != nil {
		return store.Stop, err
	}
	mine, err := first(c, s)
	if err != nil || mine {
		return store.Go, err
	}
	return store.Same, c.exec("DELETE FROM starts WHERE id = ?", s.ID[:]) // it was not begun
}

func put(c *conn, query string, s *store.Start, subjects []byte) error {
	return c.exec(query, s.ID[:], s.Profile[:], s.Fence, subjects, s.Channel, s.Purpose, int64(s.At), s.Resend, s.Service)
}

// anyStopped reports whether one of the subjects of a start is suppressed.
func anyStopped(c *conn, subjects []byte, s *store.Start) (stopped bool, err error) {
	var room [maxAsked + 2]any
	for len(subjects) > 0 && !stopped && err == nil {
		n := min(len(subjects)/16, maxAsked)
		args := append(room[:0], s.Channel, s.Purpose)
		for i := range n {
			args = append(args, subjects[16*i:16*i+16])
		}
		stopped, err = exists(c, stoppingAny[n], args...)
		subjects = subjects[16*n:]
	}
	return stopped, err
}

// first reports whether a delivery is the one that is begun with its Only. The first
// stays: a delivery that comes a second time finds itself.
func first(c *conn, s *store.Start) (bool, error) {
	if s.Only == ([16]byte{}) {
		return true, nil
	}
	err := c.exec("INSERT INTO only_one (key, delivery, at) VALUES (?, ?, ?)", s.Only[:], s.ID[:], int64(s.At))
	if taken(err) {
		return exists(c, "SELECT 1 FROM only_one WHERE key = ? AND delivery = ?", s.Only[:], s.ID[:])
	}
	return err == nil, err
}

// Begun implements [store.Ledger].
func (l *Ledger) Begun(ctx context.Context, id profile.DeliveryID, fence uint64) (begun bool, err error) {
	err = l.file.read(ctx, func(c *conn) error {
		begun, err = exists(c, "SELECT 1 FROM starts WHERE id = ? AND fence >= ?", id[:], fence)
		return err
	})
	return begun, err
}

// exists reports whether a query finds a row.
func exists(c *conn, query string, args ...any) (found bool, err error) {
	err = c.query(context.Background(), 1, func([]driver.Value) error {
		found = true
		return nil
	}, query, args...)
	return found, err
}

// Note implements [store.Ledger].
func (l *Ledger) Note(ctx context.Context, receipts []store.Receipt) error {
	return l.file.lazily(ctx, func(c *conn) error {
		for i := range receipts {
			if err := c.exec("UPDATE starts SET receipt = ?2 WHERE id = ?1 AND finished = 0", receipts[i].ID[:], receipts[i].Entry); err != nil {
				return err
			}
		}
		return nil
	})
}

// Finish implements [store.Ledger].
func (l *Ledger) Finish(ctx context.Context, ids []profile.DeliveryID) error {
	return l.file.lazily(ctx, func(c *conn) error {
		for i := range ids {
			// What is no longer asked for is not kept either.
			if err := c.exec("UPDATE starts SET finished = 1, receipt = NULL, subjects = x'' WHERE id = ? AND finished = 0", ids[i][:]); err != nil {
				return err
			}
		}
		return nil
	})
}

// Unfinished implements [store.Ledger].
func (l *Ledger) Unfinished(ctx context.Context, before event.Time, limit int) (open []store.Start, err error) {
	err = l.file.read(ctx, func(c *conn) error {
		return c.query(ctx, 10, func(row []driver.Value) error {
			s := store.Start{
				ID: profile.DeliveryID(id16(row[0])), Profile: identity.ID(id16(row[1])), Fence: uint64(integer(row[2])),
				Channel: row[4].(string), Purpose: row[5].(string), At: event.Time(integer(row[6])),
				Resend: integer(row[7]) != 0, Service: integer(row[8]) != 0, Receipt: bytesOf(row[9]),
			}
			subjects := row[3].([]byte)
			if len(subjects)%16 != 0 {
				return fault.New(fault.Corrupt, "the subjects of delivery "+s.ID.String()+" are damaged")
			}
			for ; len(subjects) > 0; subjects = subjects[16:] {
				s.Subjects = append(s.Subjects, [16]byte(subjects[:16]))
			}
			open = append(open, s)
			return nil
		}, `SELECT id, profile, fence, subjects, channel, purpose, at, resend, service, receipt FROM starts
			WHERE finished = 0 AND at < ? ORDER BY id LIMIT ?`, int64(before), max(limit, 0))
	})
	return open, err
}

// Suppress implements [store.Ledger]. What the ledger cannot take because of the
// disk is kept in the reserve.
func (l *Ledger) Suppress(ctx context.Context, s store.Suppression) error {
	err := l.file.together(ctx, func(c *conn) error { return suppress(c, s) })
	if !fault.Is(err, fault.Unavailable) || errors.Is(err, errClosed) || ctx.Err() != nil {
		return err
	}
	if kept := l.reserve.keep(s); kept != nil {
		return errors.Join(err, kept)
	}
	l.file.log.Warn("an unsubscribe went into the reserve, because the ledger could not take it", "error", err)
	return nil
}

func suppress(c *conn, s store.Suppression) error {
	return c.exec("INSERT OR IGNORE INTO suppressions (subject, channel, purpose, reason, at, by) VALUES (?, ?, ?, ?, ?, ?)",
		s.Subject[:], s.Channel, s.Purpose, s.Reason, int64(s.At), s.By)
}

// Release implements [store.Ledger].
func (l *Ledger) Release(ctx context.Context, subject [16]byte, channel, purpose string, until event.Time) error {
	return l.file.together(ctx, func(c *conn) error {
		return c.exec("DELETE FROM suppressions WHERE subject = ? AND channel = ? AND purpose = ? AND reason = ? AND at <= ?",
			subject[:], channel, purpose, store.Unsubscribed, int64(until))
	})
}

// Retract implements [store.Ledger].
func (l *Ledger) Retract(ctx context.Context, by string) (n int64, err error) {
	err = l.file.together(ctx, func(c *conn) error {
		if err := c.query(ctx, 1, func(row []driver.Value) error {
			n = integer(row[0])
			return nil
		}, "SELECT count(*) FROM suppressions WHERE by = ?", by); err != nil {
			return err
		}
		return c.exec("DELETE FROM suppressions WHERE by = ?", by)
	})
	return n, err
}

// Suppressed implements [store.Ledger].
func (l *Ledger) Suppressed(ctx context.Context, subject [16]byte, channel, purpose string) (s store.Suppression, stopped bool, err error) {
	// The reserve first: what leaves it meanwhile is in the file before the file is read.
	waiting := l.reserve.list()
	err = l.file.read(ctx, func(c *conn) error {
		s, stopped, err = oldest(c, subject, channel, purpose)
		return err
	})
	if err == nil && !stopped {
		s, stopped = stops(waiting, subject, channel, purpose)
	}
	return s, stopped, err
}

// AllSuppressed implements [store.Ledger].
func (l *Ledger) AllSuppressed(ctx context.Context, questions []store.Question) ([]*store.Suppression, error) {
	answers := make([]*store.Suppression, len(questions))
	waiting := l.reserve.list() // first, as in Suppressed
	err := l.file.snapshot(ctx, func(c *conn) error {
		for i := range questions {
			q := &questions[i]
			s, stopped, err := oldest(c, q.Subject, q.Channel, q.Purpose)
			if err != nil {
				return err
			}
			if !stopped {
				s, stopped = stops(waiting, q.Subject, q.Channel, q.Purpose)
			}
			if stopped {
				answers[i] = &s
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return answers, nil
}

// oldest returns the first suppression in the file that stops a delivery. The context
// is not given on: watching it costs more than the question.
func oldest(c *conn, subject [16]byte, channel, purpose string) (s store.Suppression, stopped bool, err error) {
	err = c.query(context.Background(), 5, func(row []driver.Value) error {
		stopped = true
		s = store.Suppression{
			Subject: subject, Channel: row[0].(string), Purpose: row[1].(string), Reason: row[2].(string),
			At: event.Time(integer(row[3])), By: row[4].(string),
		}
		return nil
	}, "SELECT channel, purpose, reason, at, by "+stopping+" ORDER BY at, reason LIMIT 1", subject[:], channel, purpose)
	return s, stopped, err
}

// Suppressions implements [store.Ledger].
func (l *Ledger) Suppressions(ctx context.Context) (map[string]int64, error) {
	counts := map[string]int64{}
	err := l.file.read(ctx, func(c *conn) error {
		return c.query(ctx, 2, func(row []driver.Value) error {
			counts[row[0].(string)] = integer(row[1])
			return nil
		}, "SELECT reason, count(*) FROM (SELECT DISTINCT subject, channel, purpose, reason FROM suppressions) GROUP BY reason")
	})
	return counts, err
}
