package sqlite

import (
	"cmp"
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"slices"
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
	putStart = `INSERT INTO starts (id, profile, fence, subjects, channel, purpose, at, resend, service, finished, receipt)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0, NULL)`

	putAgain = ` ON CONFLICT (id) DO UPDATE SET profile = excluded.profile, fence = excluded.fence, subjects = excluded.subjects,
			channel = excluded.channel, purpose = excluded.purpose, at = excluded.at, resend = excluded.resend,
			service = excluded.service, finished = 0, receipt = NULL`
)

// Start implements [store.Ledger].
func (l *Ledger) Start(ctx context.Context, batch []store.Start) ([]store.StartAnswer, error) {
	answers := make([]store.StartAnswer, len(batch))
	var subjects [][16]byte
	for i := range batch {
		subjects = append(subjects, batch[i].Subjects...)
	}
	err := l.file.together(ctx, func(c *conn) error {
		held, err := suppressionsOf(c, subjects)
		if err != nil {
			return err
		}
		for i := range batch {
			if answers[i], err = begin(c, &batch[i], held); err != nil {
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
func begin(c *conn, s *store.Start, held suppressed) (store.StartAnswer, error) {
	subjects, stopped := make([]byte, 0, 16*len(s.Subjects)), false
	for _, subject := range s.Subjects {
		subjects = append(subjects, subject[:]...)
		stopped = stopped || stops(held[subject], subject, s.Channel, s.Purpose) != nil
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
	answers, err := l.AllSuppressed(ctx, []store.Question{{Subject: subject, Channel: channel, Purpose: purpose}})
	if err != nil || answers[0] == nil {
		return s, false, err
	}
	return *answers[0], true, nil
}

// AllSuppressed implements [store.Ledger].
func (l *Ledger) AllSuppressed(ctx context.Context, questions []store.Question) ([]*store.Suppression, error) {
	answers := make([]*store.Suppression, len(questions))
	subjects := make([][16]byte, len(questions))
	for i := range questions {
		subjects[i] = questions[i].Subject
	}
	// The reserve first: what leaves it meanwhile is in the file before the file is read.
	waiting := l.reserve.list()
	err := l.file.snapshot(ctx, func(c *conn) error {
		held, err := suppressionsOf(c, subjects)
		for i := range questions {
			q := &questions[i]
			found := stops(held[q.Subject], q.Subject, q.Channel, q.Purpose)
			if found == nil {
				found = stops(waiting, q.Subject, q.Channel, q.Purpose)
			}
			if found != nil {
				s := *found // the reserve's own stays its own
				answers[i] = &s
			}
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return answers, nil
}

// suppressed are the suppressions of subjects, of each the oldest first.
type suppressed map[[16]byte][]store.Suppression

// askedAtOnce is of how many subjects one statement asks, one step into the primary key
// for each. Nearly nobody has a row, so what costs is the asking; askedAlone is for one
// message, or for somebody who looks.
const askedAtOnce, askedAlone = 64, 4

var suppressionsOfMany, suppressionsOfFew = suppressionsOfUpTo(askedAtOnce), suppressionsOfUpTo(askedAlone)

func suppressionsOfUpTo(n int) string {
	return "SELECT subject, channel, purpose, reason, at, by FROM suppressions WHERE subject IN (?" + strings.Repeat(", ?", n-1) + ")"
}

// suppressionsOf returns every suppression of the subjects. The context is not given
// on: watching it costs more than a question.
func suppressionsOf(c *conn, subjects [][16]byte) (suppressed, error) {
	var all suppressed
	room := make([]any, askedAtOnce)
	for part := range slices.Chunk(subjects, askedAtOnce) {
		query, args := suppressionsOfMany, room
		if len(part) <= askedAlone {
			query, args = suppressionsOfFew, room[:askedAlone]
		}
		for i := range args {
			args[i] = part[min(i, len(part)-1)][:] // the last fills up: a set holds it once
		}
		if err := c.query(context.Background(), 6, func(row []driver.Value) error {
			s := readSuppression(row)
			if all == nil {
				all = suppressed{}
			}
			if !slices.Contains(all[s.Subject], s) { // a subject may be asked of twice
				all[s.Subject] = append(all[s.Subject], s)
			}
			return nil
		}, query, args...); err != nil {
			return nil, err
		}
	}
	for _, list := range all {
		slices.SortStableFunc(list, func(a, b store.Suppression) int {
			return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.Reason, b.Reason))
		})
	}
	return all, nil
}

// readSuppression reads a row. One that nobody wrote holds everything back, for a
// reason that is not known.
func readSuppression(row []driver.Value) store.Suppression {
	channel, isChannel := row[1].(string)
	purpose, isPurpose := row[2].(string)
	reason, isReason := row[3].(string)
	at, isAt := row[4].(int64)
	by, isBy := row[5].(string)
	s := store.Suppression{Subject: id16(row[0]), Channel: channel, Purpose: purpose, Reason: reason, At: event.Time(at), By: by}
	if !isChannel || !isPurpose || !isReason || !isAt || !isBy {
		s.Channel, s.Purpose, s.Reason = "", "", store.Manual
	}
	return s
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
