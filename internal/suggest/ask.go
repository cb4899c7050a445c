package suggest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
	"rapport/internal/core/recommend"
	"rapport/internal/fault"
)

// The lists that there are.
const (
	Session  = "session"
	Together = "together"
	Fresh    = "new"
	Restock  = "replenish"
	Popular  = "popular"
	Segment  = "popular_segment"
	Place    = "popular_store"
	Trending = "trending"
	Arrivals = "arrivals"
	Similar  = "similar"
	Search   = "search"
)

// fallbacks are the steps that follow a list unless the question says otherwise.
// A search has none: who searched for something that the shop does not have is not
// helped by something else.
var fallbacks = map[string][][]Part{
	Session:  {{{List: Together}, {List: Similar}}, {{List: Trending}, {List: Popular}}},
	Together: {{{List: Similar}}},
	Fresh:    {{{List: Popular}}},
	Trending: {{{List: Popular}}},
	Segment:  {{{List: Popular}}},
	Place:    {{{List: Popular}}},
	Restock:  nil,
	Popular:  nil,
	Arrivals: nil,
	Similar:  nil,
	Search:   nil,
}

// Lists returns the names of the lists, in order.
func Lists() []string {
	names := make([]string, 0, len(fallbacks))
	for n := range fallbacks {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

// Part is a list with its weight in a step.
type Part struct {
	List   string
	Weight float64 // 0: 1
}

// Question asks for a list.
type Question struct {
	Profile  *profile.Profile // for whom; nil: nobody who is known yet
	Visitors []identity.ID    // homes of identifiers under which the visitor may have been heard
	Clicks   []string         // the visit itself, the latest last; empty: what the room heard of the visitor

	Steps   [][]Part // the first is what is wanted, the others are asked for what is left open
	Strict  bool     // with one step: no fallback
	Item    string   // what is being looked at; default: the last click
	Phrase  string   // what was searched for
	Segment string
	Store   string

	Serving recommend.Serving // N, filters, variety, margin; Profile and At are set from here
	Now     event.Time
	// Quiet: the list is looked at and not shown to anybody; nothing is counted.
	Quiet bool
}

// MaxN bounds a list.
const MaxN = 100

// depth is how many candidates each list names: filters leave out what was bought
// and is sold out, and a list of ten should survive that.
const depth = 200

// Answer is a list as it is shown.
type Answer struct {
	recommend.Served
	Clicks []string // the visit that was asked about
}

// Ask answers with a list.
func (r *Room) Ask(q *Question) (Answer, error) {
	if q.Serving.N < 1 || q.Serving.N > MaxN {
		return Answer{}, fault.New(fault.Invalid, fmt.Sprintf("n is from 1 to %d", MaxN))
	}
	steps, err := q.steps()
	if err != nil {
		return Answer{}, err
	}
	visitors := q.visitors()
	scratch, back := r.borrow()
	defer back()
	a := asking{r: r, q: q, visitors: visitors, scratch: scratch, replenish: true}
	s := q.Serving
	s.Profile, s.At = q.Profile, q.Now
	if s.ShownMost > 0 {
		s.Shown = r.given.times(visitors)
	}
	for i, name := range s.Exclude {
		s.Exclude[i] = strings.TrimSpace(name)
	}

	r.mu.RLock()
	a.know = r.know
	a.visit()
	if a.item != "" {
		s.Exclude = append(slices.Clone(s.Exclude), a.item)
	}
	just := a.just(&s.Owning)
	s.Exclude = append(s.Exclude, just...)
	s.Profile = a.withJust(s.Profile, just)
	mixed := make([]recommend.Step, len(steps))
	for i, step := range steps {
		for _, part := range step {
			a.replenish = a.replenish && part.List == Restock
			mixed[i] = append(mixed[i], recommend.Source{List: part.List, Weight: part.Weight, Items: a.list(part.List)})
		}
	}
	s.Replenish = a.replenish
	s.Need = need(q.Profile, q.Now)
	out := Answer{Served: s.Mix(mixed, func(name string) (recommend.Good, bool) { return r.good(a.know, name) }), Clicks: a.clicks}
	r.mu.RUnlock()
	if !q.Quiet {
		names, lists := make([]string, len(out.Picks)), make([]string, len(out.Picks))
		for i := range out.Picks {
			names[i], lists[i] = out.Picks[i].Name, out.Picks[i].List
		}
		var who uint64
		if len(visitors) > 0 {
			who = visitors[0]
		}
		r.given.give(who, names, lists, out.Fallback, q.Now)
	}
	return out, nil
}

// maxSteps and maxParts bound a question.
const maxSteps, maxParts = 5, 5

func (q *Question) steps() ([][]Part, error) {
	if len(q.Steps) == 0 || len(q.Steps) > maxSteps {
		return nil, fault.New(fault.Invalid, fmt.Sprintf("a question has 1 to %d steps", maxSteps))
	}
	for _, step := range q.Steps {
		if len(step) == 0 || len(step) > maxParts {
			return nil, fault.New(fault.Invalid, fmt.Sprintf("a step has 1 to %d lists", maxParts))
		}
		for _, p := range step {
			if _, known := fallbacks[p.List]; !known {
				return nil, fault.New(fault.Invalid, fmt.Sprintf("there is no list %q; there are %s", p.List, strings.Join(Lists(), ", ")))
			}
			if p.Weight < 0 {
				return nil, fault.New(fault.Invalid, "a weight is above zero")
			}
		}
	}
	if len(q.Steps) > 1 || len(q.Steps[0]) > 1 || q.Strict {
		return q.Steps, nil
	}
	return append(slices.Clip(q.Steps), fallbacks[q.Steps[0][0].List]...), nil
}

// visitors are the numbers under which the visitor may have been heard: that of the
// profile first.
func (q *Question) visitors() []uint64 {
	var list []uint64
	add := func(id identity.ID) {
		if v := visitorOf(id); !id.Zero() && !slices.Contains(list, v) {
			list = append(list, v)
		}
	}
	if q.Profile != nil {
		add(q.Profile.ID)
		for _, s := range q.Profile.Strands {
			add(s)
		}
	}
	for _, id := range q.Visitors {
		add(id)
	}
	return list
}

// asking is one question under way.
type asking struct {
	r         *Room
	q         *Question
	know      *knowledge
	visitors  []uint64
	clicks    []string
	item      string
	scratch   *recommend.Scratch
	replenish bool // every list is one of what runs out
}

// visit finds what is being looked at.
func (a *asking) visit() {
	for _, c := range a.q.Clicks {
		if c != "" {
			a.clicks = append(a.clicks, a.r.nameOf("", c))
		}
	}
	if len(a.clicks) == 0 {
		var latest event.Time
		for _, v := range a.visitors {
			if names, at := a.know.visits.Visit(v, a.q.Now); len(names) > 0 && at >= latest {
				a.clicks, latest = names, at
			}
		}
	}
	if a.q.Item != "" {
		a.item = a.r.nameOf("", a.q.Item)
	} else if n := len(a.clicks); n > 0 {
		a.item = a.clicks[n-1]
	}
}

// just returns what the room heard of purchases that the profile may not know yet.
func (a *asking) just(o *recommend.Owning) (names []string) {
	if o.For == 0 && len(o.In) == 0 {
		return nil
	}
	for _, v := range a.visitors {
		for _, b := range a.know.just[v] {
			if a.q.Now.Sub(b.at) < justFor {
				names = append(names, b.name)
			}
		}
	}
	return names
}

// withJust returns the profile as it will be once it knows what the room heard, so
// that what is as good as that is left out too. It does not change p.
func (a *asking) withJust(p *profile.Profile, just []string) *profile.Profile {
	if len(just) == 0 {
		return p
	}
	own := profile.Profile{}
	if p != nil {
		own = *p
	}
	own.Bought = slices.Clone(own.Bought)
	for _, name := range just {
		g, _ := a.r.good(a.know, name)
		own.Bought = append(own.Bought, profile.Bought{SKU: name, Product: name, Category: g.Category, Count: 1, First: a.q.Now, Last: a.q.Now})
	}
	return &own
}

// list returns the candidates of one list, before any filter.
func (a *asking) list(name string) []recommend.Item {
	k, q := a.know, a.q
	switch name {
	case Session:
		return k.visits.Next(make([]recommend.Item, 0, depth), &a.r.method, a.clicks, q.Now, depth, a.scratch)
	case Together:
		items := a.clicks
		if q.Item != "" || len(items) > 1 && len(q.Clicks) == 0 {
			items = nil
			if a.item != "" {
				items = []string{a.item}
			}
		}
		return k.baskets.Together(nil, items, depth, a.scratch)
	case Fresh:
		return a.taste()
	case Restock:
		return a.restock()
	case Popular:
		return k.bought.Top(nil, depth)
	case Segment:
		if t := k.segments[q.Segment]; t != nil {
			return t.Top(nil, depth)
		}
	case Place:
		if t := k.stores[q.Store]; t != nil {
			return t.Top(nil, depth)
		}
	case Trending:
		return k.demand.Trending(nil, depth, q.Now)
	case Arrivals:
		list := a.r.arrivals.list(nil, q.Now, k.demand.Share)
		return list[:min(len(list), depth)]
	case Similar:
		if c := a.r.corpus.Load(); c != nil && a.item != "" {
			return c.Similar(nil, a.item, depth, a.scratch)
		}
	case Search:
		return a.search()
	}
	return nil
}

// search is what followed from the phrase, then what is described by its words.
func (a *asking) search() []recommend.Item {
	list := a.know.phrases.Followed(nil, a.q.Phrase, depth)
	c := a.r.corpus.Load()
	if c == nil || len(list) >= depth {
		return list
	}
	least := 1.0
	for i := range list {
		least = min(least, list[i].Score)
	}
	for _, it := range c.Find(nil, a.q.Phrase, depth, a.scratch) {
		if !slices.ContainsFunc(list, func(l recommend.Item) bool { return l.Name == it.Name }) {
			list = append(list, recommend.Item{Name: it.Name, Score: least * it.Score / 2})
		}
	}
	return list
}

func (a *asking) taste() []recommend.Item {
	p := a.q.Profile
	if p == nil {
		return nil
	}
	var likes []recommend.Like
	had := map[string]bool{}
	for i := range p.Bought {
		if b := &p.Bought[i]; b.Count > 0 {
			name := a.r.nameOf(b.Product, b.SKU)
			likes = append(likes, recommend.Like{Name: name, Last: b.Last})
			had[name] = true
		}
	}
	var self uint64
	if len(a.visitors) > 0 {
		self = a.visitors[0]
	}
	return a.know.histories.Taste(nil, likes, func(n string) bool { return had[n] }, self, a.know.bought, a.q.Now, depth, a.scratch)
}

func (a *asking) restock() []recommend.Item {
	p := a.q.Profile
	if p == nil {
		return nil
	}
	when := need(p, a.q.Now)
	due := func(b *profile.Bought) (float64, bool) {
		at, known := when(b)
		if !known {
			return 0, false
		}
		return recommend.Due(at, a.q.Now), true
	}
	return recommend.Replenish(nil, p.Bought, func(b *profile.Bought) string { return a.r.nameOf(b.Product, b.SKU) }, due, a.know.bought, a.q.Now, depth)
}

// need returns when the models say that something will have run out: the prediction
// need.<family>, by SKU, product or category.
func need(p *profile.Profile, now event.Time) func(b *profile.Bought) (event.Time, bool) {
	return func(b *profile.Bought) (event.Time, bool) {
		if p == nil || len(p.Predictions) == 0 {
			return 0, false
		}
		for _, family := range [...]string{b.SKU, b.Product, b.Category} {
			if family == "" {
				continue
			}
			said, ok := p.Prediction("need."+family, now)
			if !ok {
				continue
			}
			if at, ok := instant(said.Value); ok {
				return at, true
			}
		}
		return 0, false
	}
}

// instant reads a date that a model said: milliseconds since 1970, or RFC 3339, or a
// day.
func instant(v event.Value) (event.Time, bool) {
	switch v.Kind {
	case event.Number:
		f, ok := v.Float()
		return event.Time(f), ok && f > 0
	case event.String:
		for _, layout := range [...]string{time.RFC3339, time.DateOnly} {
			if t, err := time.Parse(layout, v.Raw); err == nil {
				return event.At(t), true
			}
		}
	}
	return 0, false
}

// Margins returns a margin by category: the longest that fits.
func Margins(by map[string]float64) func(g *recommend.Good) (float64, bool) {
	if len(by) == 0 {
		return nil
	}
	return func(g *recommend.Good) (share float64, known bool) {
		length := -1
		for category, m := range by { // the longest is one, whatever the order
			if g.In(category) && len(category) > length {
				share, known, length = m, true, len(category)
			}
		}
		return share, known
	}
}
