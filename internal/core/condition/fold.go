package condition

import (
	"slices"
	"sort"

	"rapport/internal/core/event"
	"rapport/internal/core/money"
	"rapport/internal/core/profile"
)

// Fold brings the event into the series of p that ask about it and says which
// those are. It replaces what it changes in p, which is the caller's own copy.
//
// Order is what event.OrderOf reads from an order event, nil for all others and
// for an order that cannot be read; the properties net, units and order_id come
// from it. Now is when the event was heard: what no window can ask about any
// more is forgotten. The session of p must already include the event, see
// [Visit].
//
// The history of a profile is linear: Fold may write behind the end of a slice
// of p. To let two futures grow from one profile, [Fork] it first.
func (s *Set) Fold(p *profile.Profile, e *event.Event, order *event.Order, now event.Time) Touched {
	var t Touched
	own := false
	for _, n := range s.byName[e.Name] {
		q := s.list[n]
		if q.keeper != nil {
			if q.keeper.hear(p, e, order, p.Session, now) {
				t.mark(n)
			}
			continue
		}
		if !q.asks(e, order) {
			continue
		}
		t.mark(n)
		if q.take != takeNothing {
			p.Tallies = setTally(slices.Clone(p.Tallies), q.hearTally(p.TallyOf(q.key), e, order, now))
			continue
		}
		i, known := placeOf(p.Series, q.key)
		if !own {
			room := 0
			if !known {
				room = 4 // who does something new often does more of it
			}
			p.Series = append(make([]*profile.Series, 0, len(p.Series)+room), p.Series...)
			own = true
		}
		if !known {
			p.Series = slices.Insert(p.Series, i, &profile.Series{Key: q.key})
		} else {
			series := *p.Series[i]
			p.Series[i] = &series
		}
		q.hear(p.Series[i], e, order, p.Session, now)
	}
	return t
}

// placeOf returns where the series of the key stands or would, and whether it does.
func placeOf(list []*profile.Series, key uint64) (int, bool) {
	lo, hi := 0, len(list)
	for lo < hi {
		if mid := int(uint(lo+hi) >> 1); list[mid].Key < key {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo, lo < len(list) && list[lo].Key == key
}

// Fork makes p safe to grow apart from the profile that it is a copy of: for a
// rehearsal, where both go on.
func Fork(p *profile.Profile) {
	p.Series = slices.Clone(p.Series)
	for i, s := range p.Series {
		series := *s
		series.Obs = slices.Clip(series.Obs)
		p.Series[i] = &series
	}
}

// asks reports whether the event is one of those that the question is about.
func (q *question) asks(e *event.Event, order *event.Order) bool {
	if q.from != 0 && e.At < q.from || e.At >= q.to {
		return false
	}
	for _, f := range q.where {
		if !f.holds(e, order) {
			return false
		}
	}
	return true
}

// hear brings the event into the series, a copy of the caller's own whose Obs it
// may append to and never changes.
func (q *question) hear(s *profile.Series, e *event.Event, order *event.Order, session profile.Session, now event.Time) {
	o := profile.Obs{At: e.At}
	if q.sum != "" {
		o.Value = q.value(e, order)
	}
	if s.Count == 0 || e.At < s.First {
		s.First = e.At
	}
	if s.Count == 0 || e.At > s.Last {
		s.Last = e.At
	}
	s.Count++
	s.Sum = addMoney(s.Sum, o.Value)
	if q.tag == "" {
		q.keepObs(s, o, now)
		return
	}
	var few [8]uint64
	for _, tag := range q.tags(few[:0], e, order, session) {
		o.Tag = tag
		q.keepTag(s, o, now)
	}
}

// keepObs inserts one observation in its place and forgets the old.
func (q *question) keepObs(s *profile.Series, o profile.Obs, now event.Time) {
	obs := s.Obs
	switch n := len(obs); {
	case o.At <= now-q.keep && !(q.newest && (n == 0 || obs[0].At > now || obs[newestPast(obs, now)].At < o.At)):
		// Heard so late that no window asks about it.
	case n == 0 || !less(o, obs[n-1]):
		obs = behind(obs, o)
	default:
		i := sort.Search(n, func(i int) bool { return less(o, obs[i]) })
		fresh := make([]profile.Obs, 0, n+1+n/4)
		fresh = append(append(append(fresh, obs[:i]...), o), obs[i:]...)
		obs = fresh
	}
	s.Obs = q.prune(obs, now)
}

// behind appends an observation. It makes less room than append: most series of most
// customers hear little.
func behind(obs []profile.Obs, o profile.Obs) []profile.Obs {
	if n := len(obs); n == cap(obs) {
		obs = append(make([]profile.Obs, 0, n+4+n/4), obs...)
	}
	return append(obs, o)
}

// prune returns the observations without those that no window can ask about any
// more. It cuts the front off and copies nothing.
func (q *question) prune(obs []profile.Obs, now event.Time) []profile.Obs {
	if q.keep != event.Never {
		cut := after(obs, now-q.keep)
		if q.newest {
			cut = min(cut, max(0, newestPast(obs, now)))
		}
		obs = obs[cut:]
	}
	return q.limit(obs, now)
}

// limit cuts off the oldest observations beyond those that any bound needs. What
// is still to come is not counted: it may never be looked at together with them.
func (q *question) limit(obs []profile.Obs, now event.Time) []profile.Obs {
	if len(obs) > q.most {
		if past := newestPast(obs, now) + 1; past > q.most {
			obs = obs[past-q.most:]
		}
	}
	if len(obs) > MaxObs {
		obs = obs[len(obs)-MaxObs:]
	}
	if len(obs) == 0 {
		return nil
	}
	return obs
}

// keepTag inserts an observation of a series that counts apart. Of each tag only
// the newest past observation can matter to any window, and those from the
// future; so Value, which has no other use here, holds the instant of the tag's
// next observation, zero if there is none. One whose next is past is superseded
// and forgotten.
func (q *question) keepTag(s *profile.Series, o profile.Obs, now event.Time) {
	if q.keep != event.Never && o.At <= now-q.keep {
		s.Obs = q.pruneTags(s.Obs, now)
		return
	}
	next, known := event.Time(0), false
	for i := len(s.Obs) - 1; i >= 0; i-- {
		other := &s.Obs[i]
		if other.Tag != o.Tag {
			continue
		}
		known = true
		if other.At == o.At {
			s.Obs = q.pruneTags(s.Obs, now)
			return // the same tag at the same instant says nothing new
		}
		if other.At > o.At {
			next = other.At
		}
	}
	if n := len(s.Obs); !known && (n == 0 || !less(o, s.Obs[n-1])) {
		s.Obs = q.limit(q.pruneTags(behind(s.Obs, o), now), now)
		return
	}
	o.Value = money.Micros(next)
	fresh := make([]profile.Obs, 0, len(s.Obs)+1)
	placed := false
	for _, other := range s.Obs {
		if !placed && less(o, other) {
			fresh, placed = append(fresh, o), true
		}
		if other.Tag == o.Tag && other.At < o.At && (other.Value == 0 || event.Time(other.Value) > o.At) {
			other.Value = money.Micros(o.At)
		}
		fresh = append(fresh, other)
	}
	if !placed {
		fresh = append(fresh, o)
	}
	// The copy is ours: pruning may compact it in place.
	s.Obs = q.compactTags(fresh, now)
}

// pruneTags is compactTags for observations that others may be reading.
func (q *question) pruneTags(obs []profile.Obs, now event.Time) []profile.Obs {
	for i := range obs {
		if q.stale(&obs[i], now) {
			return q.compactTags(slices.Clone(obs), now)
		}
	}
	return obs
}

func (q *question) compactTags(obs []profile.Obs, now event.Time) []profile.Obs {
	return q.limit(slices.DeleteFunc(obs, func(o profile.Obs) bool { return q.stale(&o, now) }), now)
}

func (q *question) stale(o *profile.Obs, now event.Time) bool {
	return superseded(o, now) || q.keep != event.Never && o.At <= now-q.keep
}

// superseded reports whether a newer observation of the same tag already counts.
func superseded(o *profile.Obs, now event.Time) bool {
	return o.Value != 0 && event.Time(o.Value) <= now
}

// less orders observations. Instant and tag are the order that the profile
// promises; the value makes it total, so equal sets give equal bytes.
func less(a, b profile.Obs) bool {
	if a.At != b.At {
		return a.At < b.At
	}
	if a.Tag != b.Tag {
		return a.Tag < b.Tag
	}
	return a.Value < b.Value
}

// after returns the index of the first observation later than t.
func after(obs []profile.Obs, t event.Time) int {
	lo, hi := 0, len(obs)
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		if obs[mid].At > t {
			hi = mid
		} else {
			lo = mid + 1
		}
	}
	return lo
}

// newestPast returns the index of the newest observation that counts now, −1 if
// there is none. What is newest is nearly always past.
func newestPast(obs []profile.Obs, now event.Time) int {
	i := len(obs) - 1
	for i >= 0 && obs[i].At > now {
		i--
	}
	return i
}
