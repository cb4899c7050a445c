package suggest

import (
	"cmp"
	"strings"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/money"
	"rapport/internal/core/profile"
	"rapport/internal/core/recommend"
)

// heard is what one event means to the room.
type heard struct {
	visitor uint64
	at      event.Time
	heard   event.Time // when we learnt of it: a receipt may come a day late
	kind    kind
	phrase  string
	store   string
	items   []line
	net     money.Micros
	id      uint64 // fingerprint of the event
	live    bool
}

type line struct {
	name string
	good recommend.Good // what the event says of it
	net  money.Micros
}

type kind uint8

const (
	nothing kind = iota
	looked
	searched
	ordered
)

// The names of events that say that somebody looked at one product.
var looks = map[string]bool{
	event.ProductViewed: true, event.ProductAdded: true, "Product Clicked": true, "Product Added to Wishlist": true,
}

// How much a purchase counts beside a look for what is in demand.
const purchaseLooks = 5

// Hear takes events that are durable. It returns when the next list knows of them.
func (r *Room) Hear(entries []identity.Addressed) {
	var list []heard
	now := r.o.Now()
	for i := range entries {
		e := &entries[i].Event
		if h := r.read(entries[i].To, e.Name, e.At, e.Props); h.kind != nothing {
			h.id, h.live, h.heard = profile.Fingerprint(e.ID), e.Origin == event.Live, now
			list = append(list, h)
		}
	}
	if len(list) == 0 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range list {
		if r.repeated(list[i].id) {
			continue
		}
		r.learn(r.know, &list[i])
		if list[i].live {
			r.count(&list[i])
		}
		if r.loading && len(r.waiting) < maxWaiting {
			r.waiting = append(r.waiting, list[i])
		}
	}
}

// maxSeen is how many ids are remembered: a client repeats what was not answered
// within seconds.
const maxSeen = 1 << 16

// repeated reports whether an event was heard just before; r.mu is held.
func (r *Room) repeated(id uint64) bool {
	if r.seen[id] {
		return true
	}
	if r.seen == nil {
		r.seen = make(map[uint64]bool, maxSeen)
	}
	if old := r.ring[r.next]; len(r.seen) >= maxSeen {
		delete(r.seen, old)
	}
	r.seen[id], r.ring[r.next] = true, id
	r.next = (r.next + 1) % maxSeen
	return false
}

// read takes from an event what the room counts. Texts are copies: an event may be
// a piece of a request.
func (r *Room) read(id identity.ID, name string, at event.Time, props event.Object) (h heard) {
	switch {
	case looks[name]:
		product, sku := props.Text("product_id"), props.Text("sku")
		item := r.nameOf(product, sku)
		if item == "" || len(item) > recommend.MaxName {
			return h
		}
		h.kind = looked
		h.items = []line{{name: strings.Clone(item), good: goodOf(item, product, sku, props)}}
	case name == event.ProductSearched:
		h.kind, h.phrase = searched, strings.Clone(props.Text("query"))
	case name == event.OrderCompleted:
		o, err := event.OrderOf(name, props)
		if err != nil {
			return h // the edge checked it; an older one may not have been
		}
		h.kind, h.net = ordered, o.Net
		h.store = strings.Clone(cmp.Or(props.Text("store_id"), props.Text("store"), props.Text("location_id")))
		for i := range o.Lines {
			l := &o.Lines[i]
			item := r.nameOf(l.Product, l.SKU)
			if item == "" || len(item) > recommend.MaxName || l.Quantity <= 0 {
				continue
			}
			g := recommend.Good{Name: strings.Clone(item), SKU: strings.Clone(l.SKU), Title: strings.Clone(l.Name), Category: strings.Clone(l.Category), Price: l.Price, Currency: money.Currency(strings.Clone(string(o.Currency))), Available: true}
			g.Names = names(g.Name, l.Product, l.SKU)
			h.items = append(h.items, line{g.Name, g, l.Net})
		}
	default:
		return h
	}
	h.visitor, h.at = visitorOf(id), at
	return h
}

func goodOf(item, product, sku string, props event.Object) recommend.Good {
	g := recommend.Good{Name: strings.Clone(item), SKU: strings.Clone(sku), Title: strings.Clone(props.Text("name")), Category: strings.Clone(props.Text("category")), Brand: strings.Clone(props.Text("brand")), Available: true}
	g.Names = names(g.Name, product, sku)
	if m, err := money.Parse(props.Text("price")); err == nil {
		g.Price = m
	}
	if c, err := money.ParseCurrency(props.Text("currency")); err == nil {
		g.Currency = money.Currency(strings.Clone(string(c)))
	}
	return g
}

func names(own string, others ...string) (list []string) {
	for _, n := range others {
		if n != "" && n != own {
			list = append(list, strings.Clone(n))
		}
	}
	return list
}

// learn counts one event.
func (r *Room) learn(k *knowledge, h *heard) {
	for i := range h.items {
		k.meet(&h.items[i].good)
	}
	switch h.kind {
	case looked:
		name := h.items[0].name
		k.visits.Click(h.visitor, name, h.at)
		k.demand.Add(name, 1, h.at)
		k.phrases.Look(h.visitor, name, 1, h.at)
	case searched:
		k.phrases.Search(h.visitor, h.phrase, h.at)
	case ordered:
		basket := make([]string, 0, len(h.items))
		for i := range h.items {
			name := h.items[i].name
			basket = append(basket, name)
			k.histories.Click(h.visitor, name, h.at)
			k.bought.Add(name, 1, h.at)
			k.demand.Add(name, purchaseLooks, h.at)
			k.phrases.Look(h.visitor, name, purchaseLooks, h.at)
			if h.store != "" {
				scope(k.stores, h.store).Add(name, 1, h.at)
			}
		}
		k.baskets.Add(basket, h.at)
		k.remember(h.visitor, basket, h.heard)
	}
}

// scope returns the tally of a store or segment; of those beyond maxScopes it is
// one that nobody asks.
func scope(all map[string]*recommend.Tally, name string) *recommend.Tally {
	t := all[name]
	if t == nil {
		t = recommend.NewTally(boughtHalf)
		if len(all) < maxScopes && len(name) <= recommend.MaxName {
			all[name] = t
		}
	}
	return t
}

// meet notes what an event says of an item.
func (k *knowledge) meet(g *recommend.Good) {
	known, ok := k.goods[g.Name]
	if !ok && len(k.goods) >= maxGoods {
		clear(k.goods) // they come again with the next events
	}
	for _, n := range known.Names {
		if !g.Is(n) && len(g.Names) < maxNames {
			g.Names = append(g.Names, n)
		}
	}
	g.SKU, g.Title, g.Category, g.Brand = cmp.Or(g.SKU, known.SKU), cmp.Or(g.Title, known.Title), cmp.Or(g.Category, known.Category), cmp.Or(g.Brand, known.Brand)
	g.Price, g.Currency = cmp.Or(g.Price, known.Price), cmp.Or(g.Currency, known.Currency)
	k.goods[g.Name] = *g
}

// maxNames bounds the variants that are learnt of one product from events.
const maxNames = 200

// remember notes what was bought, as we have heard just now.
func (k *knowledge) remember(visitor uint64, names []string, at event.Time) {
	if len(k.just) >= maxJust || at.Sub(k.swept) >= justFor {
		k.swept = at
		for v, list := range k.just { // who goes does not depend on the order
			if at.Sub(list[len(list)-1].at) >= justFor {
				delete(k.just, v)
			}
		}
		if len(k.just) >= maxJust {
			clear(k.just)
		}
	}
	list := k.just[visitor]
	for len(list) > 0 && at.Sub(list[0].at) >= justFor {
		list = list[1:]
	}
	for _, n := range names {
		list = append(list, justBought{n, at})
	}
	if len(list) > 0 {
		k.just[visitor] = list
	}
}
