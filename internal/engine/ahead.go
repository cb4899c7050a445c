package engine

import (
	"slices"

	"rapport/internal/core"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
)

// ahead is what the core made of an entry before its turn came. It is taken when the
// turn comes and the profile is still the one that it was made of: then it is what
// the core would return again.
type ahead struct {
	of    *profile.Profile // nil: nothing was made
	next  *profile.Profile
	eff   core.Effects
	stack string // of a panic
	then  int    // the place of the customer's next entry in the record, counted from 1; 0: there is none
}

// aheadFrom is from how many entries on a record is worth sharing.
const aheadFrom = 32

// applyAhead applies the entries of a record on every processor: those of one
// customer in their order, and nothing of it becomes state. Where an entry needs more
// than the profile, it and what follows it for the same customer are left to their
// turn. The lock is held.
func (l *lane) applyAhead(all []entry, now event.Time) {
	clear(l.ahead) // it holds on to profiles
	l.ahead = slices.Grow(l.ahead[:0], len(all))[:len(all)]
	if len(all) < aheadFrom || l.prog == nil {
		return
	}
	first, last := l.first[:0], make(map[identity.ID]int, len(all))
	for i := range all {
		id := all[i].To
		if id.Zero() {
			clear(l.ahead)
			return // the program may change within the record
		}
		if at, known := last[id]; known {
			l.ahead[at].then = i + 1
		} else {
			first = append(first, i)
		}
		last[id] = i
	}
	l.first = first
	each(len(first), fewAtOnce, func(n int) {
		it := l.cache.items[all[first[n]].To]
		if it == nil || it.damaged || !l.prog.Current(it.p) {
			return
		}
		p := it.p
		for at := first[n] + 1; at > 0; {
			a, e := &l.ahead[at-1], &all[at-1].Event
			if asksHistory(p, e) {
				return
			}
			a.of = p
			a.next, a.eff, a.stack = l.apply(p, e, now, false)
			if a.stack != "" || len(a.eff.Joined) > 0 || a.eff.Undone || len(a.eff.Forget) > 0 {
				return // what follows rests on what the lane does now
			}
			p, at = a.next, a.then
		}
	})
}

// asksHistory reports whether the profile cannot tell by itself if it knows the event.
func asksHistory(p *profile.Profile, e *event.Event) bool {
	if e.Type == event.System && event.Control(e.Name) || !p.Owner.Zero() {
		return false
	}
	sees := p.Sees(e)
	return sees == profile.AskMonth || sees == profile.AskAll
}
