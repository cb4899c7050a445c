package recommend

import (
	"math"
	"strings"
	"time"

	"rapport/internal/core/event"
)

const (
	// TallyTop is how many of the highest are kept in order: lists are shorter, and
	// what a filter lets through of five hundred fills them.
	TallyTop = 500
	// MaxTally is how many names are counted; beyond, the lower half goes. A shop
	// with more than that sells most of it never.
	MaxTally = 200_000
	// maxScale is when the sums are made small again: weights grow by 2^x.
	maxScale = 200
)

// Tally counts names so that what is long past counts less: a count halves in each
// half-life. It takes no work to let time pass: instead of all old counts falling,
// new ones weigh more.
type Tally struct {
	half   time.Duration
	origin event.Time // at which a count weighs 1
	counts map[string]*count
	total  float64
	top    []*count // the highest, in order
}

type count struct {
	name string
	sum  float64
	rank int // its place in top; below zero: it is not in it
}

// NewTally returns a tally that has counted nothing.
func NewTally(half time.Duration) *Tally { return &Tally{half: half, counts: map[string]*count{}} }

// Add counts a name so many times at an instant. What is not above zero counts
// nothing.
func (t *Tally) Add(name string, times float64, at event.Time) {
	if name == "" || len(name) > MaxName || !(times > 0) {
		return
	}
	if t.origin == 0 {
		t.origin = at
	}
	scale := t.scale(at)
	if scale > maxScale {
		t.rescale(at)
		scale = 0
	}
	w := times * math.Exp2(scale)
	c := t.counts[name]
	if c == nil {
		if len(t.counts) >= MaxTally {
			t.halve()
		}
		c = &count{name: name, rank: -1}
		t.counts[name] = c
	}
	c.sum += w
	t.total += w
	t.rise(c)
}

func (t *Tally) scale(at event.Time) float64 { return float64(at.Sub(t.origin)) / float64(t.half) }

func (t *Tally) rescale(at event.Time) {
	by := math.Exp2(-t.scale(at))
	for _, c := range t.counts { // order does not matter: each is scaled by itself
		c.sum *= by
	}
	t.total *= by
	t.origin = at
}

func (a *count) before(b *count) bool {
	if a.sum != b.sum {
		return a.sum > b.sum
	}
	return a.name < b.name
}

// rise moves a count up to its place.
func (t *Tally) rise(c *count) {
	if c.rank < 0 {
		switch n := len(t.top); {
		case n < TallyTop:
			c.rank = n
			t.top = append(t.top, c)
		case c.before(t.top[n-1]):
			t.top[n-1].rank = -1
			t.top[n-1], c.rank = c, n-1
		default:
			return
		}
	}
	for i := c.rank; i > 0 && c.before(t.top[i-1]); i-- {
		t.top[i], t.top[i-1] = t.top[i-1], c
		t.top[i].rank, c.rank = i, i-1
	}
}

// halve forgets the lower half of the names.
func (t *Tally) halve() {
	all := make([]hit, 0, len(t.counts))
	list := make([]*count, 0, len(t.counts))
	for _, c := range t.counts { // order does not matter: best goes by sum and name
		all = append(all, hit{uint32(len(list)), c.sum})
		list = append(list, c)
	}
	kept := best(all, len(all)/2, func(a, b *hit) bool { return list[a.n].before(list[b.n]) })
	t.counts = make(map[string]*count, len(kept))
	t.total = 0
	for _, h := range kept {
		c := list[h.n]
		t.counts[c.name] = c
		t.total += c.sum
	}
}

// Count returns how often a name counts at an instant.
func (t *Tally) Count(name string, now event.Time) float64 {
	if c := t.counts[name]; c != nil {
		return c.sum * math.Exp2(-t.scale(now))
	}
	return 0
}

// Share returns which part of all that was counted a name is.
func (t *Tally) Share(name string) float64 {
	if c := t.counts[name]; c != nil && t.total > 0 {
		return c.sum / t.total
	}
	return 0
}

// Relative returns how much a name counts beside the highest, which is 1.
func (t *Tally) Relative(name string) float64 {
	if c := t.counts[name]; c != nil && len(t.top) > 0 && t.top[0].sum > 0 {
		return c.sum / t.top[0].sum
	}
	return 0
}

// Top appends at most n names with their shares, the highest first.
func (t *Tally) Top(dst []Item, n int) []Item {
	for _, c := range t.top[:min(n, len(t.top))] {
		dst = append(dst, Item{c.name, c.sum / t.total})
	}
	return dst
}

// Len returns how many names are counted.
func (t *Tally) Len() int { return len(t.counts) }

// The half-lives of what is in demand.
const (
	fastHalf = 24 * time.Hour
	slowHalf = 14 * 24 * time.Hour
)

// minTrend is how many looks of the last days something needs to be a trend:
// below, two friends are one.
const minTrend = 5

// Demand is what is looked at and bought, now and before.
type Demand struct{ fast, slow *Tally }

// NewDemand returns a demand of nothing.
func NewDemand() *Demand { return &Demand{NewTally(fastHalf), NewTally(slowHalf)} }

// Add counts.
func (d *Demand) Add(name string, times float64, at event.Time) {
	d.fast.Add(name, times, at)
	d.slow.Add(name, times, at)
}

// Popular appends what was in demand over some weeks.
func (d *Demand) Popular(dst []Item, n int) []Item { return d.slow.Top(dst, n) }

// Share returns which part of the demand of some weeks is for a name.
func (d *Demand) Share(name string) float64 { return d.slow.Share(name) }

// Trending appends what is in demand more than it was: how far the looks of the
// last days are above what the weeks let expect, in standard deviations.
func (d *Demand) Trending(dst []Item, n int, now event.Time) []Item {
	from := len(dst)
	all := d.fast.total * math.Exp2(-d.fast.scale(now))
	for _, c := range d.fast.top {
		looks := c.sum * math.Exp2(-d.fast.scale(now))
		expected := d.slow.Share(c.name) * all
		if lift := (looks - expected) / math.Sqrt(expected+1); looks >= minTrend && lift > 0 {
			dst = append(dst, Item{c.name, lift})
		}
	}
	Sort(dst[from:])
	return dst[:min(len(dst), from+n)]
}

// Sort puts the highest score first; of two with one score, the lesser name.
func Sort(list []Item) {
	sortBy(list, func(a, b *Item) int {
		switch {
		case a.Score > b.Score:
			return -1
		case a.Score < b.Score:
			return 1
		}
		return strings.Compare(a.Name, b.Name)
	})
}
