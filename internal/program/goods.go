package program

import (
	"slices"

	"rapport/internal/core/decision"
	"rapport/internal/core/event"
	"rapport/internal/core/money"
	"rapport/internal/core/profile"
	"rapport/internal/core/recommend"
)

// Products is what messages ask the shop's catalogue.
type Products interface {
	// Product returns what the catalogue says of a SKU now, and whether it knows it.
	// It is called while a message is worded, from many goroutines, so it answers
	// from memory.
	Product(sku string) (Product, bool)
}

// Product is what a message shows of one product. What is empty is not shown.
type Product struct {
	SKU       string
	Name      string
	Category  string
	URL       string // of its page
	Image     string // address of a picture
	Price     money.Micros
	Was       money.Micros // before it was reduced; 0: it is not
	Currency  money.Currency
	Available bool
	Names     []string // under which it is sold: the product, its variants, their SKUs
}

// Recommender is what messages ask for lists. A catalogue may be one; see
// [Products].
type Recommender interface {
	// Recommend returns names of products for a customer, the best first; nil if
	// there is nothing to suggest. Nothing that they just bought is among them.
	Recommend(Asked) []string
}

// Asked is a question for a list.
type Asked struct {
	List    string
	N       int
	Profile *profile.Profile
	Item    string // what the message is about; empty: nothing
	Owning  recommend.Owning
	Now     event.Time
	Quiet   bool // nobody is shown it
}

// recommendMost bounds the products of one list in a message.
const recommendMost = 20

// recommend answers the filter of that name: a list of products with all that is
// known of each.
func (g goods) recommend(list string, n int) []any {
	r, ok := g.catalogue.(Recommender)
	if !ok {
		return nil
	}
	a := Asked{List: list, N: max(1, min(n, recommendMost)), Profile: g.who, Item: g.d.Product, Owning: g.owning, Now: g.now, Quiet: g.d.ID == profile.DeliveryID{}}
	var out []any
	for _, name := range r.Recommend(a) {
		m := map[string]any{}
		if g.all(m, name); len(m) > 1 {
			out = append(out, m)
		}
	}
	return out
}

// owned reports whether the customer just bought what is sold under a name, in any
// variant. What the message is about the gate has judged already, and what the
// trigger tells of is what happened.
func (g goods) owned(sku string) bool {
	if g.d.Class != profile.Marketing || sku == g.d.Product || g.told(sku) {
		return false
	}
	t := recommend.Thing{SKU: sku}
	if g.catalogue != nil {
		if p, ok := g.catalogue.Product(sku); ok {
			t.Variants, t.Category = p.Names, p.Category
		}
	}
	return g.owning.JustBought(g.who, &t, g.now) != nil
}

// bought returns the purchase because of which a message must not go out at all: of
// what it is about, in any size under which the catalogue sells it. The gate has
// asked the same at the claim, and knows only the names that events told: a receipt
// with nothing but the SKU of another size on it says nothing to it.
func (p *Program) bought(d *profile.Delivery, who *profile.Profile, now event.Time) *profile.Bought {
	if d.Product == "" || p.Products == nil {
		return nil
	}
	sold, ok := p.Products.Product(d.Product)
	if !ok {
		return nil
	}
	t := recommend.Thing{SKU: d.Product, Variants: sold.Names, Parent: d.Props.Text(decision.PropProduct), Category: d.Category}
	if v, _ := d.Props.Get(decision.PropReplenish); v.Kind == event.True {
		t.Replenish = true
		t.Interval, _ = decision.Period(d.Props.Text(decision.PropInterval))
	}
	owning := p.Core.Gate.Policy.Owning()
	return owning.JustBought(who, &t, now)
}

// told reports whether the event that let the customer into the journey names it.
func (g goods) told(sku string) bool {
	m := map[string]any{}
	g.heard(m, sku)
	return len(m) > 0
}

// goods is what is known of products while one message is worded: the
// catalogue's word, then what the event said, then what the customer bought.
type goods struct {
	catalogue Products
	d         *profile.Delivery
	who       *profile.Profile
	owning    recommend.Owning
	now       event.Time
}

// subject says what is known of what the message is about.
func (g goods) subject() map[string]any {
	m := map[string]any{}
	set(m, "category", g.d.Category)
	if g.d.Product != "" {
		g.all(m, g.d.Product)
	}
	return m
}

// product answers the filter of that name. Of what the customer just bought a
// message that promotes knows nothing.
func (g goods) product(sku string) any {
	if g.owned(sku) {
		return nil
	}
	m := map[string]any{}
	if g.all(m, sku); len(m) > 1 {
		return m
	}
	return nil // not more is known than was asked
}

// all adds all that is known of a product.
func (g goods) all(m map[string]any, sku string) {
	set(m, "sku", sku)
	g.look(m, sku)
	g.heard(m, sku)
	if i := slices.IndexFunc(g.who.Bought, func(b profile.Bought) bool { return b.SKU == sku }); i >= 0 {
		set(m, "name", g.who.Bought[i].Name)
		set(m, "category", g.who.Bought[i].Category)
	}
}

// look adds what the catalogue says.
func (g goods) look(m map[string]any, sku string) {
	if g.catalogue == nil || sku == "" {
		return
	}
	p, ok := g.catalogue.Product(sku)
	if !ok {
		return
	}
	for _, f := range [...][2]string{{"name", p.Name}, {"category", p.Category}, {"url", p.URL}, {"image", p.Image}, {"currency", string(p.Currency)}} {
		set(m, f[0], f[1])
	}
	if p.Price > 0 {
		set(m, "price", p.Price.String())
	}
	if p.Was > p.Price {
		set(m, "was", p.Was.String())
	}
	m["available"] = p.Available
}

// heard adds what the event says that let the customer into the journey.
func (g goods) heard(m map[string]any, sku string) {
	line := func(l event.Object) {
		if l.Text("sku") != sku && l.Text("product_id") != sku {
			return
		}
		for _, name := range [...]string{"name", "category", "price", "url"} {
			set(m, name, l.Text(name))
		}
		if set(m, "image", l.Text("image")); m["image"] == nil {
			set(m, "image", l.Text("image_url")) // Segment's own name for it
		}
	}
	line(g.d.Props)
	if v, ok := g.d.Props.Get("products"); ok {
		v.Items(func(item event.Value) bool {
			line(item.Object())
			return true
		})
	}
}

// set gives a field a value that it has not.
func set(m map[string]any, key, value string) {
	if _, there := m[key]; !there && value != "" {
		m[key] = value
	}
}
