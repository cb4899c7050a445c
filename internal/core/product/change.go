package product

import (
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/money"
)

// What a change means to a shopper. They are facts in the past tense, like every
// event.
const (
	PriceDropped = "Product Price Dropped"
	BackInStock  = "Product Back In Stock"
	LowInStock   = "Product Low In Stock"
	OutOfStock   = "Product Out Of Stock"
)

// LowStock is how many pieces are few where the shop does not say: with five left a shopper who hesitates may
// come too late, and a message about it still reaches her in time.
const LowStock = 5

// InterestFor is how long somebody who looked at a product is told of changes of
// it where the shop does not say: who looked at a lamp two months ago has one by now.
const InterestFor = 60 * 24 * time.Hour

// Change is one fact about one variant.
type Change struct {
	Name     string
	At       event.Time
	Product  Ref
	Variant  string // its id
	SKU      string
	Currency money.Currency
	Before   money.Micros // price; of PriceDropped
	After    money.Micros
	Stock    int64 // pieces; of LowInStock and BackInStock where they are counted
}

// Changes returns what became of a product between two pictures: old as it was
// at the instant before, next as it is at now. A product that was not known
// before is new, and nothing about it has changed; nor has anything of one that is
// no longer sold. Few are low pieces or less. A price in another currency is another price and has not dropped.
func Changes(old, next *Product, before, now event.Time, low int64) (list []Change) {
	if old == nil || next.Gone {
		return nil
	}
	for i := range next.Variants {
		v := &next.Variants[i]
		was := old.variant(v.ID)
		if was == nil {
			continue
		}
		c := Change{At: now, Product: next.Ref, Variant: v.ID, SKU: v.SKU, Currency: v.Currency}
		if from, to := was.At(before), v.At(now); to < from && was.Currency == v.Currency && v.State.Buyable() {
			d := c
			d.Name, d.Before, d.After = PriceDropped, from, to
			list = append(list, d)
		}
		could, can := was.State.Buyable() && !old.Gone, v.State.Buyable()
		switch {
		case !could && can:
			c.Name, c.Stock = BackInStock, v.Stock
			list = append(list, c)
		case could && !can:
			c.Name = OutOfStock
			list = append(list, c)
		case can && v.State == InStock && few(v, low) && !few(was, low):
			c.Name, c.Stock = LowInStock, v.Stock
			list = append(list, c)
		}
	}
	return list
}

func few(v *Variant, low int64) bool { return v.Counted && v.Stock > 0 && v.Stock <= low }

func (p *Product) variant(id string) *Variant {
	for i := range p.Variants {
		if p.Variants[i].ID == id {
			return &p.Variants[i]
		}
	}
	return nil
}

// Event returns the change in the shape of an event, for whoever tells it on. It
// is about a product and names no person.
func (c *Change) Event() event.Event {
	var b event.Builder
	b.SetText("product_id", c.Product.ID).SetText("variant_id", c.Variant).SetText("sku", c.SKU)
	switch c.Name {
	case PriceDropped:
		b.SetText("currency", string(c.Currency))
		b.Set("price", event.Value{Kind: event.Number, Raw: c.After.String()})
		b.Set("price_before", event.Value{Kind: event.Number, Raw: c.Before.String()})
	case LowInStock, BackInStock:
		b.Set("stock", event.Int(c.Stock))
	}
	return event.Event{Type: event.System, Name: c.Name, At: c.At, Raw: c.At, Trust: event.Own, Source: c.Product.Source, Props: b.Object()}
}
