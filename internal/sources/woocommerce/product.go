package woocommerce

import (
	"html"

	"rapport/internal/catalogue"
	"rapport/internal/core/event"
	"rapport/internal/core/money"
	"rapport/internal/core/product"
	"rapport/internal/fault"
	"rapport/internal/sources/connect"
)

type goods struct {
	ID         text `json:"id"`
	Parent     text `json:"parent_id"`
	Name       text `json:"name"`
	Link       text `json:"permalink"`
	Type       text `json:"type"`
	Status     text `json:"status"`
	Modified   text `json:"date_modified_gmt"`
	Categories []struct {
		Name text `json:"name"`
	} `json:"categories"`
	Brands []struct {
		Name text `json:"name"`
	} `json:"brands"`
	Images []lineImage `json:"images"`
	offer
	Variations []text `json:"variations"`
}

// offer is what products and variations have in common.
type offer struct {
	SKU      text `json:"sku"`
	GTIN     text `json:"global_unique_id"`
	Price    text `json:"price"`
	Regular  text `json:"regular_price"`
	Sale     text `json:"sale_price"`
	From     text `json:"date_on_sale_from_gmt"`
	To       text `json:"date_on_sale_to_gmt"`
	Managed  text `json:"manage_stock"` // true, false or "parent"
	Quantity text `json:"stock_quantity"`
	Stock    text `json:"stock_status"`
	Backs    text `json:"backorders"`
}

// variation is one of a product's.
type variation struct {
	ID         text       `json:"id"`
	Link       text       `json:"permalink"`
	Status     text       `json:"status"`
	Image      *lineImage `json:"image"`
	Attributes []struct {
		Option text `json:"option"`
	} `json:"attributes"`
	offer
}

// told puts a product into our words. Without its variations, a product that has
// some is told with the lowest of their prices, which is what WooCommerce says of it.
func (g *goods) told(t *connect.Teller, variations []variation) (u catalogue.Update, err error) {
	if g.ID == "" {
		return u, fault.New(fault.Invalid, "id: a product needs one")
	}
	p := product.Product{Ref: product.Ref{Source: t.Source.Name, ID: g.ID.String()}, Title: html.UnescapeString(g.Name.String()), URL: g.Link.String()}
	if p.Updated, err = g.Modified.Time("date_modified_gmt"); err != nil {
		return u, err
	}
	if p.Updated == 0 || p.Updated > t.Heard {
		p.Updated = t.Heard
	}
	for _, c := range g.Categories {
		p.Categories = append(p.Categories, html.UnescapeString(c.Name.String()))
	}
	if len(g.Brands) > 0 {
		p.Brand = html.UnescapeString(g.Brands[0].Name.String())
	}
	for _, i := range g.Images {
		p.Images = append(p.Images, i.Src.String())
	}
	p.Gone = g.Status != "publish" && g.Status != ""
	var s connect.Sums
	if len(variations) == 0 {
		v, err := g.offer.told(t, &s)
		if err != nil {
			return u, err
		}
		v.ID = g.ID.String()
		p.Variants = []product.Variant{v}
	}
	for i := range variations {
		of := &variations[i]
		if of.Status != "publish" && of.Status != "" {
			continue
		}
		v, err := of.offer.told(t, &s)
		if err != nil {
			return u, err
		}
		v.ID, v.URL = of.ID.String(), of.Link.String()
		if of.Image != nil {
			v.Image = of.Image.Src.String()
		}
		for _, a := range of.Attributes {
			if v.Title != "" {
				v.Title += " / "
			}
			v.Title += html.UnescapeString(a.Option.String())
		}
		p.Variants = append(p.Variants, v)
	}
	return catalogue.Update{Product: p}, s.Err()
}

func (o *offer) told(t *connect.Teller, s *connect.Sums) (v product.Variant, err error) {
	v = product.Variant{SKU: o.SKU.String(), GTIN: o.GTIN.String(), Currency: t.Source.Currency, Oversell: o.Backs == "yes" || o.Backs == "notify"}
	regular := o.Regular
	if regular == "" {
		regular = o.Price
	}
	v.Price = s.Of(regular, "regular_price")
	if o.Sale != "" {
		v.Sale = product.Sale{On: true, Price: s.Of(o.Sale, "sale_price")}
		if v.Sale.From, err = o.From.Time("date_on_sale_from_gmt"); err != nil {
			return v, err
		}
		if v.Sale.To, err = o.To.Time("date_on_sale_to_gmt"); err != nil {
			return v, err
		}
		if v.Sale.To != 0 {
			v.Sale.To += oneSecond // the last second is part of the sale
		}
	}
	if state, ok := product.StateOf(o.Stock.String()); ok {
		v.State = state
	}
	if o.Managed == "true" && o.Quantity != "" {
		n, err := money.Parse(o.Quantity.String())
		if err != nil {
			return v, fault.New(fault.Invalid, "stock_quantity: a number is expected")
		}
		v.Counted, v.Stock = true, int64(n/money.One)
		if o.Stock == "" {
			v.Restate()
		}
	}
	return v, nil
}

const oneSecond event.Time = 1000
