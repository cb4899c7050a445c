package recommend

import (
	"slices"
	"strings"

	"rapport/internal/core/event"
	"rapport/internal/core/money"
	"rapport/internal/core/profile"
)

// Good is what the shop says of an item at the instant of a list.
type Good struct {
	Name     string   // by which lists know it: the product's id, or a SKU without a product
	Names    []string // all names under which it is sold: the product, its variants, their SKUs
	SKU      string   // of the variant that is shown
	Title    string
	Brand    string
	Category string // the most special one
	// Categories are all of its categories from general to special, where the shop names
	// them one by one: "Home", "Lamps". Default: Category says it all.
	Categories []string
	Price      money.Micros
	Currency   money.Currency
	Available  bool
	Counted    bool  // whether Stock is known
	Stock      int64 // pieces of all variants
}

// Is reports whether the good is sold under the name.
func (g *Good) Is(name string) bool {
	return name != "" && (name == g.Name || name == g.SKU || slices.Contains(g.Names, name))
}

// Rules say what may stand in a list. The zero Rules leave everything in that can
// be bought.
type Rules struct {
	Profile *profile.Profile // for whom; nil: nobody who is known
	Owning  Owning
	At      event.Time

	Exclude       []string // by any of their names
	Categories    []string // only these and what is below them; empty: all
	NotCategories []string
	MinPrice      money.Micros
	MaxPrice      money.Micros   // 0: no bound
	Currency      money.Currency // of the band; of another currency nothing is within it
	SoldOut       bool           // what cannot be bought may be shown too
	MinStock      int64          // where pieces are counted
	Shown         func(name string) int
	ShownMost     int // after how often in a row it is not shown again; 0: no bound
	Replenish     bool
	Need          func(b *profile.Bought) (event.Time, bool) // when it will have run out, for Replenish
}

// Reason says why an item was left out.
type Reason string

// The reasons.
const (
	Unlisted    Reason = "not in the catalogue"
	Excluded    Reason = "excluded"
	OutOfStock  Reason = "sold out"
	LowInStock  Reason = "too few left"
	WrongPlace  Reason = "another category"
	WrongPrice  Reason = "another price"
	ShownEnough Reason = "shown often enough"
	JustBought  Reason = "just bought"
	OfItsKind   Reason = "enough of its category"
)

// Refuse returns why the good must not be shown; empty if it may.
func (r *Rules) Refuse(g *Good) Reason {
	switch {
	case slices.ContainsFunc(r.Exclude, g.Is):
		return Excluded
	case !r.SoldOut && !g.Available:
		return OutOfStock
	case r.MinStock > 0 && g.Counted && g.Stock < r.MinStock:
		return LowInStock
	case len(r.Categories) > 0 && !slices.ContainsFunc(r.Categories, g.In), slices.ContainsFunc(r.NotCategories, g.In):
		return WrongPlace
	case (r.MinPrice > 0 || r.MaxPrice > 0) && !r.priced(g):
		return WrongPrice
	case r.ShownMost > 0 && r.Shown != nil && r.Shown(g.Name) >= r.ShownMost:
		return ShownEnough
	case r.justBought(g):
		return JustBought
	}
	return ""
}

// In reports whether the good is in the named category or below it, by its own name
// ("Lamps"), that of one above it ("Home"), or the way to it ("Home/Lamps").
func (g *Good) In(named string) bool {
	named = strings.ReplaceAll(named, " > ", "/")
	if InCategory(g.Category, named) {
		return true
	}
	for i := range g.Categories {
		if InCategory(strings.Join(g.Categories[i:], "/"), named) {
			return true
		}
	}
	return false
}

// priced reports whether the good is within the band. What nobody told a price of is not.
func (r *Rules) priced(g *Good) bool {
	known := g.Price > 0 || g.Currency != ""
	return known && (r.Currency == "" || g.Currency == r.Currency) && g.Price >= r.MinPrice && (r.MaxPrice == 0 || g.Price <= r.MaxPrice)
}

func (r *Rules) justBought(g *Good) bool {
	if r.Profile == nil {
		return false
	}
	t := Thing{SKU: g.Name, Variants: g.Names, Category: g.Category, Replenish: r.Replenish}
	if r.Replenish && r.Need != nil {
		if b := r.Owning.Bought(r.Profile, &t, func(_ *profile.Bought, same, _ bool) bool { return same }); b != nil {
			if at, known := r.Need(b); known && at > b.Last {
				t.Interval = at.Sub(b.Last)
			}
		}
	}
	return r.Owning.JustBought(r.Profile, &t, r.At) != nil
}
