package insight

import (
	"math/bits"
	"slices"

	"rapport/internal/core/condition"
	"rapport/internal/core/event"
	"rapport/internal/core/profile"
)

// Touched re-evaluates the segments that look at something that was touched,
// those whose Until has come, and those that rest on one that changed. It
// replaces p.Segments and returns who entered and left, in an order that follows
// the definitions. P is the caller's own copy, with all that the event changed
// already in it; now is when the event was heard.
//
// What is due at the same instant is looked at together, so that a window that
// closes and an event that opens it again are no change at all. What was due
// before must have been dealt with by [Segments.Due], at its own instant.
func (s *Segments) Touched(p *profile.Profile, t condition.Touched, now event.Time) []Change {
	var few [8]uint64
	dirty := s.due(p, now, s.set(few[:]))
	for series := range t.Series {
		if series < len(s.bySeries) {
			mark(dirty, s.bySeries[series])
		}
	}
	for _, name := range t.Traits {
		mark(dirty, s.byTrait[name])
	}
	for _, name := range t.Predictions {
		mark(dirty, s.byPrediction[name])
	}
	for _, name := range t.Kept {
		mark(dirty, s.byKept[name])
	}
	if t.Consent {
		mark(dirty, s.consent)
	}
	if t.Reach {
		mark(dirty, s.reach)
	}
	if t.Device {
		mark(dirty, s.device)
	}
	if t.Locale {
		mark(dirty, s.locale)
	}
	if t.Zone {
		mark(dirty, s.zone)
	}
	if t.Life {
		mark(dirty, s.life)
	}
	if t.Place {
		mark(dirty, s.place)
	}
	r := run{s: s, p: p, now: now}
	return r.all(dirty)
}

// Due re-evaluates the segments whose Until has come, and those that rest on one
// that changed. Now is the instant of the alarm, [Segments.Next], not the later
// one at which somebody came to it. W counts what turned out unchanged; it may be
// nil.
func (s *Segments) Due(p *profile.Profile, now event.Time, w *Watch) []Change {
	var few [8]uint64
	r := run{s: s, p: p, now: now, watch: w}
	return r.all(s.due(p, now, s.set(few[:])))
}

// Gone returns what leaving those segments is in which the profile was and that no
// longer exist: one that comes back under the name of one of them must not find its
// members. Before has them and tells how they were called; nil, or one that does not,
// leaves a change without a name.
func (s *Segments) Gone(p *profile.Profile, before *Segments, now event.Time) (changes []Change) {
	for i := range p.Segments {
		m := &p.Segments[i]
		if _, known := s.byKey[m.Key]; known || !m.In {
			continue
		}
		c := Change{Key: m.Key, At: now, Silent: true}
		if before != nil {
			if n, known := before.byKey[m.Key]; known {
				c.Segment, c.Hidden = before.list[n].name, before.list[n].hidden
			}
		}
		changes = append(changes, c)
	}
	return changes
}

// All evaluates every segment: a profile catches up with a new program. Series
// must be those of the program already. Memberships of segments that no longer
// exist are dropped: see [Segments.Gone]. The changes are silent if the caller says
// so, but for segments that count existing customers as entering.
func (s *Segments) All(p *profile.Profile, now event.Time, silent bool) []Change {
	var few [8]uint64
	dirty := s.set(few[:])
	for n := range s.list {
		dirty[n>>6] |= 1 << (n & 63)
	}
	return s.catchUp(p, now, silent, dirty)
}

// Since is [Segments.All] for a profile that was evaluated under the older program: a
// segment that both have is as it was, but for those whose Until has come and those that
// rest on one that changes.
func (s *Segments) Since(b Beyond, p *profile.Profile, now event.Time, silent bool) []Change {
	var few [8]uint64
	dirty := s.due(p, now, s.set(few[:]))
	for w := range dirty {
		dirty[w] |= b.places[w]
	}
	return s.catchUp(p, now, silent, dirty)
}

// Beyond is which segments of a program an older one does not have, or not so.
type Beyond struct{ places []uint64 }

// Beyond compares the program with an older one. Where other definitions differ that
// conditions may rest on, every segment does.
func (s *Segments) Beyond(older *Segments) Beyond {
	b := Beyond{s.set(nil)}
	alike := s.around != 0 && s.around == older.around
	for n := range s.list {
		m, known := older.byKey[s.list[n].key]
		if !alike || !known || s.list[n].cond.Canonical() != older.list[m].cond.Canonical() {
			b.places[n>>6] |= 1 << (n & 63)
		}
	}
	return b
}

func (s *Segments) catchUp(p *profile.Profile, now event.Time, silent bool, dirty []uint64) []Change {
	gone := func(m profile.Membership) bool { _, known := s.byKey[m.Key]; return !known }
	own := slices.ContainsFunc(p.Segments, gone)
	if own {
		p.Segments, p.Untils = slices.DeleteFunc(p.AppendMemberships(nil), gone), nil
	}
	r := run{s: s, p: p, now: now, silent: silent, own: own}
	return r.all(dirty)
}

// Next returns the earliest Until of p's memberships: when to ask again, by
// [Segments.Due]. event.Never: only an event changes anything.
func (s *Segments) Next(p *profile.Profile) event.Time {
	next := event.Never
	for i := range p.Segments {
		next = min(next, p.Until(i))
	}
	return next
}

// Explain says whether the customer is in the segment as of now, and why. It
// reports false if there is no such segment.
func (s *Segments) Explain(p *profile.Profile, name string, now event.Time) (condition.Verdict, bool) {
	n, known := s.byKey[condition.SegmentKey(name)]
	if !known {
		return condition.Verdict{}, false
	}
	return s.list[n].cond.Eval(&condition.Context{P: p, Now: now, Zones: s.zones, DefaultZone: s.defaultZone, Explain: true}), true
}

// set returns an empty set of places, in few if it is large enough.
func (s *Segments) set(few []uint64) []uint64 {
	words := (len(s.list) + 63) / 64
	if words <= len(few) {
		return few[:words]
	}
	return make([]uint64, words)
}

// due adds the segments whose Until has come. A membership of a segment that no
// longer exists waits for the profile to catch up.
func (s *Segments) due(p *profile.Profile, now event.Time, dirty []uint64) []uint64 {
	for i := range p.Segments {
		if p.Until(i) <= now {
			if n, known := s.byKey[p.Segments[i].Key]; known {
				dirty[n>>6] |= 1 << (n & 63)
			}
		}
	}
	return dirty
}

func mark(dirty []uint64, places []int) {
	for _, n := range places {
		dirty[n>>6] |= 1 << (n & 63)
	}
}

// run is one re-evaluation of one profile.
type run struct {
	s      *Segments
	p      *profile.Profile
	now    event.Time
	silent bool
	own    bool // p.Segments is our own copy already, and has the Untils
	moved  bool // p.Untils is
	watch  *Watch
}

// all evaluates the places of the set in their order. What a segment refers to
// stands before it, so each is evaluated once.
func (r *run) all(dirty []uint64) (changes []Change) {
	c := condition.Context{P: r.p, Now: r.now, Zones: r.s.zones, DefaultZone: r.s.defaultZone}
	for w := range dirty {
		for dirty[w] != 0 {
			n := w<<6 | bits.TrailingZeros64(dirty[w])
			dirty[w] &= dirty[w] - 1
			g := &r.s.list[n]
			at, kept := r.find(g.key)
			old := profile.Membership{Key: g.key, Until: event.Never}
			if kept {
				old = r.p.Segments[at]
				old.Until = r.p.Until(at)
			}
			v := g.cond.Eval(&c)
			m := profile.Membership{Key: g.key, In: v.True, Since: old.Since, Until: v.Until}
			if r.watch != nil && old.Until <= r.now {
				m.Until = r.watch.note(r.s, n, v.True != old.In, r.now, m.Until)
			}
			if v.True != old.In || old.Since == 0 {
				m.Since = r.now
			}
			if v.True != old.In {
				changes = append(changes, Change{
					Segment: g.name, Key: g.key, In: v.True, At: r.now, Hidden: g.hidden, Silent: r.silent && !g.existing,
				})
			}
			if m == old || !m.In && m.Until == event.Never && old.Since == 0 {
				continue
			}
			switch idle := !m.In && m.Until == event.Never; {
			case kept && !idle && m.In == old.In && m.Since == old.Since:
				r.move(at, m.Until)
			case kept || !idle:
				r.put(at, kept, m)
			}
			// A later Until leaves those that rest on it a lower bound; an earlier one does not.
			if m.In != old.In || m.Until < old.Until {
				mark(dirty, r.s.users[n])
			}
		}
	}
	return changes
}

// find returns the place of a membership, and whether there is one.
func (r *run) find(key uint64) (int, bool) {
	lo, hi := 0, len(r.p.Segments)
	for lo < hi {
		if mid := int(uint(lo+hi) >> 1); r.p.Segments[mid].Key < key {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo, lo < len(r.p.Segments) && r.p.Segments[lo].Key == key
}

// move moves the Until of the membership at the place: what most events do.
func (r *run) move(at int, until event.Time) {
	if r.own {
		r.p.Segments[at].Until = until
		return
	}
	if !r.moved {
		list := make([]event.Time, len(r.p.Segments))
		for i := range list {
			list[i] = r.p.Until(i)
		}
		r.p.Untils, r.moved = list, true
	}
	r.p.Untils[at] = until
}

// put writes a membership at its place; one that says nothing is taken out. The list
// is copied once.
func (r *run) put(at int, kept bool, m profile.Membership) {
	if !r.own {
		const room = 2 // for what comes in
		r.p.Segments = r.p.AppendMemberships(slices.Grow[[]profile.Membership](nil, len(r.p.Segments)+room))
		r.p.Untils, r.own = nil, true
	}
	switch {
	case !m.In && m.Until == event.Never:
		r.p.Segments = slices.Delete(r.p.Segments, at, at+1)
	case kept:
		r.p.Segments[at] = m
	default:
		r.p.Segments = slices.Insert(r.p.Segments, at, m)
	}
}
