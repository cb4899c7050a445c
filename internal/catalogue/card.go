package catalogue

import (
	"context"
	"iter"
	"strings"

	"rapport/internal/core/event"
	"rapport/internal/core/money"
	"rapport/internal/core/product"
)

// Card is what a message or a page shows of a product.
type Card struct {
	ID           string // the key by which it was asked for
	SKU          string
	Title        string
	Variant      string // what tells the variant from its siblings; empty: the product as a whole
	Brand        string
	Category     string
	URL          string
	Image        string
	Currency     money.Currency
	Price        money.Micros // at the instant
	Regular      money.Micros // without the sale; the same as Price if there is none
	Availability string       // in_stock, out_of_stock, preorder, backorder
	Available    bool         // whether a shopper can have it, now or later
}

// PriceText is the price with as many places as its currency has, and its code:
// "12.50 GBP", "1250 JPY", "1.234 KWD".
func (c *Card) PriceText() string { return Format(c.Price, c.Currency) }

// RegularText is the price without the sale.
func (c *Card) RegularText() string { return Format(c.Regular, c.Currency) }

// Products returns a card for each of the ids, which may be ids of products or
// variants or SKUs, in their order and nil where nothing of the name is sold.
// Where an id names a product, its card is that of the variant that costs least
// of those that can be bought.
func (k *Keeper) Products(ctx context.Context, ids ...string) ([]*Card, error) {
	found, err := k.store.Find(ctx, ids)
	if err != nil {
		return nil, err
	}
	now := k.now()
	cards := make([]*Card, len(ids))
	for i, p := range found {
		if p != nil && !p.Gone {
			cards[i] = card(p, ids[i], now)
		}
	}
	return cards, nil
}

func card(p *product.Product, id string, now event.Time) *Card {
	c := &Card{ID: id, Title: p.Title, Brand: p.Brand, Category: p.Category(), URL: p.URL, Availability: p.State().String(), Available: p.State().Buyable()}
	if len(p.Images) > 0 {
		c.Image = p.Images[0]
	}
	v := p.Find(id)
	if v != nil && id != p.ID {
		c.Variant = v.Title
		c.Availability, c.Available = v.State.String(), v.State.Buyable()
		if v.Image != "" {
			c.Image = v.Image
		}
		if v.URL != "" {
			c.URL = v.URL
		}
	} else if v = p.Lowest(now); v == nil {
		return c
	}
	c.SKU, c.Currency, c.Price, c.Regular = v.SKU, v.Currency, v.At(now), v.Price
	if !v.Reduced(now) {
		c.Regular = c.Price
	}
	return c
}

// places are how many decimal places a currency has where it is not two
// (ISO 4217).
var places = map[money.Currency]int{
	"BIF": 0, "CLP": 0, "DJF": 0, "GNF": 0, "ISK": 0, "JPY": 0, "KMF": 0, "KRW": 0, "PYG": 0, "RWF": 0, "UGX": 0, "UYI": 0, "VND": 0, "VUV": 0, "XAF": 0, "XOF": 0, "XPF": 0,
	"BHD": 3, "IQD": 3, "JOD": 3, "KWD": 3, "LYD": 3, "OMR": 3, "TND": 3, "CLF": 4, "UYW": 4,
}

// Format writes a sum with the places of its currency. A sum that is finer than
// those is written in full: it is never rounded.
func Format(m money.Micros, currency money.Currency) string {
	n, ok := places[currency]
	if !ok {
		n = 2
	}
	whole, fraction, _ := strings.Cut(m.String(), ".")
	fraction = strings.TrimRight(fraction, "0")
	for len(fraction) < n {
		fraction += "0"
	}
	text := whole
	if fraction != "" {
		text += "." + fraction
	}
	if currency != "" {
		text += " " + string(currency)
	}
	return text
}

// Categories returns the most special category of each key that is known and has
// one. Of what is not sold any more too: it was sold once.
func (k *Keeper) Categories(ctx context.Context, keys []string) (map[string]string, error) {
	found, err := k.store.Find(ctx, keys)
	if err != nil {
		return nil, err
	}
	categories := map[string]string{}
	for i, p := range found {
		if p != nil && p.Category() != "" {
			categories[keys[i]] = p.Category()
		}
	}
	return categories, nil
}

// Whole returns the product that is known by a key, sold or not; nil if there is none.
func (k *Keeper) Whole(ctx context.Context, id string) (*product.Product, error) {
	found, err := k.store.Find(ctx, []string{id})
	if err != nil {
		return nil, err
	}
	return found[0], nil
}

// All goes through all products in order of their refs, those that are not sold any
// more included.
func (k *Keeper) All(ctx context.Context) iter.Seq2[product.Product, error] {
	return k.store.Products(ctx)
}
