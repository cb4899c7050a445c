// Package product is what the shop sells: products with their variants, prices,
// stock and pictures, and what it means when one of them changes.
//
// A [Product] is a picture of the source's own at an instant. Sources repeat
// themselves and are heard out of order, so a picture carries when the source
// made it, and an older one never replaces a newer.
//
// What a shopper pays is a function of the instant: a sale has a beginning and an
// end. [Variant.At] answers for one instant, and [Product.Next] says when the
// answer changes by itself, so that a sale begins on the hour that it was
// announced for, though nobody sends anything at that hour.
package product

import (
	"cmp"
	"slices"
	"strings"

	"rapport/internal/core/event"
	"rapport/internal/core/money"
)

// Ref names a product: its source and the id that it has there.
type Ref struct {
	Source string
	ID     string
}

// Compare orders refs by source, then id.
func (r Ref) Compare(s Ref) int {
	return cmp.Or(strings.Compare(r.Source, s.Source), strings.Compare(r.ID, s.ID))
}

// Product is one product with its variants.
type Product struct {
	Ref
	Title      string
	Brand      string
	URL        string
	Images     []string // the first is the main one
	Categories []string // from general to special; "Clothing > Shirts" is one
	Group      string   // what joins products that are variants of one thing in their source
	Variants   []Variant
	Gone       bool       // not sold any more: unpublished or deleted
	Updated    event.Time // when the source made this picture
}

// Variant is what can be put into a basket.
type Variant struct {
	ID       string
	SKU      string
	Title    string // what tells it from its siblings: "Red / M"
	GTIN     string
	Item     string // the name under which its stock is counted in its source
	Currency money.Currency
	Price    money.Micros // the regular price
	Sale     Sale
	State    State
	Counted  bool    // whether Stock is known
	Stock    int64   // pieces in all places; below zero: oversold
	Oversell bool    // it is sold though there is none
	Levels   []Level // by place; what is known of single places
	Image    string
	URL      string
}

// Level is how many pieces there were in one place.
type Level struct {
	Place string
	Stock int64
	At    event.Time
}

// Sale is a lower price for some time. The zero Sale is none.
type Sale struct {
	On    bool
	Price money.Micros
	From  event.Time // zero: it has begun
	To    event.Time // zero: it does not end
}

// State says whether a variant can be bought.
type State uint8

// The states. They are stored: never renumber.
const (
	InStock   State = 0
	OutOf     State = 1
	Preorder  State = 2
	Backorder State = 3 // sold though there is none: it is delivered later
)

var stateNames = [...]string{"in_stock", "out_of_stock", "preorder", "backorder"}

// String returns the state in the words of shopping feeds.
func (s State) String() string {
	if int(s) < len(stateNames) {
		return stateNames[s]
	}
	return "unknown"
}

// StateOf returns the state of a word of a feed, in any of the usual spellings,
// and whether there is one.
func StateOf(word string) (State, bool) {
	switch strings.NewReplacer(" ", "", "_", "", "-", "").Replace(strings.ToLower(word)) {
	case "instock", "available", "availablefororder":
		return InStock, true
	case "outofstock", "soldout", "discontinued":
		return OutOf, true
	case "preorder":
		return Preorder, true
	case "backorder", "onbackorder":
		return Backorder, true
	}
	return 0, false
}

// Buyable reports whether a shopper can have it: now or later.
func (s State) Buyable() bool { return s != OutOf }

// At returns what a piece costs at the instant.
func (v *Variant) At(now event.Time) money.Micros {
	if v.onSale(now) {
		return v.Sale.Price
	}
	return v.Price
}

// Reduced reports whether the price at the instant is that of a sale.
func (v *Variant) Reduced(now event.Time) bool { return v.onSale(now) && v.Sale.Price < v.Price }

func (v *Variant) onSale(now event.Time) bool {
	return v.Sale.On && (v.Sale.From == 0 || now >= v.Sale.From) && (v.Sale.To == 0 || now < v.Sale.To)
}

// Next returns the first instant after now at which a price changes by itself;
// [event.Never] if none does.
func (p *Product) Next(now event.Time) event.Time {
	next := event.Never
	if p.Gone {
		return next
	}
	for i := range p.Variants {
		s := &p.Variants[i].Sale
		if !s.On {
			continue
		}
		if s.From > now {
			next = min(next, s.From)
		}
		if s.To > now {
			next = min(next, s.To)
		}
	}
	return next
}

// State returns that of the product: the best of its variants.
func (p *Product) State() State {
	if p.Gone || len(p.Variants) == 0 {
		return OutOf
	}
	best, rank := OutOf, []State{InStock, Preorder, Backorder, OutOf}
	for i := range p.Variants {
		if slices.Index(rank, p.Variants[i].State) < slices.Index(rank, best) {
			best = p.Variants[i].State
		}
	}
	return best
}

// Lowest returns the variant that costs least at the instant, of those that can
// be bought if there are any; nil if there are no variants.
func (p *Product) Lowest(now event.Time) *Variant {
	var low *Variant
	for i := range p.Variants {
		v := &p.Variants[i]
		switch {
		case low == nil,
			v.State.Buyable() && !low.State.Buyable(),
			v.State.Buyable() == low.State.Buyable() && v.At(now) < low.At(now):
			low = v
		}
	}
	return low
}

// Find returns the variant that is known by the id or SKU; nil if none is.
func (p *Product) Find(key string) *Variant {
	for i := range p.Variants {
		if v := &p.Variants[i]; key != "" && (v.ID == key || v.SKU == key) {
			return v
		}
	}
	return nil
}

// Category returns the most special category; empty if there is none.
func (p *Product) Category() string {
	if len(p.Categories) == 0 {
		return ""
	}
	return p.Categories[len(p.Categories)-1]
}

// itemPrefix stands before the name under which stock is counted, which may look
// like a product's id.
const itemPrefix = "item\x00"

// ItemKey is the key by which [Product.Keys] lists a variant's stock.
func ItemKey(item string) string { return itemPrefix + item }

// Keys are the names by which the product can be looked up: its id, the ids and
// SKUs of its variants, and their items. Each comes once.
func (p *Product) Keys() []string {
	keys := make([]string, 0, 1+3*len(p.Variants))
	add := func(k string) {
		if k != "" && !slices.Contains(keys, k) {
			keys = append(keys, k)
		}
	}
	add(p.ID)
	for i := range p.Variants {
		v := &p.Variants[i]
		add(v.ID)
		add(v.SKU)
		if v.Item != "" {
			add(ItemKey(v.Item))
		}
	}
	return keys
}

// MaxLevels is how many places of one variant are remembered: the
// largest chains have some thousands of shops, and four thousand levels are 80 KB.
const MaxLevels = 4096

// Count takes what one place says of its stock, and reports whether that is news.
// The sum follows by the difference to what the place said before; of a place that
// was silent until now the sum holds already whatever it has. What is older than
// the picture is in the picture.
func (v *Variant) Count(l Level, picture event.Time) bool {
	i, known := slices.BinarySearchFunc(v.Levels, l.Place, func(l Level, place string) int { return strings.Compare(l.Place, place) })
	switch {
	case known && v.Levels[i].At >= l.At, !known && len(v.Levels) >= MaxLevels:
		return false
	case !known:
		v.Levels = slices.Insert(slices.Clip(v.Levels), i, l)
		return true
	}
	before := v.Levels[i].Stock
	v.Levels = slices.Clone(v.Levels)
	v.Levels[i] = l
	if v.Counted && l.At > picture {
		v.Stock += l.Stock - before
		v.Restate()
	}
	return true
}

// Restate sets the state of a variant whose pieces are counted.
func (v *Variant) Restate() {
	switch {
	case !v.Counted:
	case v.Stock > 0:
		v.State = InStock
	case v.Oversell:
		v.State = Backorder
	default:
		v.State = OutOf
	}
}
