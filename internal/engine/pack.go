package engine

import (
	"rapport/internal/core/profile"
	"rapport/internal/store"
)

// packed is a profile that a commit writes.
type packed struct {
	p      *profile.Profile
	base   *profile.Profile // as the store has it, in parts; nil: the whole is written
	stored bool             // the store has a row
	keep   bool             // its alarm stays what the store has
	hot    int              // bytes of the hot part
	rest   int              // bytes of the rest; keptRest: it is as the store has it
}

const keptRest = -1

// packRows returns the rows of a commit, with room for some more. Of a profile whose
// rest is what the store has, the hot part alone is written.
func packRows(rows []packed, s *scratch, room int) []store.Row {
	s.rows = s.rows[:0]
	for i := range rows {
		r := &rows[i]
		from := len(s.rows)
		s.rows = r.p.AppendHot(s.rows)
		r.hot, r.rest = len(s.rows)-from, keptRest
		if r.base == nil || !r.p.SameRest(r.base) {
			s.rows = r.p.AppendRest(s.rows)
			r.rest = len(s.rows) - from - r.hot
		}
	}
	list := make([]store.Row, len(rows), len(rows)+room)
	start := 0
	for i := range rows {
		r := &rows[i]
		end := start + r.hot
		row := store.Row{
			ID: r.p.ID, Alarm: r.p.Alarm, KeepAlarm: r.keep, Body: s.rows[start:end:end],
			Signpost: !r.p.Lives(), Turned: r.stored && (r.base == nil || r.base.Lives() != r.p.Lives()),
		}
		if start = end; r.rest != keptRest {
			end += r.rest
			if row.Rest = s.rows[start:end:end]; r.rest == 0 && !r.stored {
				row.Rest = nil // there is none to be taken away
			}
			start = end
		}
		list[i] = row
	}
	return list
}

// size returns how many bytes both parts have, and notes it, given the item as it
// was before.
func (r *packed) size(it *item) int {
	switch {
	case r.rest != keptRest:
		it.rest = r.rest
	case it.rest == unknownRest:
		it.rest = max(it.row-r.hot, 0)
	}
	return r.hot + it.rest
}
