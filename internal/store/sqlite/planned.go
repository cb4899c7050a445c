package sqlite

import (
	"bytes"
	"cmp"
	"context"
	"database/sql/driver"
	"math"
	"slices"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
	"rapport/internal/store"
)

// planned names the index: SQLite may hold another one for as good, and sort.
const planned = "deliveries INDEXED BY deliveries_due"

// queue is one line of planned deliveries: those of a channel and a priority.
// There are few, and in each the earliest stands first, so whoever asks them one
// by one never reads past what is not due yet, however much is planned for
// tomorrow.
type queue struct {
	channel  string
	priority int64
}

// queues calls each for the queues of a channel in order of priority, from one on, or
// of all channels if it is empty, until each returns false.
func queues(c *conn, channel string, from int64, each func(queue) (bool, error)) error {
	channels, all := []string{channel}, channel == ""
	if all {
		var err error
		if channels, err = plannedChannels(c); err != nil {
			return err
		}
	}
	for _, channel := range channels {
		q := queue{channel: channel}
		for least := from; ; least = q.priority + 1 {
			there, err := one(c, &q.priority, "SELECT priority FROM "+planned+" WHERE state = 1 AND channel = ? AND priority >= ? ORDER BY priority LIMIT 1", channel, least)
			if err != nil {
				return err
			}
			if !there {
				break
			}
			more, err := each(q)
			if err != nil {
				return err
			}
			if !more {
				break
			}
		}
	}
	return nil
}

// plannedChannels returns the channels for which something is planned.
func plannedChannels(c *conn) ([]string, error) {
	var channels []string
	query, args := "SELECT channel FROM "+planned+" WHERE state = 1 ORDER BY channel LIMIT 1", []any{}
	for {
		var channel string
		there, err := one(c, &channel, query, args...)
		if err != nil || !there {
			return channels, err
		}
		channels = append(channels, channel)
		query, args = "SELECT channel FROM "+planned+" WHERE state = 1 AND channel > ? ORDER BY channel LIMIT 1", []any{channel}
	}
}

// one reads the one value of a query into v and reports whether it is there.
func one[V int64 | string](c *conn, v *V, query string, args ...any) (there bool, err error) {
	err = c.query(context.Background(), 1, func(row []driver.Value) error {
		*v, there = row[0].(V), true
		return nil
	}, query, args...)
	return there, err
}

// DueDeliveries implements [store.Store].
func (s *Store) DueDeliveries(ctx context.Context, channel string, now event.Time, limit int) ([]store.Ref, error) {
	return s.due(ctx, channel, math.MinInt32, math.MaxInt32, now, limit)
}

// DueWithin implements [store.Store].
func (s *Store) DueWithin(ctx context.Context, from, to int32, now event.Time, limit int) ([]store.Ref, error) {
	return s.due(ctx, "", from, to, now, limit)
}

func (s *Store) due(ctx context.Context, channel string, from, to int32, now event.Time, limit int) ([]store.Ref, error) {
	type due struct {
		store.Ref
		priority int64
	}
	var found []due
	err := s.file.snapshot(ctx, func(c *conn) error {
		of, had := "", 0 // how many were found before the channel of the queue
		return queues(c, channel, int64(from), func(q queue) (bool, error) {
			if q.priority > int64(to) {
				return false, nil
			}
			if q.channel != of {
				of, had = q.channel, len(found)
			}
			err := eachRef(ctx, c, func(r store.Ref) { found = append(found, due{r, q.priority}) },
				planned+" WHERE state = 1 AND channel = ? AND priority = ? AND not_before <= ? ORDER BY not_before, id LIMIT ?",
				q.channel, q.priority, int64(now), max(limit-(len(found)-had), 0))
			return len(found)-had < limit, err
		})
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(found, func(a, b due) int {
		return cmp.Or(cmp.Compare(a.priority, b.priority), cmp.Compare(a.NotBefore, b.NotBefore), bytes.Compare(a.ID[:], b.ID[:]))
	})
	refs := make([]store.Ref, min(len(found), max(limit, 0)))
	for i := range refs {
		refs[i] = found[i].Ref
	}
	return refs, nil
}

// NextDelivery implements [store.Store].
func (s *Store) NextDelivery(ctx context.Context) (event.Time, error) {
	next := int64(event.Never)
	err := s.file.snapshot(ctx, func(c *conn) error {
		return queues(c, "", math.MinInt32, func(q queue) (bool, error) {
			at := next
			_, err := one(c, &at, "SELECT not_before FROM "+planned+
				" WHERE state = 1 AND channel = ? AND priority = ? AND not_before IS NOT NULL ORDER BY not_before LIMIT 1", q.channel, q.priority)
			next = min(next, at)
			return true, err
		})
	})
	return event.Time(next), err
}

// InState implements [store.Store].
func (s *Store) InState(ctx context.Context, state profile.State, after profile.DeliveryID, limit int) (refs []store.Ref, err error) {
	where := "deliveries WHERE +state = ? AND id > ? ORDER BY id LIMIT ?"
	// The plus keeps SQLite from sorting all that are in the state, for each page
	// anew: it goes through the ids instead.
	if state == profile.Claimed || state == profile.Started {
		where = "deliveries WHERE state IN (2, 3) AND state = ? AND id > ? ORDER BY id LIMIT ?" // the index deliveries_open
	}
	err = s.file.read(ctx, func(c *conn) error {
		return eachRef(ctx, c, func(r store.Ref) { refs = append(refs, r) }, where, int64(state), after[:], max(limit, 0))
	})
	return refs, err
}

// eachRef calls each for every delivery that a query finds.
func eachRef(ctx context.Context, c *conn, each func(store.Ref), from string, args ...any) error {
	return c.query(ctx, 7, func(row []driver.Value) error {
		each(store.Ref{
			ID: profile.DeliveryID(id16(row[0])), Profile: identity.ID(id16(row[1])), Channel: row[2].(string),
			NotBefore: instant(row[3]), Deadline: instant(row[4]), Fence: uint64(integer(row[5])), Priority: int32(integer(row[6])),
		})
		return nil
	}, "SELECT id, profile, channel, not_before, deadline, fence, priority FROM "+from, args...)
}
