package recommend

import (
	"slices"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/profile"
)

// Owning is what a shop says about who has something already: for how long nobody
// is reminded of, offered or shown what they just bought. The zero Owning says that
// nothing counts as just bought.
type Owning struct {
	// For is how long something counts as just bought. 0: not at all.
	For time.Duration
	// In overrides For for what is in a category or below it; the longest category
	// that fits wins.
	In []Owned
	// Category: whatever is of the same category is as good as the thing itself.
	Category bool
	// Alike are groups of SKUs or products that the shop declared to be as good as
	// one another.
	Alike [][]string
}

// Owned is how long things of one category count as just bought.
type Owned struct {
	Category string
	For      time.Duration
}

// Thing is what somebody may be shown.
type Thing struct {
	SKU       string
	Parent    string        // the product of which that is a variant, if it is known
	Variants  []string      // SKUs and ids under which the same product is sold, if they are known
	Category  string        // of the thing, or all that is promoted
	Replenish bool          // it is shown because it may have run out
	Interval  time.Duration // after which it does; 0: by the customer's own rhythm
}

// JustBought is the rule that nobody is shown what they just bought, nor a variant
// of it, nor what is as good. It returns the purchase because of which the thing
// must not be shown at the instant; nil if it may be. Every message, list, slot and
// coupon asks this function.
//
// What runs out may be shown again once its interval has passed.
func (o *Owning) JustBought(p *profile.Profile, t *Thing, at event.Time) *profile.Bought {
	return o.Bought(p, t, func(b *profile.Bought, same, akin bool) bool {
		if !same && !(akin && o.Category) {
			return false
		}
		since := at.Sub(b.Last)
		if since >= o.Span(b.Category) {
			return false
		}
		interval := t.Interval
		if interval == 0 {
			interval = b.Rhythm()
		}
		return !t.Replenish || interval <= 0 || since < interval
	})
}

// Bought returns the latest purchase that fits; nil if there is none. What was
// returned was not bought. same: it is the thing, a variant of it or what is
// declared to be as good; akin: it is of its category.
func (o *Owning) Bought(p *profile.Profile, t *Thing, fits func(b *profile.Bought, same, akin bool) bool) *profile.Bought {
	if t.SKU == "" && t.Category == "" || len(p.Bought) == 0 {
		return nil
	}
	parent := t.Parent
	if parent == "" && t.SKU != "" {
		for i := range p.Bought {
			if b := &p.Bought[i]; b.SKU == t.SKU {
				parent = b.Product
			}
		}
	}
	var latest *profile.Bought
	for i := range p.Bought {
		b := &p.Bought[i]
		if b.Count <= 0 || latest != nil && b.Last <= latest.Last {
			continue
		}
		same := t.is(b.SKU) || t.is(b.Product) || parent != "" && (b.SKU == parent || b.Product == parent) || o.alike(t, parent, b)
		akin := InCategory(b.Category, t.Category) || InCategory(t.Category, b.Category)
		if fits(b, same, akin) {
			latest = b
		}
	}
	return latest
}

// is reports whether the thing is known by the name.
func (t *Thing) is(name string) bool {
	return name != "" && t.SKU != "" && (name == t.SKU || slices.Contains(t.Variants, name))
}

// alike reports whether the shop declared what was bought to be as good as the
// thing.
func (o *Owning) alike(t *Thing, parent string, b *profile.Bought) bool {
	for _, group := range o.Alike {
		var has, wants bool
		for _, name := range group {
			has = has || name == b.SKU || name != "" && name == b.Product
			wants = wants || t.is(name) || name != "" && name == parent
		}
		if has && wants {
			return true
		}
	}
	return false
}

// Span returns how long something of the category counts as just bought.
func (o *Owning) Span(category string) time.Duration {
	span, length := o.For, -1
	for _, own := range o.In {
		if InCategory(category, own.Category) && len(own.Category) > length {
			span, length = own.For, len(own.Category)
		}
	}
	return span
}

// InCategory reports whether a category is the named one or below it:
// "Home/Lamps" is in "Home".
func InCategory(category, named string) bool {
	if named == "" || len(category) < len(named) || category[:len(named)] != named {
		return false
	}
	return len(category) == len(named) || category[len(named)] == '/'
}
