// Package report adds up what the feed tells: what was heard, what was
// understood, what was sent and what was not and why, and what was learnt.
//
// A [Loader] reads each feed block once, so its sums are exact. It never counts
// what a machine clicked as something a person did.
package report

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/money"
	"rapport/internal/core/profile"
	"rapport/internal/feed"
	"rapport/internal/store"
)

// Loader adds up the feed of a store.
type Loader struct {
	store store.Store
	lanes int

	mu    sync.Mutex
	after []uint64
	sums  sums
}

// New returns a loader that has read nothing.
func New(s store.Store, lanes int) *Loader {
	return &Loader{store: s, lanes: lanes, after: make([]uint64, lanes), sums: sums{
		people: map[identity.ID]*person{}, journeys: map[string]*Journey{}, receipts: map[string]int64{}, orders: map[identity.ID][]Order{}, joined: map[identity.ID][]identity.ID{},
	}}
}

// blocks is how many feed blocks are read at once.
const blocks = 64

// Load reads what the feed has to tell since the last time.
func (l *Loader) Load(ctx context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for lane := range l.lanes {
		for {
			list, err := l.store.Feed(ctx, lane, l.after[lane], blocks)
			if err != nil {
				return err
			}
			for i := range list {
				// A block counts whole or not at all: read again after a damage was
				// mended, what stood before the damage must not count twice.
				var rows []feed.Row
				if err := feed.Each(list[i].Body, func(r feed.Row) error { rows = append(rows, r); return nil }); err != nil {
					return err
				}
				for k := range rows {
					l.sums.add(&rows[k])
				}
				l.after[lane] = list[i].To
			}
			if len(list) < blocks {
				break
			}
		}
	}
	return nil
}

// Totals are sums over orders.
type Totals struct {
	Rows      int64        `json:"rows"`
	Invoices  int64        `json:"invoices"`
	Customers int64        `json:"customers"`
	Sum       money.Micros `json:"-"`
}

// Heard is what came in.
type Heard struct {
	Events  int64            `json:"events"`
	Now     event.Time       `json:"now"`
	Orders  Totals           `json:"orders"` // every line heard, returns and unknown customers included
	Clean   Totals           `json:"clean"`  // lines of known customers that are no returns, with a quantity and a price above zero
	ByName  map[string]int64 `json:"by_name"`
	Unknown int64            `json:"rows_without_customer"`
}

// Order is one order or refund of a person, for measuring.
type Order struct {
	At  event.Time
	Net money.Micros
}

// Journey is who entered a journey and when.
type Journey struct {
	Name    string
	Entries []Entry
}

// Entry is one person's first entry into a journey.
type Entry struct {
	Person identity.ID
	At     event.Time
	Held   bool
}

type person struct {
	known, clean bool
}

type sums struct {
	heard    Heard
	people   map[identity.ID]*person
	orders   map[identity.ID][]Order
	journeys map[string]*Journey
	entered  map[entryKey]bool
	receipts map[string]int64
	joined   map[identity.ID][]identity.ID // the strands of a profile, those of a strand under the strand itself
}

// kept returns the name under which a map counts. What is read of a feed is a piece
// of its block, and a map that kept the piece would keep the block.
func kept(m map[string]int64, name string) string {
	if _, known := m[name]; known {
		return name
	}
	return strings.Clone(name)
}

type entryKey struct {
	journey string
	person  identity.ID
}

func (s *sums) add(r *feed.Row) {
	s.heard.Now = max(s.heard.Now, r.Now)
	switch r.Kind {
	case feed.Event:
		s.event(r)
	case feed.Fact:
		s.fact(r)
	}
}

func (s *sums) event(r *feed.Row) {
	s.heard.Events++
	if s.heard.ByName == nil {
		s.heard.ByName = map[string]int64{}
	}
	s.heard.ByName[kept(s.heard.ByName, r.Name)]++
	switch r.Name {
	case event.Unsubscribed, event.MessageClicked, event.MessageOpened, event.Complained:
		unsaid := "human" // who unsubscribes has pressed a button
		if r.Name == event.MessageClicked || r.Name == event.MessageOpened {
			unsaid = "unknown"
		}
		actor := cmp.Or(r.Props.Text("actor"), unsaid)
		s.receipts[r.Name+"/"+actor]++
	}
	if r.Order == nil {
		return
	}
	who := s.people[r.Profile]
	if who == nil {
		who = &person{}
		s.people[r.Profile] = who
	}
	if r.Known && !who.known {
		who.known = true
		s.heard.Orders.Customers++
	}
	o := &s.heard.Orders
	o.Invoices++
	o.Sum += r.Order.Net
	s.orders[r.Profile] = append(s.orders[r.Profile], Order{r.At, r.Order.Net})
	order, err := event.OrderOf(r.Name, r.Props)
	if err != nil {
		return // unreachable: the edge checked it
	}
	o.Rows += int64(len(order.Lines))
	if !r.Known {
		s.heard.Unknown += int64(len(order.Lines))
		return
	}
	if r.Name != event.OrderCompleted {
		return
	}
	c, clean := &s.heard.Clean, false
	for i := range order.Lines {
		if l := &order.Lines[i]; l.Quantity > 0 && l.Price > 0 {
			c.Rows++
			c.Sum += l.Net
			clean = true
		}
	}
	if clean {
		c.Invoices++
		if !who.clean {
			who.clean = true
			c.Customers++
		}
	}
}

func (s *sums) fact(r *feed.Row) {
	switch r.Name {
	case event.JourneyEntered:
		name := r.Props.Text("journey")
		j := s.journeys[name]
		if j == nil {
			j = &Journey{Name: strings.Clone(name)} // a piece of a block, as above
			s.journeys[j.Name] = j
		}
		if s.entered == nil {
			s.entered = map[entryKey]bool{}
		}
		if k := (entryKey{j.Name, r.Profile}); !s.entered[k] {
			s.entered[k] = true
			held, _ := r.Props.Get("held_out")
			j.Entries = append(j.Entries, Entry{r.Profile, r.At, held.Kind == event.True})
		}
	case event.ProfilesJoined:
		if strand, err := identity.ParseID(r.Props.Text("joined")); err == nil {
			s.joined[r.Profile] = append(s.joined[r.Profile], strand)
		}
	}
}

// Heard returns what came in so far.
func (l *Loader) Heard() Heard {
	l.mu.Lock()
	defer l.mu.Unlock()
	h := l.sums.heard
	h.ByName = clone(h.ByName)
	return h
}

// Receipts counts what people and machines did with messages: by event and
// actor, such as "Message Clicked/human".
func (l *Loader) Receipts() map[string]int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return clone(l.sums.receipts)
}

func clone(m map[string]int64) map[string]int64 {
	c := make(map[string]int64, len(m))
	for k, v := range m {
		c[k] = v
	}
	return c
}

// Journeys returns who entered which journey, by name and in order of entry.
func (l *Loader) Journeys() []Journey {
	l.mu.Lock()
	defer l.mu.Unlock()
	var list []Journey
	for _, j := range l.sums.journeys {
		list = append(list, Journey{j.Name, slices.Clone(j.Entries)})
	}
	slices.SortFunc(list, func(a, b Journey) int { return cmp.Compare(a.Name, b.Name) })
	return list
}

// Outcome returns what a person ordered in a window after an instant: how many
// orders, and their sum less refunds. What was ordered at a profile that joined
// the person's counts too, whoever it was known as at the time.
func (l *Loader) Outcome(person identity.ID, from, to event.Time) (orders int, net money.Micros) {
	l.mu.Lock()
	defer l.mu.Unlock()
	ids := []identity.ID{person}
	for i := 0; i < len(ids); i++ { // each joins once: the list ends
		for _, o := range l.sums.orders[ids[i]] {
			if o.At > from && o.At <= to {
				if o.Net > 0 {
					orders++
				}
				net += o.Net
			}
		}
		ids = append(ids, l.sums.joined[ids[i]]...)
	}
	return orders, net
}

// Deliveries counts the ledger by state, and what was stopped by reason.
type Deliveries struct {
	ByState  map[string]int64            `json:"by_state"`
	ByReason map[string]int64            `json:"by_reason"` // of what was not sent
	ByStep   map[string]map[string]int64 `json:"by_journey"`
}

// CountDeliveries counts the ledger of a store.
func CountDeliveries(ctx context.Context, s store.Store) (Deliveries, error) {
	d := Deliveries{ByState: map[string]int64{}, ByReason: map[string]int64{}, ByStep: map[string]map[string]int64{}}
	counts, err := s.DeliveryCounts(ctx)
	if err != nil {
		return d, err
	}
	for _, c := range counts {
		d.ByState[c.State.String()] += c.Count
		if c.Because != "" && c.State != profile.Accepted && c.State != profile.Planned {
			d.ByReason[c.Because] += c.Count
		}
		if d.ByStep[c.Journey] == nil {
			d.ByStep[c.Journey] = map[string]int64{}
		}
		d.ByStep[c.Journey][c.State.String()] += c.Count
	}
	return d, nil
}
