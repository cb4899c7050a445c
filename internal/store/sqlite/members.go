package sqlite

import (
	"cmp"
	"context"
	"database/sql/driver"
	"slices"
	"strings"
	"sync"

	"rapport/internal/core/identity"
	"rapport/internal/store"
)

const (
	addChanges  = `INSERT INTO member_changes (segment, number, body) VALUES (?, ?, ?)`
	dropChanges = `DELETE FROM member_changes WHERE segment = ?`

	addMember    = `INSERT OR IGNORE INTO members (segment, profile) VALUES (?, ?)`
	dropMember   = `DELETE FROM members WHERE segment = ? AND profile = ?`
	countMembers = `INSERT INTO segments (segment, members) VALUES (?, ?)
		ON CONFLICT (segment) DO UPDATE SET members = members + excluded.members`
)

// mergeAt is how many changes of a segment wait before a commit brings them into
// the table: enough that many fall on one page, few enough that reading them all
// with a page of members takes a millisecond.
const mergeAt = 4096

// mergeAll is how many changes of all segments wait before a commit brings in more
// than one segment's. They take some 100 bytes of memory each.
const mergeAll = 500_000

// changeSize is what one change takes in a row of member_changes.
const changeSize = len(identity.ID{}) + 1

// roster is who has entered or left a segment since its members were last brought
// up to date: what member_changes holds. Only commits change it, after they
// succeeded.
type roster struct {
	mu      sync.RWMutex
	waiting map[uint64]*waiting
	number  int64 // of the last row in member_changes
	merges  uint64
	at      int // mergeAt; tests have a smaller one
	mended  int64
}

// waiting are the last words on the members of one segment.
type waiting struct {
	last   map[identity.ID]bool // in or out
	sorted []identity.ID        // the keys of last; nil: somebody came since
}

// load reads what a process before this one left waiting. It returns the segments of
// which a row is damaged: what that row said is not known.
func (r *roster) load(ctx context.Context, c *conn) (damaged []uint64, err error) {
	r.waiting, r.at = map[uint64]*waiting{}, mergeAt
	err = c.query(ctx, 3, func(row []driver.Value) error {
		segment, body := uint64(integer(row[0])), bytesOf(row[2])
		r.number = max(r.number, integer(row[1]))
		if !changesHold(body) {
			if !slices.Contains(damaged, segment) {
				damaged = append(damaged, segment)
			}
			return nil
		}
		for ; len(body) > 0; body = body[changeSize:] {
			r.note(segment, identity.ID(body[:changeSize-1]), body[changeSize-1] == 1)
		}
		return nil
	}, "SELECT segment, number, body FROM member_changes ORDER BY segment, number")
	return damaged, err
}

func (r *roster) note(segment uint64, id identity.ID, in bool) {
	w := r.waiting[segment]
	if w == nil {
		w = &waiting{last: map[identity.ID]bool{}}
		r.waiting[segment] = w
	}
	if _, known := w.last[id]; !known {
		w.sorted = nil
	}
	w.last[id] = in
}

// committed takes over what a commit made true.
func (r *roster) committed(merged []uint64, members []store.Membership) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, segment := range merged {
		delete(r.waiting, segment)
	}
	r.merges += uint64(len(merged))
	for i := range members {
		r.note(members[i].Segment, members[i].Profile, members[i].In)
	}
	r.number += int64(len(members)) // there were at most so many rows
}

// due returns the segments whose changes a commit should bring in.
func (r *roster) due() (segments []uint64) {
	all := 0
	for segment, w := range r.waiting {
		all += len(w.last)
		if len(w.last) >= r.at {
			segments = append(segments, segment)
		}
	}
	slices.SortFunc(segments, func(a, b uint64) int {
		return cmp.Or(len(r.waiting[b].last)-len(r.waiting[a].last), cmp.Compare(a, b))
	})
	if all < mergeAll && len(segments) > 1 {
		segments = segments[:1]
	}
	return segments
}

// changes returns the last words on a segment in order of id.
func (r *roster) changes(segment uint64) (ids []identity.ID, in []bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	w := r.waiting[segment]
	if w == nil {
		return nil, nil
	}
	if w.sorted == nil {
		w.sorted = make([]identity.ID, 0, len(w.last))
		for id := range w.last {
			w.sorted = append(w.sorted, id)
		}
		slices.SortFunc(w.sorted, identity.ID.Compare)
	}
	in = make([]bool, len(w.sorted))
	for i, id := range w.sorted {
		in[i] = w.last[id]
	}
	return w.sorted, in
}

// commit writes the changes down and brings those of some segments that wait into
// the table. It returns which.
func (r *roster) commit(w *conn, members []store.Membership) (merged []uint64, err error) {
	merged = r.due()
	for _, segment := range merged {
		if err := r.merge(w, segment); err != nil {
			return nil, err
		}
	}
	bodies, order := map[uint64][]byte{}, []uint64(nil)
	for i := range members {
		m := &members[i]
		body, known := bodies[m.Segment]
		if !known {
			order = append(order, m.Segment)
		}
		in := byte(0)
		if m.In {
			in = 1
		}
		bodies[m.Segment] = append(append(body, m.Profile[:]...), in)
	}
	for n, segment := range order {
		if err := w.exec(addChanges, segment, r.number+int64(n)+1, bodies[segment]); err != nil {
			return nil, err
		}
	}
	return merged, nil
}

// addAtOnce is how many who enter a segment one statement brings into the table.
const addAtOnce = 16

var addMembers = addMember + strings.Repeat(", (?, ?)", addAtOnce-1)

// merge brings the waiting changes of a segment into the table.
func (r *roster) merge(w *conn, segment uint64) error {
	ids, in := r.changes(segment)
	grown := int64(0)
	args := make([]any, 0, 2*addAtOnce)
	for len(ids) > 0 {
		some, statement, step := 1, dropMember, int64(-1)
		if in[0] {
			statement, step = addMember, 1
			if len(in) >= addAtOnce && !slices.Contains(in[:addAtOnce], false) {
				some, statement = addAtOnce, addMembers
			}
		}
		args = args[:0]
		for i := range ids[:some] {
			args = append(args, segment, ids[i][:])
		}
		n, err := w.change(statement, args...)
		if err != nil {
			return err
		}
		grown += step * n
		ids, in = ids[some:], in[some:]
	}
	if grown != 0 {
		if err := w.exec(countMembers, segment, grown); err != nil {
			return err
		}
	}
	return w.exec(dropChanges, segment)
}

// Members implements [store.Store]. The changes that wait are taken before the
// table is read: whether they are in it by then or not, they are the last word.
func (s *Store) Members(ctx context.Context, segment uint64, after identity.ID, limit int) (ids []identity.ID, err error) {
	limit = max(limit, 0)
	changed, in := s.roster.changes(segment)
	from, found := slices.BinarySearchFunc(changed, after, identity.ID.Compare)
	if found {
		from++
	}
	changed, in = changed[from:], in[from:]
	outs := 0
	for _, is := range in {
		if !is {
			outs++
		}
	}
	var old []identity.ID
	err = s.file.read(ctx, func(c *conn) error {
		return c.query(ctx, 1, func(row []driver.Value) error {
			old = append(old, identity.ID(id16(row[0])))
			return nil
		}, "SELECT profile FROM members WHERE segment = ? AND profile > ? ORDER BY profile LIMIT ?", segment, after[:], limit+outs)
	})
	if err != nil {
		return nil, err
	}
	for len(ids) < limit && len(old)+len(changed) > 0 {
		order := 1
		switch {
		case len(changed) == 0:
			order = -1
		case len(old) > 0:
			order = old[0].Compare(changed[0])
		}
		if order < 0 {
			ids, old = append(ids, old[0]), old[1:]
			continue
		}
		if in[0] {
			ids = append(ids, changed[0])
		}
		if order == 0 {
			old = old[1:]
		}
		changed, in = changed[1:], in[1:]
	}
	return ids, nil
}

// countTries is how often a count begins anew because a commit brought changes
// into the table meanwhile. Commits do so a few times a second at the most.
const countTries = 20

// SegmentCounts implements [store.Store].
func (s *Store) SegmentCounts(ctx context.Context) (counts map[uint64]int64, err error) {
	for range countTries {
		s.roster.mu.RLock()
		merges, segments := s.roster.merges, make([]uint64, 0, len(s.roster.waiting))
		for segment := range s.roster.waiting {
			segments = append(segments, segment)
		}
		s.roster.mu.RUnlock()
		counts = map[uint64]int64{}
		err = s.file.snapshot(ctx, func(c *conn) error {
			err := c.query(ctx, 2, func(row []driver.Value) error {
				counts[uint64(integer(row[0]))] = integer(row[1])
				return nil
			}, "SELECT segment, members FROM segments")
			for i := 0; i < len(segments) && err == nil; i++ {
				var grown int64
				grown, err = s.roster.grown(ctx, c, segments[i])
				counts[segments[i]] += grown
			}
			return err
		})
		s.roster.mu.RLock()
		same := s.roster.merges == merges
		s.roster.mu.RUnlock()
		if err != nil || same {
			break
		}
	}
	for segment, n := range counts {
		if n <= 0 {
			delete(counts, segment)
		}
	}
	return counts, err
}

// grown returns by how many members the waiting changes make a segment larger
// than its table is.
func (r *roster) grown(ctx context.Context, c *conn, segment uint64) (n int64, err error) {
	ids, in := r.changes(segment)
	for _, is := range in {
		if is {
			n++ // and if it was one already it is taken away below
		}
	}
	args := make([]any, 1, 1+askAtOnce)
	args[0] = segment
	for len(ids) > 0 {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		some, query := ids[:1], isMember
		if len(ids) >= askAtOnce {
			some, query = ids[:askAtOnce], areMembers
		}
		args = args[:1]
		for i := range some {
			args = append(args, some[i][:])
		}
		// The context is not given on: watching one costs as much as the question.
		err := c.query(context.Background(), 1, func(row []driver.Value) error {
			n -= integer(row[0])
			return nil
		}, query, args...)
		if err != nil {
			return 0, err
		}
		ids = ids[len(some):]
	}
	return n, nil
}

// askAtOnce is of how many customers one question asks whether they are members.
const askAtOnce = 16

const isMember = "SELECT count(*) FROM members WHERE segment = ? AND profile IN (?)"

var areMembers = isMember[:len(isMember)-1] + strings.Repeat(", ?", askAtOnce-1) + ")"
