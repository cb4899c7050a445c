package suggest

import (
	"sync"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/money"
)

const (
	// creditFor is how long after a suggestion a purchase of just that is put down to
	// it: a day, as shops count it.
	creditFor = 24 * time.Hour
	// shownFor is how long it is remembered how often something was shown.
	shownFor = 30 * 24 * time.Hour
	// perVisitor is how many suggestions are remembered of one visitor, and
	// maxVisitors of how many visitors in each of two generations: 300 MB at the very
	// most, and a tenth of it in a shop where lists have ten items.
	perVisitor, maxVisitors = 100, 50_000
	// maxGivenItems bounds the items that coverage counts.
	maxGivenItems = 1_000_000
)

// given is what was suggested to whom, and what came of it.
type given struct {
	mu        sync.Mutex
	now, past map[uint64][]shown // two generations: what is asked for again stays
	items     map[string]bool    // suggested at all since the counts began
	counts    counts
}

type shown struct {
	name  string
	times int
	at    event.Time
}

// counts are the figures that outlast a process.
type counts struct {
	Since    event.Time     `json:"-"`
	Lists    int64          `json:"lists"`
	Empty    int64          `json:"empty"`
	Fallback int64          `json:"fallback"`
	Items    int64          `json:"items"`
	ByList   map[string]int `json:"by_list"` // items by the list that named them
	Orders   int64          `json:"orders"`
	Credited int64          `json:"credited"` // orders with something that had been suggested
	Revenue  money.Micros   `json:"-"`
	Online   money.Micros   `json:"-"` // of lines that had been suggested
}

func (g *given) init() {
	g.now, g.past, g.items = map[uint64][]shown{}, map[uint64][]shown{}, map[string]bool{}
	g.counts.ByList = map[string]int{}
}

// of returns what was suggested to a visitor; g.mu is held.
func (g *given) of(visitor uint64) []shown {
	if list, ok := g.now[visitor]; ok {
		return list
	}
	return g.past[visitor]
}

func (g *given) set(visitor uint64, list []shown) {
	if _, there := g.now[visitor]; !there && len(g.now) >= maxVisitors {
		g.past, g.now = g.now, map[uint64][]shown{}
	}
	g.now[visitor] = list
}

// give notes one list. Visitor 0 is nobody.
func (g *given) give(visitor uint64, names, lists []string, fallback bool, now event.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	c := &g.counts
	if c.Since == 0 {
		c.Since = now
	}
	c.Lists++
	if fallback {
		c.Fallback++
	}
	if len(names) == 0 {
		c.Empty++
		return
	}
	c.Items += int64(len(names))
	for i, n := range names {
		c.ByList[lists[i]]++
		if len(g.items) < maxGivenItems {
			g.items[n] = true
		}
	}
	if visitor == 0 {
		return
	}
	before := g.of(visitor)
	next := make([]shown, 0, min(len(before)+len(names), perVisitor))
	for _, n := range names {
		s := shown{n, 1, now}
		for _, b := range before {
			if b.name == n && now.Sub(b.at) < shownFor {
				s.times += b.times
			}
		}
		next = append(next, s)
	}
	for _, b := range before {
		if len(next) >= perVisitor {
			break
		}
		if !contains(names, b.name) && now.Sub(b.at) < shownFor {
			next = append(next, b)
		}
	}
	g.set(visitor, next)
}

func contains(names []string, name string) bool {
	for _, n := range names {
		if n == name {
			return true
		}
	}
	return false
}

// times returns how often something was shown to any of the visitors since they
// last looked at it.
func (g *given) times(visitors []uint64) func(name string) int {
	counts := map[string]int{}
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, v := range visitors {
		for _, s := range g.of(v) {
			counts[s.name] += s.times
		}
	}
	return func(name string) int { return counts[name] }
}

// count takes what a visitor did: who looked at something wants to see it, and who
// buys what was suggested within creditFor bought it because of that, as far as
// anybody can count.
func (r *Room) count(h *heard) {
	g := &r.given
	g.mu.Lock()
	defer g.mu.Unlock()
	list := g.of(h.visitor)
	switch h.kind {
	case looked:
		for i := range list {
			if list[i].name == h.items[0].name && list[i].times > 0 {
				next := append([]shown(nil), list...)
				next[i].times = 0
				g.set(h.visitor, next)
				return
			}
		}
	case ordered:
		c := &g.counts
		if c.Since == 0 {
			return // nothing has been suggested yet: there is no share
		}
		c.Orders++
		c.Revenue += h.net
		credited := false
		for i := range h.items {
			for _, s := range list {
				if age := h.at.Sub(s.at); s.name == h.items[i].name && age >= 0 && age < creditFor {
					credited = true
					c.Online += h.items[i].net
					break
				}
			}
		}
		if credited {
			c.Credited++
		}
	}
}

func (g *given) forget(visitor uint64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.now, visitor)
	delete(g.past, visitor)
}

// Figures are what recommendations did since they are counted.
type Figures struct {
	Since        event.Time     `json:"since"`
	Lists        int64          `json:"lists"`
	Empty        int64          `json:"empty"`
	FallbackRate float64        `json:"fallback_share"` // of the lists, in which anything came from a later step
	Items        int64          `json:"items"`
	ByList       map[string]int `json:"items_by_list"`
	Suggested    int            `json:"items_suggested"` // different ones
	Sold         int            `json:"items_sold"`      // in the catalogue, or heard of
	Coverage     float64        `json:"coverage"`
	Orders       int64          `json:"orders"`
	Credited     int64          `json:"orders_suggested"`
	Revenue      money.Micros   `json:"-"`
	Online       money.Micros   `json:"-"`
	OnlineShare  float64        `json:"revenue_share"` // of lines that had been suggested to the person within a day before
}

// Figures returns the counts.
func (r *Room) Figures() Figures {
	r.mu.RLock()
	sold := len(r.know.goods)
	r.mu.RUnlock()
	if c := r.corpus.Load(); c != nil && c.Len() > 0 {
		sold = c.Len()
	}
	g := &r.given
	g.mu.Lock()
	defer g.mu.Unlock()
	c := &g.counts
	f := Figures{
		Since: c.Since, Lists: c.Lists, Empty: c.Empty, Items: c.Items, ByList: map[string]int{}, Suggested: len(g.items), Sold: sold,
		Orders: c.Orders, Credited: c.Credited, Revenue: c.Revenue, Online: c.Online,
	}
	for list, n := range c.ByList {
		f.ByList[list] = n
	}
	if c.Lists > 0 {
		f.FallbackRate = float64(c.Fallback) / float64(c.Lists)
	}
	if sold > 0 {
		f.Coverage = min(1, float64(len(g.items))/float64(sold))
	}
	if c.Revenue > 0 {
		f.OnlineShare = float64(c.Online) / float64(c.Revenue)
	}
	return f
}
