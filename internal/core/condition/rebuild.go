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
	built := make([]*profile.Series, len(s.list))
	p.Scores, p.Tastes = nil, nil
	tallies := make([]*profile.Tally, len(s.list))
	var session profile.Session
	for e := range events {
		session = Visit(session, e)
		var order *event.Order
		read := false
		for _, n := range s.byName[e.Name] {
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
			}
			q.hear(built[n], e, order, session, now)
		}
	}
	p.Series = make([]*profile.Series, 0, len(built))
	for _, series := range built {
		if series != nil {
			p.Series = append(p.Series, series)
		}
	}
	slices.SortFunc(p.Series, func(a, b *profile.Series) int { return cmp.Compare(a.Key, b.Key) })
	p.Tallies = nil
	for _, t := range tallies {
		if t != nil {
			p.Tallies = setTally(p.Tallies, t)
		}
	}
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

// Trim forgets the series that nobody asks for any more and the observations
// that no window can ask about as of now.
func (s *Set) Trim(p *profile.Profile, now event.Time) {
	kept := make([]*profile.Series, 0, len(p.Series))
	for _, old := range p.Series {
		n, known := s.byKey[old.Key]
		if !known {
			continue
		}
		q, series := s.list[n], *old
		if q.tag == "" {
			series.Obs = q.prune(series.Obs, now)
		} else {
			series.Obs = q.pruneTags(series.Obs, now)
		}
		kept = append(kept, &series)
	}
	p.Series = kept
	p.Scores = slices.DeleteFunc(slices.Clone(p.Scores), func(o *profile.Score) bool { _, known := s.byKey[o.Key]; return !known })
	p.Tastes = slices.DeleteFunc(slices.Clone(p.Tastes), func(o *profile.Taste) bool { _, known := s.byKey[o.Key]; return !known })
	s.trimTallies(p, now)
}

func (s *Set) trimTallies(p *profile.Profile, now event.Time) {
	if len(p.Tallies) == 0 {
		return
	}
	kept := make([]*profile.Tally, 0, len(p.Tallies))
	for _, old := range p.Tallies {
		if n, known := s.byKey[old.Key]; known {
			kept = append(kept, &profile.Tally{Key: old.Key, Marks: s.list[n].tidyMarks(slices.Clone(old.Marks), now)})
		}
	}
	p.Tallies = kept
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
