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
	addChanges = `INSERT INTO member_changes (segment, number, body) VALUES (?, ?, ?)`
	// dropChanges is for the rows of which every word was brought into the table, or a later one.
	dropChanges = `DELETE FROM member_changes WHERE segment = ? AND number <= ?`

	addMember    = `INSERT OR IGNORE INTO members (segment, profile) VALUES (?, ?)`
	dropMember   = `DELETE FROM members WHERE segment = ? AND profile = ?`
	countMembers = `INSERT INTO segments (segment, members) VALUES (?, ?)
		ON CONFLICT (segment) DO UPDATE SET members = members + excluded.members`
)

// Ids lie anywhere in the table, so a change of few members writes a page for each. Changes
// wait until several fall on one: at least mergeAt of a segment, and of a large one an
// eighth of its members, but no more than mergeMost. So many are brought in with the
// commits that follow, in order of id, a portion each: mergeAt, or a sixteenth of what waits.
const (
	mergeAt   = 4096
	mergeMost = 1 << 16
)

// mergeAll is how many changes of all segments may wait before commits bring in portions
// of more than one segment's. They take some 100 bytes of memory each.
const mergeAll = 500_000

// changeSize is what one change takes in a row of member_changes.
const changeSize = len(identity.ID{}) + 1

// roster is who has entered or left a segment since its members were last brought
// up to date: what member_changes holds. Only commits change it, after they
// succeeded.
type roster struct {
	mu      sync.RWMutex
	waiting map[uint64]*waiting
	number  int64  // of the last row in member_changes
	merges  uint64 // how many portions were brought into the table
	at      int    // mergeAt; tests have a smaller one
	mended  int64
}

// waiting are the last words on the members of one segment.
type waiting struct {
	last   map[identity.ID]word
	sorted []identity.ID // the keys of last; nil: they have changed
	pass   pass
}

// pass brings into the table who waited when it began, in order of id. Without ids none is
// under way.
type pass struct {
	ids []identity.ID // who is left
	end int64         // the last row of member_changes that it makes superfluous
}

// word is the last word on one customer, and what is known of the table.
type word uint8

const (
	entered word = 1 << iota // they are in the segment
	asked                    // it is known whether the table has them
	there                    // it does
	moving                   // a commit brings them in: before it ends here it may have ended in the file
)

// portion is what a commit brings into the table of one segment.
type portion struct {
	segment uint64
	pass    pass // as it was before
	ids     []identity.ID
	in      []bool // whether they are in the segment
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
		w = &waiting{last: map[identity.ID]word{}}
		r.waiting[segment] = w
	}
	last, known := w.last[id]
	if !known {
		w.sorted = nil
	}
	last &^= entered
	if in {
		last |= entered
	}
	w.last[id] = last
}

// word returns the last word on a customer, if it waits.
func (r *roster) word(segment uint64, id identity.ID) (in, known bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	w := r.waiting[segment]
	if w == nil {
		return false, false
	}
	last, known := w.last[id]
	return last&entered != 0, known
}

// committed takes over what a commit made true.
func (r *roster) committed(merged []portion, members []store.Membership) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, m := range merged {
		w := r.waiting[m.segment]
		for _, id := range m.ids {
			delete(w.last, id)
		}
		w.sorted, w.pass = nil, pass{ids: m.pass.ids[len(m.ids):], end: m.pass.end}
		if len(w.last) == 0 {
			delete(r.waiting, m.segment)
		}
	}
	r.merges += uint64(len(merged))
	for i := range members {
		r.note(members[i].Segment, members[i].Profile, members[i].In)
	}
	r.number += int64(len(members)) // there were at most so many rows
}

// due returns the segments of whose changes a commit should bring in a portion.
func (r *roster) due(c *conn) (segments []uint64, err error) {
	type candidate struct {
		segment uint64
		waiting int
		begun   bool
	}
	var some []candidate
	all := 0
	r.mu.RLock()
	for segment, w := range r.waiting {
		n := len(w.last)
		all += n
		if begun := len(w.pass.ids) > 0; begun || n >= r.at {
			some = append(some, candidate{segment, n, begun})
		}
	}
	r.mu.RUnlock()
	slices.SortFunc(some, func(a, b candidate) int { return cmp.Or(b.waiting-a.waiting, cmp.Compare(a.segment, b.segment)) })
	for _, x := range some {
		if !x.begun && x.waiting < mergeMost && all < mergeAll {
			members, err := inTable(c, x.segment)
			if err != nil {
				return nil, err
			}
			if int64(x.waiting) < members/8 {
				continue
			}
		}
		if segments = append(segments, x.segment); all < mergeAll {
			break
		}
	}
	return segments, nil
}

// inTable returns how many members the table has of a segment.
func inTable(c *conn, segment uint64) (n int64, err error) {
	err = c.query(context.Background(), 1, func(row []driver.Value) error {
		n = integer(row[0])
		return nil
	}, "SELECT members FROM segments WHERE segment = ?", segment)
	return n, err
}

// changes returns the last words on a segment in order of id.
func (r *roster) changes(segment uint64) (ids []identity.ID, in []bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	w := r.waiting[segment]
	if w == nil {
		return nil, nil
	}
	ids = w.ids()
	in = make([]bool, len(ids))
	for i, id := range ids {
		in[i] = w.last[id]&entered != 0
	}
	return ids, in
}

// ids returns who waits in order of id. Nobody may write into it. The lock is held.
func (w *waiting) ids() []identity.ID {
	if w.sorted == nil {
		w.sorted = make([]identity.ID, 0, len(w.last))
		for id := range w.last {
			w.sorted = append(w.sorted, id)
		}
		slices.SortFunc(w.sorted, identity.ID.Compare)
	}
	return w.sorted
}

// commit writes the changes down and brings portions of those of some segments that wait
// into the table. It returns which.
func (r *roster) commit(w *conn, members []store.Membership) (merged []portion, err error) {
	due, err := r.due(w)
	if err != nil {
		return nil, err
	}
	for _, segment := range due {
		p := r.portion(segment)
		if err := p.merge(w); err != nil {
			return nil, err
		}
		merged = append(merged, p)
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

// portion returns the next one of a segment, of the pass that is under way or of a new one.
func (r *roster) portion(segment uint64) portion {
	r.mu.Lock()
	defer r.mu.Unlock()
	w := r.waiting[segment]
	p := portion{segment: segment, pass: w.pass}
	if len(p.pass.ids) == 0 {
		p.pass = pass{ids: w.ids(), end: r.number}
	}
	p.ids = p.pass.ids[:min(max(r.at, len(w.last)/16), len(p.pass.ids))]
	p.in = make([]bool, len(p.ids))
	for i, id := range p.ids {
		last := w.last[id]
		p.in[i] = last&entered != 0
		w.last[id] = last | moving
	}
	return p
}

// addAtOnce is how many who enter a segment one statement brings into the table.
const addAtOnce = 16

var addMembers = addMember + strings.Repeat(", (?, ?)", addAtOnce-1)

// merge brings a portion into the table, and drops the rows that its pass makes superfluous
// if it is the last one.
func (p *portion) merge(w *conn) error {
	ids, in := p.ids, p.in
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
			args = append(args, p.segment, ids[i][:])
		}
		n, err := w.change(statement, args...)
		if err != nil {
			return err
		}
		grown += step * n
		ids, in = ids[some:], in[some:]
	}
	if grown != 0 {
		if err := w.exec(countMembers, p.segment, grown); err != nil {
			return err
		}
	}
	if len(p.ids) < len(p.pass.ids) {
		return nil
	}
	return w.exec(dropChanges, p.segment, p.pass.end)
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
		learned := map[uint64][]identity.ID{}
		found := map[uint64][]identity.ID{}
		err = s.file.snapshot(ctx, func(c *conn) error {
			err := c.query(ctx, 2, func(row []driver.Value) error {
				counts[uint64(integer(row[0]))] = integer(row[1])
				return nil
			}, "SELECT segment, members FROM segments")
			for i := 0; i < len(segments) && err == nil; i++ {
				segment := segments[i]
				grown, unasked := s.roster.grown(segment)
				learned[segment] = unasked
				found[segment], err = brought(ctx, c, segment, unasked)
				counts[segment] += grown - int64(len(found[segment]))
			}
			return err
		})
		if err != nil || s.roster.learn(merges, learned, found) {
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

// grown returns by how many members the waiting changes make a segment larger than its
// table is, if the table has none of those of whom that is not known.
func (r *roster) grown(segment uint64) (n int64, unasked []identity.ID) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	w := r.waiting[segment]
	if w == nil {
		return 0, nil
	}
	for id, last := range w.last {
		if last&entered != 0 {
			n++
		}
		switch {
		case last&(asked|moving) != asked:
			unasked = append(unasked, id)
		case last&there != 0:
			n--
		}
	}
	return n, unasked
}

// learn notes what was asked about the table, and whom it has of them, unless commits
// brought in changes since. It reports whether none did.
func (r *roster) learn(merges uint64, askedAbout, found map[uint64][]identity.ID) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.merges != merges {
		return false
	}
	note := func(of map[uint64][]identity.ID, what word) {
		for segment, ids := range of {
			w := r.waiting[segment]
			for _, id := range ids {
				w.last[id] |= what
			}
		}
	}
	note(askedAbout, asked)
	note(found, there)
	return true
}

// askAtOnce is of how many customers one question asks whether they are members.
const askAtOnce = 16

const whoIsMember = "SELECT profile FROM members WHERE segment = ? AND profile IN (?)"

var whoAreMembers = whoIsMember[:len(whoIsMember)-1] + strings.Repeat(", ?", askAtOnce-1) + ")"

// brought returns whom of some customers the table has as members. It sorts them.
func brought(ctx context.Context, c *conn, segment uint64, ids []identity.ID) (found []identity.ID, err error) {
	slices.SortFunc(ids, identity.ID.Compare)
	args := make([]any, 1, 1+askAtOnce)
	args[0] = segment
	for len(ids) > 0 {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		some, query := ids[:1], whoIsMember
		if len(ids) >= askAtOnce {
			some, query = ids[:askAtOnce], whoAreMembers
		}
		args = args[:1]
		for i := range some {
			args = append(args, some[i][:])
		}
		// The context is not given on: watching one costs as much as the question.
		err := c.query(context.Background(), 1, func(row []driver.Value) error {
			found = append(found, identity.ID(id16(row[0])))
			return nil
		}, query, args...)
		if err != nil {
			return nil, err
		}
		ids = ids[len(some):]
	}
	return found, nil
}
