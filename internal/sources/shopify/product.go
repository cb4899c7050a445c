package shopify

import (
	"encoding/json"
	"strings"

	"rapport/internal/catalogue"
	"rapport/internal/core/money"
	"rapport/internal/core/product"
	"rapport/internal/fault"
	"rapport/internal/sources/connect"
)

type goods struct {
	ID       text            `json:"id"`
	Title    text            `json:"title"`
	Vendor   text            `json:"vendor"`
	Type     text            `json:"product_type"`
	Handle   text            `json:"handle"`
	Status   text            `json:"status"`
	Publish  json.RawMessage `json:"published_at"` // null is said, and means something
	Updated  text            `json:"updated_at"`
	Variants []variant       `json:"variants"`
	Images   []picture       `json:"images"`
	Image    *picture        `json:"image"`
}

type picture struct {
	ID  text `json:"id"`
	Src text `json:"src"`
}

type variant struct {
	ID       text `json:"id"`
	SKU      text `json:"sku"`
	Title    text `json:"title"`
	Barcode  text `json:"barcode"`
	Item     text `json:"inventory_item_id"`
	Price    text `json:"price"`
	Compare  text `json:"compare_at_price"`
	Managed  text `json:"inventory_management"`
	Policy   text `json:"inventory_policy"`
	Quantity text `json:"inventory_quantity"`
	Image    text `json:"image_id"`
}

func readProduct(t *connect.Teller, what string, body []byte) (h connect.Heard, err error) {
	var g goods
	if err := connect.Decode(body, &g); err != nil {
		return h, err
	}
	if g.ID == "" {
		return h, fault.New(fault.Invalid, "id: a product needs one")
	}
	if what != "delete" && g.Variants == nil {
		return h, fault.New(fault.Invalid, "variants: the document is only a part of a product")
	}
	u, err := g.told(t, what == "delete")
	if err != nil {
		return h, err
	}
	h.Products = []catalogue.Update{u}
	return h, nil
}

func (g *goods) told(t *connect.Teller, deleted bool) (u catalogue.Update, err error) {
	p := product.Product{Ref: product.Ref{Source: t.Source.Name, ID: g.ID.String()}, Title: g.Title.String(), Brand: g.Vendor.String()}
	if deleted {
		p.Updated = t.Heard
		return catalogue.Update{Kind: catalogue.Remove, Product: p}, nil
	}
	if p.Updated, err = g.Updated.Time("updated_at"); err != nil {
		return u, err
	}
	if p.Updated == 0 || p.Updated > t.Heard {
		p.Updated = t.Heard
	}
	if g.Type != "" {
		p.Categories = []string{g.Type.String()}
	}
	if g.Handle != "" {
		p.URL = strings.TrimSuffix(t.Source.URL, "/") + "/products/" + g.Handle.String()
	}
	images := map[text]string{}
	for _, i := range g.Images {
		images[i.ID] = i.Src.String()
		p.Images = append(p.Images, i.Src.String())
	}
	if len(p.Images) == 0 && g.Image != nil {
		p.Images = []string{g.Image.Src.String()}
	}
	// A draft, an archived product and one that no sales channel shows is not sold.
	p.Gone = g.Status == "draft" || g.Status == "archived" || string(g.Publish) == "null"
	var s connect.Sums
	for i := range g.Variants {
		v := &g.Variants[i]
		to := product.Variant{
			ID: v.ID.String(), SKU: v.SKU.String(), GTIN: v.Barcode.String(), Item: v.Item.String(), Currency: t.Source.Currency,
			Price: s.Of(v.Price, "variants.price"), Image: images[v.Image], Oversell: v.Policy == "continue",
		}
		if v.Title != "Default Title" { // Shopify's word for a product without variants
			to.Title = v.Title.String()
		}
		// A price to compare with makes the price a sale, for as long as it stands.
		if compare := s.Of(v.Compare, "variants.compare_at_price"); compare > to.Price {
			to.Sale = product.Sale{On: true, Price: to.Price}
			to.Price = compare
		}
		if v.Managed != "" && v.Quantity != "" {
			n, err := money.Parse(v.Quantity.String())
			if err != nil || n%money.One != 0 {
				return u, fault.New(fault.Invalid, "variants.inventory_quantity: a whole number is expected")
			}
			to.Counted, to.Stock = true, int64(n/money.One)
			to.Restate()
		}
		p.Variants = append(p.Variants, to)
	}
	return catalogue.Update{Product: p}, s.Err()
}
