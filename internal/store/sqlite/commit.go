package sqlite

import (
	"bytes"
	"context"
	"database/sql/driver"
	"fmt"
	"strconv"
	"strings"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
	"rapport/internal/fault"
	"rapport/internal/store"
)

const (
	putPosition = `INSERT INTO positions (lane, epoch, seq, now, turns) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (lane) DO UPDATE SET epoch = excluded.epoch, seq = excluded.seq, now = excluded.now, turns = excluded.turns`

	putProfile = `INSERT INTO profiles (id, alarm, newest, month, earlier, body, signpost) VALUES (?, ?, 0, 0, 0, ?, ?)
		ON CONFLICT (id) DO UPDATE SET alarm = excluded.alarm, body = excluded.body`

	putBody = `INSERT INTO profiles (id, alarm, newest, month, earlier, body, signpost) VALUES (?, ?, 0, 0, 0, ?, ?)
		ON CONFLICT (id) DO UPDATE SET body = excluded.body`

	// putProfileAt and putBodyAt are for rows whose number is known: the index of ids, which
	// lies anywhere, is not asked.
	putProfileAt = `UPDATE profiles SET alarm = ?, body = ? WHERE number = ? AND id = ?`
	putBodyAt    = `UPDATE profiles SET body = ? WHERE number = ? AND id = ?`

	// turn is apart: SQLite writes an index anew when a column of it is set.
	turn = `UPDATE profiles SET signpost = ? WHERE id = ?`

	putRest = `INSERT INTO rests (number, body) VALUES (?, ?) ON CONFLICT (number) DO UPDATE SET body = excluded.body`

	// putRestOf is for rows whose number is not known, most of them new.
	putRestOf = `INSERT INTO rests (number, body) SELECT number, ? FROM profiles WHERE id = ?
		ON CONFLICT (number) DO UPDATE SET body = excluded.body`
	dropRestOf = `DELETE FROM rests WHERE number = (SELECT number FROM profiles WHERE id = ?)`

	putDelivery = `INSERT INTO deliveries (id, profile, state, channel, journey, because, priority, planned, not_before, deadline, fence, changed, outcome, body, plan, claim)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET profile = excluded.profile, state = excluded.state, channel = excluded.channel, journey = excluded.journey,
			because = excluded.because, priority = excluded.priority, planned = excluded.planned, not_before = excluded.not_before,
			deadline = excluded.deadline, fence = excluded.fence, changed = excluded.changed,
			outcome = CASE WHEN excluded.outcome = '' THEN outcome ELSE excluded.outcome END,
			body = excluded.body, plan = coalesce(excluded.plan, plan), claim = coalesce(excluded.claim, claim)`

	// moveDelivery is putDelivery for a row that only moves on: what does not
	// change is not in it, because SQLite writes every index anew of which a column
	// is set.
	moveDelivery = `UPDATE deliveries SET state = ?, because = ?, not_before = ?, deadline = ?, fence = ?, changed = ?,
			outcome = CASE WHEN ?7 = '' THEN outcome ELSE ?7 END, body = ?, plan = coalesce(?, plan), claim = coalesce(?, claim)
		WHERE id = ? AND profile = ? AND channel = ? AND journey = ? AND priority = ? AND planned = ?`

	addForward = `INSERT INTO forwards (lane, number, source, target, at, entry) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (lane, number) DO UPDATE SET source = excluded.source, target = excluded.target, at = excluded.at, entry = excluded.entry`
	dropForwards = `DELETE FROM forwards WHERE lane = ? AND number <= ?`

	addQuarantine = `INSERT INTO quarantine (at, target, kind, reason, field, detail, entry) VALUES (?, ?, ?, ?, ?, ?, ?)`

	addFeed = `INSERT INTO feed (lane, epoch, from_seq, to_seq, body) VALUES (?, ?, ?, ?, ?)`
)

// Commit implements [store.Store].
func (s *Store) Commit(ctx context.Context, c *store.Commit) error {
	var (
		changed *heads
		pieces  recentPieces
		merged  []portion
		members []store.Membership
	)
	return s.file.transactThen(ctx, func(w *conn) error {
		at, err := position(ctx, w, c.Lane)
		if err != nil {
			return err
		}
		if at.Epoch != c.From.Epoch || at.Seq != c.From.Seq {
			return fault.New(fault.Conflict, "another engine has taken over the lane: its position is no longer where this commit begins")
		}
		if err := w.exec(putPosition, c.Lane, c.To.Epoch, c.To.Seq, int64(c.To.Now), turnsText(&c.To)); err != nil {
			return err
		}
		if changed, pieces, err = commitHistory(ctx, w, c.History, &s.heads, &s.recent); err != nil {
			return err
		}
		if err := commitProfiles(w, c.Profiles, changed); err != nil {
			return err
		}
		if members, err = s.roster.leaving(w, c); err != nil {
			return err
		}
		if merged, err = s.roster.commit(w, members); err != nil {
			return err
		}
		for i := range c.Deliveries {
			if err := commitDelivery(w, &c.Deliveries[i]); err != nil {
				return err
			}
		}
		if err := commitOthers(w, c); err != nil {
			return err
		}
		return forget(ctx, w, c.Forget)
	}, func(err error) {
		if err != nil || len(c.Forget) > 0 {
			s.heads.forget() // on a failing disk nobody knows what is true; who was erased has none
			s.recent.forget()
		}
		if err != nil {
			return
		}
		if len(c.Forget) == 0 {
			s.heads.learn(changed)
			if len(c.History) > 0 {
				s.recent.learn(pieces)
			}
		}
		s.roster.committed(merged, members)
	})
}

// commitProfiles writes the hot rows, and with them where the chains of those
// that have new history begin.
func commitProfiles(w *conn, rows []store.Row, heads *heads) error {
	for i := range rows {
		p := &rows[i]
		h := heads.take(p.ID)
		known, err := putAt(w, p, h)
		switch {
		case known || err != nil:
		case h == nil && p.KeepAlarm:
			err = w.exec(putBody, p.ID[:], p.Alarm, blob(p.Body), sign(p))
		case h == nil:
			err = w.exec(putProfile, p.ID[:], p.Alarm, blob(p.Body), sign(p))
		case h.row == 0:
			err = w.exec(addProfileAndHead, p.ID[:], p.Alarm, h.newest, h.month, h.earlier, blob(p.Body), sign(p))
		case p.KeepAlarm:
			err = w.exec(putBodyAndHead, h.newest, h.month, h.earlier, blob(p.Body), h.row)
		default:
			err = w.exec(putProfileAndHead, p.Alarm, h.newest, h.month, h.earlier, blob(p.Body), h.row)
		}
		if err == nil && p.Turned {
			err = w.exec(turn, sign(p), p.ID[:])
		}
		if err == nil && p.Rest != nil {
			number := int64(0)
			if known {
				number = p.Number
			} else if h != nil {
				number = h.row
			}
			err = commitRest(w, p, number)
		}
		if err != nil {
			return err
		}
	}
	return heads.rest(func(strand identity.ID, h *head) error {
		return w.exec(putHead, strand[:], h.newest, h.month, h.earlier)
	})
}

// putAt writes a row whose number is known and whose history does not change, and reports
// whether it did.
func putAt(w *conn, p *store.Row, h *head) (bool, error) {
	if h != nil || p.Number == 0 {
		return false, nil
	}
	var n int64
	var err error
	if p.KeepAlarm {
		n, err = w.change(putBodyAt, blob(p.Body), p.Number, p.ID[:])
	} else {
		n, err = w.change(putProfileAt, p.Alarm, blob(p.Body), p.Number, p.ID[:])
	}
	return n > 0, err
}

// sign is what the column of signposts holds: NULL where somebody lives, and in rows
// of a time before there was one.
func sign(p *store.Row) any {
	if p.Signpost {
		return 1
	}
	return nil
}

// commitRest writes what seldom changes of a profile, behind its row, of which the number
// may be known.
func commitRest(w *conn, p *store.Row, number int64) error {
	switch {
	case len(p.Rest) == 0:
		return w.exec(dropRestOf, p.ID[:])
	case number == 0:
		return w.exec(putRestOf, p.Rest, p.ID[:])
	}
	return w.exec(putRest, number, p.Rest)
}

func commitDelivery(w *conn, d *store.Delivery) error {
	body := profile.AppendDelivery(nil, &d.Delivery)
	if d.State != profile.Planned {
		moved, err := w.change(moveDelivery, int64(d.State), d.Because, d.NotBefore, d.Deadline, d.Fence, int64(d.Changed), d.Outcome, body, d.Plan, d.Claim,
			d.ID[:], d.Profile[:], d.Channel, d.Journey, d.Priority, int64(d.Planned))
		if err != nil || moved > 0 {
			return err
		}
	}
	return w.exec(putDelivery, d.ID[:], d.Profile[:], int64(d.State), d.Channel, d.Journey, d.Because, d.Priority, int64(d.Planned),
		d.NotBefore, d.Deadline, d.Fence, int64(d.Changed), d.Outcome, body, d.Plan, d.Claim)
}

func commitOthers(w *conn, c *store.Commit) error {
	for i := range c.Forwards {
		f := &c.Forwards[i]
		if err := w.exec(addForward, c.Lane, f.Number, f.From[:], f.To[:], int64(f.At), blob(f.Entry)); err != nil {
			return err
		}
	}
	if c.Forwarded > 0 {
		if err := w.exec(dropForwards, c.Lane, c.Forwarded); err != nil {
			return err
		}
	}
	for i := range c.Quarantine {
		q := &c.Quarantine[i]
		if err := w.exec(addQuarantine, int64(q.At), q.To[:], q.Kind, q.Reason, q.Field, q.Detail, q.Entry); err != nil {
			return err
		}
	}
	if err := commitRuns(w, c); err != nil {
		return err
	}
	if len(c.Feed) > 0 {
		return w.exec(addFeed, c.Lane, c.To.Epoch, c.From.Seq, c.To.Seq, c.Feed)
	}
	return nil
}

// position reads how far a lane has been committed.
func position(ctx context.Context, c *conn, lane int) (p store.Position, err error) {
	err = c.query(ctx, 4, func(row []driver.Value) error {
		p = store.Position{Epoch: uint64(integer(row[0])), Seq: uint64(integer(row[1])), Now: instant(row[2])}
		return readTurns(&p, row[3].(string))
	}, "SELECT epoch, seq, now, turns FROM positions WHERE lane = ?", lane)
	return p, err
}

// How far a sweep has come stands in a position as rowMark and a number, or as everybody.
// A number without the mark is of a time when sweeps went through ids by their first two
// bytes: unless it is behind all of those, the sweep begins anew. Of several lanes only the
// last had an end there; the others ask everybody once more, with the same outcome.
const (
	rowMark   = "#"
	everybody = "all"
	allBytes  = 1 << 16
)

// turnsText returns the turns of a position as its row has them.
func turnsText(p *store.Position) string {
	var b []byte
	for _, t := range p.Turns[:p.Force()] {
		b = fmt.Appendf(b, "%d %d ", int64(t.Program), t.Since)
		if t.Swept == store.Everybody {
			b = append(b, everybody+" "...)
			continue
		}
		b = fmt.Appendf(b, "%s%d ", rowMark, t.Swept)
	}
	return string(bytes.TrimSpace(b))
}

// readTurns reads them.
func readTurns(p *store.Position, text string) error {
	fields := strings.Fields(text)
	if len(fields)%3 != 0 || len(fields) > 3*store.MaxTurns {
		return fault.New(fault.Corrupt, "the position of a lane has turns that nobody wrote: "+strconv.Quote(text))
	}
	for i, f := range fields {
		t := &p.Turns[i/3]
		if i%3 == 2 && f == everybody {
			t.Swept = store.Everybody
			continue
		}
		digits, marked := strings.CutPrefix(f, rowMark)
		n, err := strconv.ParseInt(digits, 10, 64)
		if err != nil || marked && i%3 != 2 {
			return fault.New(fault.Corrupt, "the position of a lane has turns that nobody wrote: "+strconv.Quote(text))
		}
		switch i % 3 {
		case 0:
			t.Program = uint64(n)
		case 1:
			t.Since = event.Time(n)
		case 2:
			if t.Swept = n; !marked {
				if t.Swept = 0; n >= allBytes {
					t.Swept = store.Everybody
				}
			}
		}
	}
	return nil
}

// blob returns b as bytes that are there even if there are none.
func blob(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}
