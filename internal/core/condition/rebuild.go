package condition

import (
	"cmp"
	"iter"
	"slices"

	"rapport/internal/core/event"
	"rapport/internal/core/money"
	"rapport/internal/core/profile"
)

// Rebuild makes the series of p again from its whole history: what folding the
// events one by one would have given, as of now. Events come in the order in
// which they were heard, on which sessions depend. It is for a program that asks
// what was not asked before; nothing else of p changes.
func (s *Set) Rebuild(p *profile.Profile, events iter.Seq[*event.Event], now event.Time) {
	p.Series, p.Scores, p.Tastes, p.Tallies = nil, nil, nil, nil
	s.Beyond(nil).Rebuild(p, events, now)
}

// orderOf reads the order that the event carries; nil if it carries none or one
// that cannot be read.
func orderOf(e *event.Event) *event.Order {
	if !event.IsOrder(e.Name) {
		return nil
	}
	order, err := event.OrderOf(e.Name, e.Props)
	if err != nil {
		return nil // what the intake could not read either: the event counts, its sums do not
	}
	return &order
}

// Fresh is what a set asks for that an older one does not keep.
type Fresh struct {
	set    *Set
	asked  []bool // by number of the series
	byName map[string][]int
	visits bool // some of it looks at visits, which every event makes
}

// Beyond returns what s asks for that a profile whose series were kept by older has
// not; older nil: everything.
func (s *Set) Beyond(older *Set) *Fresh {
	f := &Fresh{set: s, asked: make([]bool, len(s.list)), byName: map[string][]int{}}
	for n, q := range s.list {
		if older != nil && older.keeps(q) {
			continue
		}
		f.asked[n] = true
		f.visits = f.visits || q.keeper != nil || q.tag == visits
		for _, name := range q.names {
			f.byName[name] = append(f.byName[name], n)
		}
	}
	return f
}

// Any reports whether there is anything to be made from the history.
func (f *Fresh) Any() bool { return len(f.byName) > 0 || slices.Contains(f.asked, true) }

// Wants reports whether events of the name, by a person or by the product, count for
// what is made. The others need not be read.
func (f *Fresh) Wants(t event.Type, name string) bool {
	return f.visits && t != event.System || len(f.byName[name]) > 0
}

// Rebuild makes what is fresh of the series of p from its whole history, as
// [Set.Rebuild] makes all of them, and leaves the others.
func (f *Fresh) Rebuild(p *profile.Profile, events iter.Seq[*event.Event], now event.Time) {
	s := f.set
	stale := func(key uint64) bool { n, known := s.byKey[key]; return !known || f.asked[n] }
	p.Series = without(p.Series, func(o *profile.Series) bool { return stale(o.Key) })
	p.Scores = without(p.Scores, func(o *profile.Score) bool { return stale(o.Key) })
	p.Tastes = without(p.Tastes, func(o *profile.Taste) bool { return stale(o.Key) })
	p.Tallies = without(p.Tallies, func(o *profile.Tally) bool { return stale(o.Key) })
	built, tallies := make([]*profile.Series, len(s.list)), make([]*profile.Tally, len(s.list))
	var session profile.Session
	some := false
	for e := range events {
		session = Visit(session, e)
		var order *event.Order
		read := false
		for _, n := range f.byName[e.Name] {
			if !read {
				order, read = orderOf(e), true
			}
			q := s.list[n]
			if q.keeper != nil {
				q.keeper.hear(p, e, order, session, now)
				continue
			}
			if !q.asks(e, order) {
				continue
			}
			if q.take != takeNothing {
				tallies[n] = q.hearTally(tallies[n], e, order, now)
				continue
			}
			if built[n] == nil {
				built[n] = &profile.Series{Key: q.key}
				some = true
			}
			q.hear(built[n], e, order, session, now)
		}
	}
	for _, t := range tallies {
		if t != nil {
			p.Tallies = setTally(slices.Clip(p.Tallies), t)
		}
	}
	if !some {
		return
	}
	p.Series = slices.Clip(p.Series) // what is appended does not stand behind another's
	for _, series := range built {
		if series != nil {
			p.Series = append(p.Series, series)
		}
	}
	slices.SortFunc(p.Series, func(a, b *profile.Series) int { return cmp.Compare(a.Key, b.Key) })
}

// Drop forgets what nobody asks for any more. What is kept of the rest beyond its
// windows stays until an event comes: who is not changed by new definitions is not
// written anew.
func (s *Set) Drop(p *profile.Profile) {
	stale := func(key uint64) bool { _, known := s.byKey[key]; return !known }
	p.Series = without(p.Series, func(o *profile.Series) bool { return stale(o.Key) })
	p.Scores = without(p.Scores, func(o *profile.Score) bool { return stale(o.Key) })
	p.Tastes = without(p.Tastes, func(o *profile.Taste) bool { return stale(o.Key) })
	p.Tallies = without(p.Tallies, func(o *profile.Tally) bool { return stale(o.Key) })
}

// without returns the list without what is stale: itself if nothing is.
func without[T any](list []*T, stale func(*T) bool) []*T {
	if !slices.ContainsFunc(list, stale) {
		return list
	}
	return slices.DeleteFunc(slices.Clone(list), stale)
}

// Join returns the series of two profiles that turned out to be one person. The
// events behind them are different ones. Either may be nil. Join(a, b) equals
// Join(b, a) and changes neither.
func Join(a, b *profile.Series) *profile.Series {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	}
	j := &profile.Series{Key: a.Key, Count: a.Count + b.Count, Sum: addMoney(a.Sum, b.Sum), First: a.First, Last: a.Last}
	if a.Count == 0 || b.Count > 0 && b.First < a.First {
		j.First = b.First
	}
	if a.Count == 0 || b.Count > 0 && b.Last > a.Last {
		j.Last = b.Last
	}
	j.Obs = make([]profile.Obs, 0, len(a.Obs)+len(b.Obs))
	j.Obs = append(append(j.Obs, a.Obs...), b.Obs...)
	if slices.ContainsFunc(j.Obs, func(o profile.Obs) bool { return o.Tag != 0 }) {
		j.Obs = linkTags(j.Obs)
	}
	slices.SortFunc(j.Obs, compareObs)
	if len(j.Obs) > MaxObs {
		j.Obs = j.Obs[len(j.Obs)-MaxObs:]
	}
	return j
}

// JoinAll returns the series of both profiles, joined key by key, by key.
func JoinAll(a, b []*profile.Series) []*profile.Series {
	joined := make([]*profile.Series, 0, len(a)+len(b))
	for len(a) > 0 && len(b) > 0 {
		switch {
		case a[0].Key < b[0].Key:
			joined, a = append(joined, a[0]), a[1:]
		case a[0].Key > b[0].Key:
			joined, b = append(joined, b[0]), b[1:]
		default:
			joined, a, b = append(joined, Join(a[0], b[0])), a[1:], b[1:]
		}
	}
	return append(append(joined, a...), b...)
}

// linkTags leaves each tag once at each instant and gives each observation the
// instant of its tag's next one, as [question.keepTag] keeps it.
func linkTags(obs []profile.Obs) []profile.Obs {
	slices.SortFunc(obs, func(a, b profile.Obs) int { return cmp.Or(cmp.Compare(a.Tag, b.Tag), cmp.Compare(a.At, b.At)) })
	obs = slices.CompactFunc(obs, func(a, b profile.Obs) bool { return a.Tag == b.Tag && a.At == b.At })
	for i := range obs {
		obs[i].Value = 0
		if i+1 < len(obs) && obs[i+1].Tag == obs[i].Tag {
			obs[i].Value = money.Micros(obs[i+1].At)
		}
	}
	return obs
}

func compareObs(a, b profile.Obs) int {
	return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.Tag, b.Tag), cmp.Compare(a.Value, b.Value))
}
