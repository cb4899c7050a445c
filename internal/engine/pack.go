package engine

import (
	"runtime"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
	"rapport/internal/store"
)

// packed is a profile that a commit writes.
type packed struct {
	it     *item
	id     identity.ID
	p      *profile.Profile // nil: body is what the cache has as its row
	base   *profile.Profile // as the store has it, in parts; nil: the whole is written
	alarm  event.Time
	number int64  // of its row; zero: it is not known
	stored bool   // the store has a row
	keep   bool   // its alarm stays what the store has
	other  bool   // its rest is not what the store has
	lives  bool   // it is no signpost
	turned bool   // which the store may not know
	whole  bool   // the cache wants to have its rest too
	body   []byte // both parts, or the hot one
	hot    int    // bytes of the hot part
	rest   int    // bytes of the rest; unknownRest: it was not encoded
}

// gather notes what the commit under way writes of an item, if it is one of those and
// the commit does not know yet. It comes before any change of the item. The lock is held.
func (l *lane) gather(it *item) {
	if b := l.inflight; b != nil && !b.noted && it.batch == b.number {
		l.note(b, it.place)
	}
}

// note notes what a commit writes of one of its items. What is a row is copied, for it
// may change meanwhile. The lock is held.
func (l *lane) note(b *batch, place int) {
	s, it := &l.scratch, b.dirty[place]
	r := &s.noted[place]
	if r.it != nil {
		return
	}
	*r = packed{
		it: it, id: it.id, p: it.p, base: it.base, alarm: it.due(), number: it.number, stored: it.row > 0, keep: l.keepsAlarm(it), other: it.base == nil || it.otherRest,
	}
	if it.p == nil || l.cache.encoded(it) { // then base, if there is one, has the rest of the row, but for otherRest
		r.p = nil
		r.body, r.hot, r.rest = l.cache.rows.copy(&s.rows, it.id)
	} else {
		r.whole = !it.passes && !l.cache.restEncoded(it, it.p)
	}
	r.lives = it.lives()
	r.turned = r.stored && it.signpost == r.lives
	if r.lives && (!r.stored || r.turned) {
		it.settled = b.number
	}
	it.otherRest, it.signpost = false, !r.lives
	if it.base = it.p; it.p == nil {
		it.base = unseen
	}
	if !r.keep {
		it.alarm, it.early = r.alarm, false
	}
}

// usualRow is at least as long as nearly all rows, in bytes.
const usualRow = 4 << 10

// packRows returns the rows of a commit, with room for some more. Of a profile whose
// rest is what the store has, the hot part alone is written.
func packRows(rows []packed, s *scratch, room int) []store.Row {
	for i := range rows {
		r := &rows[i]
		if i%piece == piece-1 {
			runtime.Gosched() // whoever is live goes first
		}
		if r.p == nil {
			continue
		}
		r.body = r.p.AppendHot(s.rows.begin(usualRow))
		r.hot, r.rest = len(r.body), unknownRest
		r.other = r.other || !r.p.SameRest(r.base)
		if r.other || r.whole {
			r.body = r.p.AppendRest(r.body)
			r.rest = len(r.body) - r.hot
		}
		r.body = s.rows.end(r.body)
	}
	list := make([]store.Row, len(rows), len(rows)+room)
	for i := range rows {
		r := &rows[i]
		row := store.Row{ID: r.id, Number: r.number, Alarm: r.alarm, KeepAlarm: r.keep, Signpost: !r.lives, Turned: r.turned, Body: r.body[:r.hot:r.hot]}
		if r.other {
			if row.Rest = r.body[r.hot:]; r.rest == 0 && !r.stored {
				row.Rest = nil // there is none to be taken away
			}
		}
		list[i] = row
	}
	return list
}

// size returns how many bytes both parts have, and notes it, given the item as it
// was before.
func (r *packed) size(it *item) int {
	switch {
	case r.rest != unknownRest:
		it.rest = r.rest
	case it.rest == unknownRest:
		it.rest = max(it.row-r.hot, 0)
	}
	return r.hot + it.rest
}
