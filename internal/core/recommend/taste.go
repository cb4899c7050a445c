package recommend

import (
	"math"
	"slices"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/profile"
)

// The settings of the lists for a customer. They were chosen on the second-last
// baskets of the Online Retail year, with the last ones not seen.
const (
	// tasteLast is how many of what she bought last say what she likes.
	tasteLast = 50
	// tasteRecent is how many of the others who bought a thing are looked at.
	tasteRecent = 1000
	// tasteNear is how many of them, the most alike, are asked.
	tasteNear = 50
	// tasteHalf is after which time what she bought says half as much.
	tasteHalf = 60 * 24 * time.Hour
	// tasteTrend is how much what is in demand counts beside what the others have,
	// either being 1 at its most.
	tasteTrend = 0.5
	// ownTrend is how many purchases of her own being the most wanted of all is worth.
	ownTrend = 3
)

// Like is something that a customer bought, and when last.
type Like struct {
	Name string
	Last event.Time
}

// Taste appends at most n items that people bought who bought the same things as
// she did, and that had says she has not. The index is one of histories: one visit
// of everything a customer bought. Demand says what is wanted now; self is her own
// history, which is not asked.
func (x *Index) Taste(dst []Item, likes []Like, had func(name string) bool, self uint64, demand *Tally, now event.Time, n int, s *Scratch) []Item {
	latest := slices.Clone(likes)
	slices.SortFunc(latest, func(a, b Like) int {
		switch {
		case a.Last != b.Last && a.Last > b.Last, a.Last == b.Last && a.Name < b.Name:
			return -1
		}
		return 1
	})
	s.visits.clear()
	for _, l := range latest[:min(len(latest), tasteLast)] {
		id, known := x.ids[l.Name]
		if !known {
			continue
		}
		it := &x.items[id]
		weight := math.Exp2(-float64(now.Sub(l.Last))/float64(tasteHalf)) * math.Log(float64(x.visitCount())/float64(1+it.live))
		if weight <= 0 {
			continue // everybody has it: it tells nothing
		}
		left := tasteRecent
		for j := len(it.visits) - 1; j >= 0 && left > 0; j-- {
			if v := it.visits[j]; x.kept(v) && x.visit(v).visitor != self {
				s.visits.add(v, weight)
				left--
			}
		}
	}
	s.near = s.visits.hits(s.near[:0])
	for i := range s.near {
		s.near[i].score /= math.Sqrt(float64(max(len(x.visit(s.near[i].n).items), 1)))
	}
	s.near = best(s.near, tasteNear, func(a, b *hit) bool {
		if a.score != b.score {
			return a.score > b.score
		}
		return a.n-x.first > b.n-x.first
	})
	s.sums.clear()
	for _, h := range s.near {
		for _, id := range x.visit(h.n).items {
			s.sums.add(id, h.score)
		}
	}
	s.hits = s.sums.hits(s.hits[:0])
	most := 0.0
	for _, h := range s.hits {
		most = max(most, h.score)
	}
	if most == 0 {
		return dst
	}
	if demand != nil && len(demand.top) > 0 {
		for _, c := range demand.top {
			if id, known := x.ids[c.name]; known {
				s.sums.add(id, tasteTrend*most*c.sum/demand.top[0].sum)
			}
		}
		s.hits = s.sums.hits(s.hits[:0])
	}
	kept := s.hits[:0]
	for _, h := range s.hits {
		if !had(x.names[h.n]) {
			h.score /= most
			kept = append(kept, h)
		}
	}
	return x.rank(dst, kept, n)
}

// togetherLeast is in how many baskets two things must have been bought together:
// once is chance.
const togetherLeast = 2

// togetherRecent is how many of the latest baskets with a thing are looked at.
const togetherRecent = 1000

// Together appends at most n items that were bought together with the given ones, by
// the cosine of the baskets that they were in. The index is one of baskets.
func (x *Index) Together(dst []Item, names []string, n int, s *Scratch) []Item {
	s.sums.clear()
	s.query = s.query[:0]
	for _, name := range names {
		if id, known := x.ids[name]; known && !asks(s.query, id) {
			s.query = append(s.query, asked{id: id})
		}
	}
	for _, q := range s.query {
		it := &x.items[q.id]
		s.visits.clear()
		left := togetherRecent
		for j := len(it.visits) - 1; j >= 0 && left > 0; j-- {
			if !x.kept(it.visits[j]) {
				continue
			}
			for _, id := range x.visit(it.visits[j]).items {
				s.visits.add(id, 1)
			}
			left--
		}
		seen := float64(togetherRecent - left)
		s.hits = s.visits.hits(s.hits[:0])
		for _, h := range s.hits {
			if h.score >= togetherLeast && !asks(s.query, h.n) {
				// Of the latest baskets only, the other's share is what it would be of all.
				s.sums.add(h.n, h.score/math.Sqrt(seen*float64(x.items[h.n].live)))
			}
		}
	}
	s.hits = s.sums.hits(s.hits[:0])
	return x.rank(dst, s.hits, n)
}

// Replenish appends at most n of what she buys again and again. What she buys often
// comes first, what she has not bought for more than twice her own rhythm falls
// behind, and what is in demand now counts besides. Whether it has run out is asked
// when the list is served: see [Owning.JustBought].
func Replenish(dst []Item, bought []profile.Bought, name func(*profile.Bought) string, need func(*profile.Bought) (due float64, known bool), demand *Tally, now event.Time, n int) []Item {
	from := len(dst)
	for i := range bought {
		b := &bought[i]
		if b.Count <= 0 {
			continue
		}
		it := Item{Name: name(b), Score: float64(b.Count)}
		if due, known := need(b); known {
			it.Score *= due
		} else if rhythm := b.Rhythm(); rhythm > 0 {
			it.Score /= 1 + max(0, float64(now.Sub(b.Last))/float64(rhythm)-overdue)/overdueReach
		}
		if demand != nil {
			it.Score += ownTrend * demand.Relative(it.Name)
		}
		dst = append(dst, it)
	}
	list := merge(dst[from:])
	Sort(list)
	return dst[:from+min(n, len(list))]
}

const (
	overdue      = 2 // rhythms after which she may have turned to something else
	overdueReach = 4 // rhythms more after which it counts half
)

// merge adds up what has one name: two sizes of one product.
func merge(list []Item) []Item {
	at := map[string]int{}
	out := list[:0]
	for _, it := range list {
		if i, again := at[it.Name]; again {
			out[i].Score += it.Score
			continue
		}
		at[it.Name] = len(out)
		out = append(out, it)
	}
	return out
}

func sortBy(list []Item, cmp func(a, b *Item) int) {
	slices.SortFunc(list, func(a, b Item) int { return cmp(&a, &b) })
}

// Due is how much something counts whose need falls on a date: twice on the day,
// less the farther it is ahead, and less, slowly, the longer it is past.
func Due(need, now event.Time) float64 {
	days := need.Sub(now).Hours() / 24
	if days > 0 {
		return 2 / (1 + days/dueAhead)
	}
	return 2 / (1 - days/duePast)
}

const (
	dueAhead = 14 // days before the need at which it counts half
	duePast  = 60 // days after it
)
