package recommend

import (
	"slices"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/profile"
)

// Bounds of an [Index] that does not say otherwise.
const (
	// DefaultClicks is how many clicks are remembered: two million take about 60 MB,
	// and are some weeks of a shop that counts 100,000 clicks a day.
	DefaultClicks = 2_000_000
	// DefaultRecent is how many of the latest visits with an item are looked at. The
	// published tunings of VMIS-kNN and VS-kNN lie between 500 and 10,000; beyond
	// 5,000 nothing is gained on shop data and every list costs more.
	DefaultRecent = 5_000
	// DefaultLongest is after how many different items a visit no longer tells
	// anything: robots look at everything. The longest half per cent of real visits
	// lies between 15 and 34 items.
	DefaultLongest = 100
	// MaxName bounds the name of an item. Longer ones are no SKU.
	MaxName = 256
)

// Options bound an index.
type Options struct {
	// Clicks is how many clicks are kept in all; the oldest visits go first. Default
	// DefaultClicks. Below zero: any number.
	Clicks int
	// Recent is how many of the latest visits are kept of each item. Default
	// DefaultRecent. Below zero: any number.
	Recent int
	// Longest is how many different items a visit may have before it is forgotten.
	// Default DefaultLongest. Below zero: any number.
	Longest int
	// Gap is the pause that ends a visit. Default that of profiles. Below zero: a visit
	// never ends, so that all that a person did is one.
	Gap time.Duration
}

// Index remembers visits by what was in them and items by the visits that they
// were in, and is kept up to date click by click. Its memory is bounded: the oldest
// visits are forgotten, and with the last visit of an item its name.
//
// The baskets of orders and the histories of customers are visits too.
type Index struct {
	o     Options
	names []string
	ids   map[string]uint32
	free  []uint32 // numbers of items that were forgotten
	items []item

	// Visits are numbered in the order in which they began. Number n lies in
	// ring[n%len(ring)] while n−first < count; numbers may go round.
	ring   []visit
	first  uint32
	count  uint32
	clicks int // in all visits that are kept

	current map[uint64]uint32 // the latest visit of each visitor
}

type item struct {
	visits []uint32 // with the item, by when it came into them
	live   int32    // of those, how many are kept
	clicks int32
}

type visit struct {
	items   []uint32 // each once, by when it was last clicked
	seen    []seen   // of each
	clicks  int32
	mute    bool // it became too long to tell anything
	visitor uint64
	begun   event.Time
	last    event.Time
}

type seen struct {
	place  uint16 // the last click on it was the how manyth of the visit
	clicks uint16 // on it
}

// NewIndex returns an index that has heard nothing.
func NewIndex(o Options) *Index {
	if o.Clicks == 0 {
		o.Clicks = DefaultClicks
	}
	if o.Recent == 0 {
		o.Recent = DefaultRecent
	}
	if o.Longest == 0 {
		o.Longest = DefaultLongest
	}
	if o.Gap == 0 {
		o.Gap = profile.SessionGap
	}
	return &Index{o: o, ids: map[string]uint32{}, current: map[uint64]uint32{}}
}

// Size returns how many items, visits and clicks are remembered.
func (x *Index) Size() (items, visits, clicks int) { return len(x.ids), int(x.count), x.clicks }

// Knows reports whether an item is in a visit that is remembered.
func (x *Index) Knows(name string) bool { _, ok := x.ids[name]; return ok }

// Clicks returns how often an item was clicked in what is remembered.
func (x *Index) Clicks(name string) int {
	if i, ok := x.ids[name]; ok {
		return int(x.items[i].clicks)
	}
	return 0
}

// Click adds a click to the visit that the visitor is in, or begins the next one.
// A name that is empty or too long is nobody's.
func (x *Index) Click(visitor uint64, name string, at event.Time) {
	if name == "" || len(name) > MaxName {
		return
	}
	n, ok := x.current[visitor]
	if ok && x.o.Gap > 0 {
		v := x.visit(n)
		ok = at.Sub(v.last) < x.o.Gap && v.begun.Sub(at) < x.o.Gap
	}
	if !ok {
		n = x.begin(visitor, at)
	}
	x.put(n, name, at)
	x.shrink()
}

// Add adds a visit that is over, of nobody in particular.
func (x *Index) Add(names []string, at event.Time) {
	n := x.begin(0, at)
	delete(x.current, 0)
	for _, name := range names {
		if name != "" && len(name) <= MaxName {
			x.put(n, name, at)
		}
	}
	x.shrink()
}

// Visit returns what the visitor clicked on the visit that they are in at the
// instant, each item once, the latest last, and when that was; nil if they are in
// none.
func (x *Index) Visit(visitor uint64, now event.Time) (names []string, last event.Time) {
	n, ok := x.current[visitor]
	if !ok {
		return nil, 0
	}
	v := x.visit(n)
	if x.o.Gap > 0 && now.Sub(v.last) >= x.o.Gap {
		return nil, 0
	}
	names = make([]string, len(v.items))
	for i, id := range v.items {
		names[i] = x.names[id]
	}
	return names, v.last
}

// Forget forgets the visits of a visitor whom nobody may remember: what they
// clicked counts for nobody any more.
func (x *Index) Forget(visitor uint64) {
	for k := range x.count {
		if v := x.visit(x.first + k); v.visitor == visitor {
			x.empty(v)
		}
	}
	delete(x.current, visitor)
}

func (x *Index) visit(n uint32) *visit { return &x.ring[int(n)%len(x.ring)] }

// kept reports whether the visit of the number is remembered.
func (x *Index) kept(n uint32) bool { return n-x.first < x.count }

func (x *Index) begin(visitor uint64, at event.Time) uint32 {
	if int(x.count) == len(x.ring) {
		x.widen()
	}
	n := x.first + x.count
	x.count++
	v := x.visit(n)
	*v = visit{items: v.items[:0], seen: v.seen[:0], visitor: visitor, begun: at, last: at}
	x.current[visitor] = n
	return n
}

const firstRing = 1 << 8

// widen doubles the ring. The length is a power of two, so that numbers that have
// gone round still fall into their places.
func (x *Index) widen() {
	next := make([]visit, max(firstRing, 2*len(x.ring)))
	for k := range x.count {
		n := x.first + k
		next[int(n)%len(next)] = *x.visit(n)
	}
	x.ring = next
}

// put adds a click to a visit. An item that is in it already moves to the end.
func (x *Index) put(n uint32, name string, at event.Time) {
	v := x.visit(n)
	v.last = max(v.last, at)
	if v.mute {
		return
	}
	id := x.id(name)
	it, one := &x.items[id], seen{clicks: 1}
	if i := slices.Index(v.items, id); i >= 0 {
		one.clicks += v.seen[i].clicks
		v.items, v.seen = slices.Delete(v.items, i, i+1), slices.Delete(v.seen, i, i+1)
	} else {
		it.live++
		it.visits = append(it.visits, n)
		x.trim(it)
	}
	v.clicks++
	one.place = uint16(v.clicks)
	v.items, v.seen = append(v.items, id), append(v.seen, one)
	it.clicks++
	x.clicks++
	if x.o.Longest > 0 && len(v.items) > x.o.Longest || v.clicks >= maxClicks {
		x.empty(v)
		v.mute = true
	}
}

// maxClicks is how many clicks a visit can count. Nobody clicks so much.
const maxClicks = 1<<16 - 1

// trim lets the oldest visits of an item go, once there are twice as many as are
// looked at, and those that are forgotten.
func (x *Index) trim(it *item) {
	most := x.o.Recent
	if most <= 0 {
		most = 1 << 30
	}
	if len(it.visits) < 16 || len(it.visits) < 2*most && len(it.visits) < 2*int(it.live) {
		return
	}
	kept := slices.DeleteFunc(it.visits, func(n uint32) bool { return !x.kept(n) })
	if len(kept) > most {
		kept = slices.Delete(kept, 0, len(kept)-most)
	}
	it.visits = kept
}

func (x *Index) id(name string) uint32 {
	if id, ok := x.ids[name]; ok {
		return id
	}
	id := uint32(len(x.names))
	if k := len(x.free); k > 0 {
		id, x.free = x.free[k-1], x.free[:k-1]
		x.names[id], x.items[id] = name, item{}
	} else {
		x.names, x.items = append(x.names, name), append(x.items, item{})
	}
	x.ids[name] = id
	return id
}

// shrink forgets the oldest visits until what is left is within bounds. The visit
// that goes on stays, whatever it holds.
func (x *Index) shrink() {
	for x.o.Clicks > 0 && x.count > 1 && (x.clicks > x.o.Clicks || int(x.count) > x.o.Clicks) {
		v := x.visit(x.first)
		if n, ok := x.current[v.visitor]; ok && n == x.first {
			delete(x.current, v.visitor)
		}
		x.empty(v)
		*v = visit{}
		x.first++
		x.count--
	}
}

// empty takes the clicks of a visit back.
func (x *Index) empty(v *visit) {
	for i, id := range v.items {
		it, n := &x.items[id], int(v.seen[i].clicks)
		it.live--
		it.clicks -= int32(n)
		x.clicks -= n
		if it.live == 0 {
			delete(x.ids, x.names[id])
			x.names[id] = ""
			*it = item{}
			x.free = append(x.free, id)
		}
	}
	v.items, v.seen = v.items[:0], v.seen[:0]
}
