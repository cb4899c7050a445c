package suggest

import (
	"context"
	"encoding/binary"
	"iter"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/recommend"
	"rapport/internal/store"
)

// Shelf is the catalogue as lists ask it.
type Shelf interface {
	// Good returns what is sold under a name now, and false if nothing is. It answers
	// from memory.
	Good(name string) (recommend.Good, bool)

	// Round grows when anything in the catalogue changes.
	Round() uint64

	// Descriptions goes through what is sold.
	Descriptions(ctx context.Context) iter.Seq2[recommend.Description, error]
}

// Options are what a room is made of.
type Options struct {
	Store store.Store // whose feed tells what was before
	Lanes int
	Now   func() event.Time
	Shelf Shelf  // nil: there is no catalogue
	File  string // where arrivals and counts outlast the process; empty: they do not

	// Method is how visits that are alike are found. Default: VMIS-kNN as published.
	Method *recommend.Method
	// Clicks bounds the memory of visits. Default: that of recommend.Options.
	Clicks int
	Log    *slog.Logger // default: nobody is told
}

// Room knows what customers look at now. It is safe for many callers.
type Room struct {
	o       Options
	method  recommend.Method
	began   event.Time // what has an earlier `now` was heard by a process before this one
	scratch sync.Pool

	mu      sync.RWMutex
	know    *knowledge
	waiting []heard // while the feed is read: what was heard meanwhile
	loading bool
	seen    map[uint64]bool // ids of events that were heard just before
	ring    [maxSeen]uint64 // the same, in order
	next    int

	corpus   atomic.Pointer[recommend.Corpus]
	arrivals arrivals
	given    given

	stop context.CancelFunc
	done sync.WaitGroup
}

// knowledge is all that is learnt of events.
type knowledge struct {
	visits    *recommend.Index // what was looked at together
	baskets   *recommend.Index // what was bought together
	histories *recommend.Index // what a person bought at all
	demand    *recommend.Demand
	bought    *recommend.Tally
	stores    map[string]*recommend.Tally
	segments  map[string]*recommend.Tally
	phrases   *recommend.Phrases
	goods     map[string]recommend.Good // what events said of items, for shops without a catalogue
	just      map[uint64][]justBought   // purchases that a profile may not know yet
	swept     event.Time                // when those that every profile knows were taken out of just
}

type justBought struct {
	name string
	at   event.Time // when we heard of it
}

// The bounds of what is learnt.
const (
	// maxScopes bounds the stores and segments that have a list of their own.
	maxScopes = 1_000
	// maxGoods bounds what events say of items: 200 bytes each.
	maxGoods = 200_000
	// maxJust bounds the customers whose last purchases are remembered for justFor.
	maxJust = 100_000
	// justFor is longer than the engine ever lags behind the log while it works.
	justFor = 10 * time.Minute
	// maxWaiting bounds what waits while the feed is read.
	maxWaiting = 1_000_000
	// boughtHalf is after which time a purchase counts half for what is popular.
	boughtHalf = 14 * 24 * time.Hour
	// basketItems and historyItems are beyond which somebody buys for a business.
	basketItems, historyItems = 100, 1_000
)

func newKnowledge(clicks int) *knowledge {
	return &knowledge{
		visits:    recommend.NewIndex(recommend.Options{Clicks: clicks, Recent: 2_000}),
		baskets:   recommend.NewIndex(recommend.Options{Clicks: clicks, Longest: basketItems, Gap: -1}),
		histories: recommend.NewIndex(recommend.Options{Clicks: clicks, Longest: historyItems, Gap: -1}),
		demand:    recommend.NewDemand(), bought: recommend.NewTally(boughtHalf),
		stores: map[string]*recommend.Tally{}, segments: map[string]*recommend.Tally{},
		phrases: recommend.NewPhrases(), goods: map[string]recommend.Good{}, just: map[uint64][]justBought{},
	}
}

// New returns a room that has heard nothing yet. It hears at once; [Room.Start]
// reads what was before.
func New(o Options) *Room {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	r := &Room{o: o, began: o.Now(), know: newKnowledge(o.Clicks), scratch: sync.Pool{New: func() any { return new(recommend.Scratch) }}}
	r.method = recommend.Defaults(recommend.VMIS)
	if o.Method != nil {
		r.method = *o.Method
	}
	r.given.init()
	r.arrivals.init()
	return r
}

// Start reads what the feed tells of the time before this process, in the
// background, and follows what it tells of segments from then on.
func (r *Room) Start(ctx context.Context) {
	ctx, r.stop = context.WithCancel(context.WithoutCancel(ctx))
	if err := r.recall(); err != nil {
		r.o.Log.Warn("what was counted of recommendations is begun anew", "error", err)
	}
	r.mu.Lock()
	r.loading = true
	r.mu.Unlock()
	r.done.Go(func() { r.follow(ctx) })
	r.done.Go(func() { r.shelve(ctx) })
}

// Close ends the following and keeps what outlasts the process. Of no room there is
// nothing to close.
func (r *Room) Close() error {
	if r == nil {
		return nil
	}
	if r.stop != nil {
		r.stop()
		r.done.Wait()
	}
	return r.save()
}

// visitorOf is the number of a profile in the indexes. Profile ids are keyed hashes,
// so eight bytes of one are as good as a hash of it.
func visitorOf(id identity.ID) uint64 { return binary.LittleEndian.Uint64(id[:8]) }

// Forget forgets what single people did.
func (r *Room) Forget(ids ...identity.ID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, id := range ids {
		v := visitorOf(id)
		r.know.visits.Forget(v)
		r.know.histories.Forget(v)
		r.know.phrases.Forget(v)
		delete(r.know.just, v)
		r.given.forget(v)
		for i := range r.waiting {
			if r.waiting[i].visitor == v {
				r.waiting[i] = heard{}
			}
		}
	}
}

// scratchOf borrows memory for a query; what it returns gives it back.
func (r *Room) borrow() (s *recommend.Scratch, back func()) {
	s = r.scratch.Get().(*recommend.Scratch)
	return s, func() { r.scratch.Put(s) }
}

// good returns what the shop says of an item. With no catalogue it is what events
// said of it.
func (r *Room) good(k *knowledge, name string) (recommend.Good, bool) {
	if r.o.Shelf != nil {
		if g, ok := r.o.Shelf.Good(name); ok {
			return g, true
		}
		if c := r.corpus.Load(); c != nil && c.Len() > 0 {
			return recommend.Good{}, false
		}
	}
	g, ok := k.goods[name]
	if !ok {
		g = recommend.Good{Name: name, Available: true}
	}
	return g, true
}

// nameOf returns the name by which an item is counted: its product's in the
// catalogue, else what the event calls the product, else its SKU.
func (r *Room) nameOf(product, sku string) string {
	if r.o.Shelf != nil {
		for _, name := range [...]string{product, sku} {
			if name == "" {
				continue
			}
			if g, ok := r.o.Shelf.Good(name); ok {
				return g.Name
			}
		}
	}
	if product != "" {
		return product
	}
	return sku
}
