package api

import (
	"context"
	"strings"
	"time"

	"rapport/internal/catalogue"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	sold "rapport/internal/core/product"
	"rapport/internal/fault"
	"rapport/internal/store"
)

// ProductLine is a product in a list.
type ProductLine struct {
	ID           string     `json:"id" doc:"Of the product at its source."`
	Source       string     `json:"source"`
	Title        string     `json:"title"`
	Brand        string     `json:"brand,omitempty"`
	Category     string     `json:"category,omitempty"`
	Image        string     `json:"image,omitempty"`
	Variants     int        `json:"variants"`
	Price        string     `json:"price,omitempty" example:"12.50 GBP" doc:"Of what costs least now."`
	Regular      string     `json:"regular_price,omitempty" doc:"Without the sale, if there is one."`
	Availability string     `json:"availability"`
	Stock        *int64     `json:"stock,omitempty" doc:"Pieces of all variants; absent: not counted."`
	Gone         bool       `json:"gone,omitempty" doc:"Not sold any more."`
	Updated      event.Time `json:"updated"`
}

func productLineOf(p *sold.Product, now event.Time) ProductLine {
	v := ProductLine{ID: p.ID, Source: p.Source, Title: p.Title, Brand: p.Brand, Category: p.Category(), Variants: len(p.Variants), Availability: p.State().String(), Gone: p.Gone, Updated: p.Updated}
	if len(p.Images) > 0 {
		v.Image = p.Images[0]
	}
	if low := p.Lowest(now); low != nil {
		v.Price = catalogue.Format(low.At(now), low.Currency)
		if low.Reduced(now) {
			v.Regular = catalogue.Format(low.Price, low.Currency)
		}
	}
	for i := range p.Variants {
		if p.Variants[i].Counted {
			if v.Stock == nil {
				v.Stock = new(int64)
			}
			*v.Stock += p.Variants[i].Stock
		}
	}
	return v
}

// variantView is what can be put into a basket.
type variantView struct {
	ID           string      `json:"id"`
	SKU          string      `json:"sku,omitempty"`
	Title        string      `json:"title,omitempty"`
	GTIN         string      `json:"gtin,omitempty"`
	Price        string      `json:"price"`
	Regular      string      `json:"regular_price,omitempty"`
	SaleFrom     event.Time  `json:"sale_from,omitempty"`
	SaleTo       event.Time  `json:"sale_to,omitempty"`
	Availability string      `json:"availability"`
	Stock        *int64      `json:"stock,omitempty"`
	Places       []placeView `json:"places"`
}

type placeView struct {
	Place string     `json:"place"`
	Stock int64      `json:"stock"`
	At    event.Time `json:"at"`
}

// interestCount is how many customers did something with a product.
type interestCount struct {
	Viewed int  `json:"viewed"`
	Carted int  `json:"carted"`
	Wished int  `json:"wished"`
	Bought int  `json:"bought"`
	People int  `json:"people" doc:"Different ones."`
	Days   int  `json:"days" doc:"Within so many days."`
	More   bool `json:"more,omitempty" doc:"There are more than were counted."`
}

// productFull is everything about one product.
type productFull struct {
	ProductLine
	URL        string         `json:"url,omitempty"`
	Images     []string       `json:"images"`
	Categories []string       `json:"categories"`
	Options    []variantView  `json:"options" doc:"The variants."`
	Interest   *interestCount `json:"interest,omitempty"`
}

// shelfSource is one source of products.
type shelfSource struct {
	Source   string     `json:"source"`
	Products int        `json:"products"`
	Gone     int        `json:"gone"`
	Newest   event.Time `json:"newest" doc:"When it last said something new."`
}

// shelfState is how the catalogue is.
type shelfState struct {
	Products int           `json:"products"`
	Variants int           `json:"variants"`
	SoldOut  int           `json:"sold_out"`
	OnSale   int           `json:"on_sale"`
	Nameless int           `json:"without_title"`
	Priced   int           `json:"with_price"`
	Pictured int           `json:"with_picture"`
	Sources  []shelfSource `json:"sources"`
}

const (
	// mostInterested bounds how many entries are counted of who was interested.
	mostInterested = 20_000
	interestDays   = 90
)

// shelf adds the operations that show the catalogue.
func (a *API) shelf() {
	const tag = "products"
	route(a, get("/products", tag, "List the products", "In order of their sources and ids; with q those whose title, brand, category, id or SKU has it."), func(ctx context.Context, in *struct {
		Paging
		Query string `query:"q" maxLength:"200"`
		State string `query:"availability" enum:"in_stock,out_of_stock,preorder,backorder,on_sale,gone" doc:"Only these. Default: all that are sold."`
	},
	) (*body[page[ProductLine]], error) {
		at, err := in.from("products")
		if err != nil {
			return nil, err
		}
		source, id, _ := strings.Cut(at, "\x00")
		after, now, words := sold.Ref{Source: source, ID: id}, a.o.Now(), strings.Fields(strings.ToLower(in.Query))
		out := page[ProductLine]{Data: []ProductLine{}}
		for p, err := range a.o.Catalogue.All(ctx) {
			if err != nil {
				return nil, err
			}
			if at != "" && p.Compare(after) <= 0 || !onShelf(&p, in.State, now) || !has(&p, words) {
				continue
			}
			if len(out.Data) == in.Limit {
				last := &out.Data[len(out.Data)-1]
				out.Next = cursorOf("products", last.Source+"\x00"+last.ID)
				break
			}
			out.Data = append(out.Data, productLineOf(&p, now))
		}
		return answer(out, nil)
	})
	route(a, get("/products/{id}/full", tag, "Show a product with its variants, prices, stock, and who is interested", "By its id, a variant's id or a SKU; sold or not."), func(ctx context.Context, in *struct {
		ID string `path:"id" maxLength:"200"`
	},
	) (*body[productFull], error) {
		p, err := a.o.Catalogue.Whole(ctx, in.ID)
		if err != nil {
			return nil, err
		}
		if p == nil {
			return nil, fault.New(fault.NotFound, "nothing of that name is in the catalogue")
		}
		now := a.o.Now()
		v := productFull{ProductLine: productLineOf(p, now), URL: p.URL, Images: append([]string{}, p.Images...), Categories: append([]string{}, p.Categories...), Options: []variantView{}}
		for i := range p.Variants {
			v.Options = append(v.Options, variantOf(&p.Variants[i], now))
		}
		v.Interest, err = a.interest(ctx, p)
		return answer(v, err)
	})
	route(a, get("/catalogue", tag, "Say how the catalogue is", "How many products each source has, and when it last told something new."), func(ctx context.Context, _ *struct{}) (*body[shelfState], error) {
		now := a.o.Now()
		out := shelfState{Sources: []shelfSource{}}
		at := map[string]int{}
		for p, err := range a.o.Catalogue.All(ctx) {
			if err != nil {
				return nil, err
			}
			n, known := at[p.Source]
			if !known {
				n = len(out.Sources)
				at[p.Source] = n
				out.Sources = append(out.Sources, shelfSource{Source: p.Source})
			}
			s := &out.Sources[n]
			s.Newest = max(s.Newest, p.Updated)
			if p.Gone {
				s.Gone++
				continue
			}
			s.Products++
			out.Products++
			out.Variants += len(p.Variants)
			count := func(n *int, so bool) {
				if so {
					*n++
				}
			}
			low := p.Lowest(now)
			count(&out.SoldOut, !p.State().Buyable())
			count(&out.OnSale, low != nil && low.Reduced(now))
			count(&out.Nameless, p.Title == "")
			count(&out.Priced, low != nil && low.Price > 0)
			count(&out.Pictured, len(p.Images) > 0)
		}
		return answer(out, nil)
	})
}

func variantOf(v *sold.Variant, now event.Time) variantView {
	o := variantView{ID: v.ID, SKU: v.SKU, Title: v.Title, GTIN: v.GTIN, Price: catalogue.Format(v.At(now), v.Currency), Availability: v.State.String(), Places: []placeView{}}
	if v.Reduced(now) {
		o.Regular = catalogue.Format(v.Price, v.Currency)
	}
	if v.Sale.On {
		o.SaleFrom, o.SaleTo = v.Sale.From, v.Sale.To
	}
	if v.Counted {
		o.Stock = &v.Stock
	}
	for _, l := range v.Levels {
		o.Places = append(o.Places, placeView{l.Place, l.Stock, l.At})
	}
	return o
}

// onShelf reports whether a product is of a state that is asked for.
func onShelf(p *sold.Product, state string, now event.Time) bool {
	switch {
	case p.Gone || state == "gone":
		return p.Gone && state == "gone"
	case state == "":
		return true
	case state == "on_sale":
		low := p.Lowest(now)
		return low != nil && low.Reduced(now)
	}
	return p.State().String() == state
}

// has reports whether a product has all the words, in small letters, somewhere.
func has(p *sold.Product, words []string) bool {
	if len(words) == 0 {
		return true
	}
	text := strings.ToLower(strings.Join(append(append([]string{p.Title, p.Brand}, p.Categories...), p.Keys()...), "\n"))
	for _, w := range words {
		if !strings.Contains(text, w) {
			return false
		}
	}
	return true
}

// interest counts who was interested in a product; nil if nobody notes that.
func (a *API) interest(ctx context.Context, p *sold.Product) (*interestCount, error) {
	if a.o.Interests == nil {
		return nil, nil
	}
	since := event.At(a.o.Now().Time().Add(-interestDays * 24 * time.Hour))
	did := map[store.InterestKind]map[identity.ID]bool{}
	everybody := map[identity.ID]bool{}
	out := &interestCount{Days: interestDays}
	for _, key := range p.Keys() {
		for after := (identity.ID{}); ; {
			list, err := a.o.Interests.Interested(ctx, key, since, after, 500)
			if err != nil {
				return nil, err
			}
			for i := range list {
				x := &list[i]
				if did[x.Kind] == nil {
					did[x.Kind] = map[identity.ID]bool{}
				}
				did[x.Kind][x.Profile], everybody[x.Profile] = true, true
				after = x.Profile
			}
			if len(everybody) > mostInterested {
				out.More = true
			}
			if len(list) == 0 || out.More {
				break
			}
		}
	}
	out.Viewed, out.Carted, out.Wished, out.Bought, out.People = len(did[store.Viewed]), len(did[store.Carted]), len(did[store.Wished]), len(did[store.Bought]), len(everybody)
	return out, nil
}
