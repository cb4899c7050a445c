package api

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"rapport/internal/catalogue"
	"rapport/internal/core/identity"
	"rapport/internal/core/money"
	"rapport/internal/core/profile"
	"rapport/internal/core/recommend"
	"rapport/internal/fault"
	"rapport/internal/keys"
	"rapport/internal/suggest"
)

// recommendCall asks for a list.
type recommendCall struct {
	Body struct {
		Profile     string   `json:"profile,omitempty" maxLength:"300" doc:"The customer: an id, user id, e-mail address, phone number or loyalty id."`
		AnonymousID string   `json:"anonymousId,omitempty" maxLength:"300" doc:"The device, for somebody who is not known yet."`
		Session     []string `json:"session,omitempty" maxItems:"100" doc:"What the visit looked at, the latest last. Default: what was heard of the visitor, the event just answered included."`

		List     string       `json:"list,omitempty" enum:"session,together,new,replenish,popular,popular_segment,popular_store,trending,arrivals,similar,search" doc:"One list, with the fallback that it usually has."`
		Mix      []listPart   `json:"mix,omitempty" maxItems:"5" doc:"Lists to be mixed, in place of one."`
		Fallback [][]listPart `json:"fallback,omitempty" maxItems:"4" doc:"What is asked for, step after step, for what the first leaves open. Default: of one list its own, of a mixture none."`
		Strict   bool         `json:"strict,omitempty" doc:"No fallback: the list may be short or empty."`
		N        int          `json:"n,omitempty" minimum:"1" maximum:"100" default:"10" doc:"How many items at most."`

		Item    string `json:"item,omitempty" maxLength:"256" doc:"The product that is looked at. Default: the last of the visit."`
		Phrase  string `json:"phrase,omitempty" maxLength:"400" doc:"What was searched for; of the list search."`
		Segment string `json:"segment,omitempty" maxLength:"256" doc:"Of the list popular_segment."`
		Store   string `json:"store,omitempty" maxLength:"256" doc:"Of the list popular_store."`

		Filters      recommendFilters   `json:"filters,omitempty"`
		PerCategory  int                `json:"per_category,omitempty" minimum:"0" maximum:"100" doc:"At most so many of one category; 0: any number."`
		Margins      map[string]float64 `json:"margins,omitempty" doc:"The margin by category, as a share of the price: {\"Home/Lamps\": 0.4}."`
		MarginWeight float64            `json:"margin_weight,omitempty" minimum:"0" maximum:"10" doc:"How much the margin counts: at 1, one of 0.4 lets an item count 1.4 times."`
		Quiet        bool               `json:"quiet,omitempty" doc:"Nobody is shown the list: it counts nowhere."`
	}
}

// listPart is one list of a mixture.
type listPart struct {
	List   string  `json:"list" enum:"session,together,new,replenish,popular,popular_segment,popular_store,trending,arrivals,similar,search"`
	Weight float64 `json:"weight,omitempty" minimum:"0" maximum:"1000" doc:"Default 1."`
}

// recommendFilters say what may not be shown.
type recommendFilters struct {
	Exclude       []string `json:"exclude,omitempty" maxItems:"500" doc:"Products or SKUs."`
	Categories    []string `json:"categories,omitempty" maxItems:"100" doc:"Only these, and what is below them."`
	NotCategories []string `json:"not_categories,omitempty" maxItems:"100"`
	MinPrice      string   `json:"min_price,omitempty" example:"10.00"`
	MaxPrice      string   `json:"max_price,omitempty" example:"50.00"`
	Currency      string   `json:"currency,omitempty" minLength:"3" maxLength:"3" doc:"Of the prices. Default: any."`
	SoldOut       bool     `json:"sold_out,omitempty" doc:"What cannot be bought may be shown too."`
	MinStock      int64    `json:"min_stock,omitempty" minimum:"0" doc:"At least so many pieces, where they are counted."`
	ShownMost     int      `json:"shown_most,omitempty" minimum:"0" maximum:"100" doc:"Not what was shown so often within 30 days without being looked at; 0: no bound."`
}

// recommended is a list as it is shown.
type recommended struct {
	Items    []recommendedItem `json:"items"`
	Fallback bool              `json:"fallback" doc:"Whether anything came from a later step."`
	Left     map[string]int    `json:"left_out" doc:"How many candidates were left out, by reason."`
	Session  []string          `json:"session" doc:"The visit that was asked about."`
}

type recommendedItem struct {
	Item     string  `json:"item"`
	SKU      string  `json:"sku,omitempty"`
	Title    string  `json:"title,omitempty"`
	Brand    string  `json:"brand,omitempty"`
	Category string  `json:"category,omitempty"`
	Price    string  `json:"price,omitempty" example:"12.50 GBP"`
	URL      string  `json:"url,omitempty"`
	Image    string  `json:"image,omitempty"`
	Score    float64 `json:"score" doc:"Beside the others of its step."`
	List     string  `json:"list" doc:"The list that said most for it."`
	Step     int     `json:"step" doc:"0: what was asked for; else which fallback."`
}

// recommendFigures are what recommendations brought.
type recommendFigures struct {
	suggest.Figures
	Since   *time.Time `json:"since,omitempty" doc:"When the first list was given."`
	Revenue string     `json:"revenue" doc:"Of all orders since then."`
	Online  string     `json:"revenue_suggested" doc:"Of the lines that had been suggested to the same person within a day before."`
}

// recommendations adds the operations about recommendations.
func (a *API) recommendations() {
	const tag = "recommendations"
	route(a, operation{
		method: http.MethodPost, path: "/recommend", scope: keys.Read, tag: tag, summary: "Suggest products to a customer or a visitor",
		about: "What was answered before is known. Nothing that they just bought is in the list, nor a variant or a substitute of it; nor, unless asked for, what cannot be bought. " +
			"The list may be short: it is never filled up with what happens to be there.",
	}, a.recommend)
	route(a, get("/recommend/figures", tag, "Count what recommendations brought", "Revenue is put down to a suggestion if the same person was shown the product within a day before. It is not what they would not have bought otherwise: that, experiments tell."), func(context.Context, *struct{}) (*body[recommendFigures], error) {
		if a.o.Room == nil {
			return nil, errNoRoom
		}
		f := a.o.Room.Figures()
		out := recommendFigures{Figures: f, Revenue: f.Revenue.String(), Online: f.Online.String()}
		if f.Since != 0 {
			since := f.Since.Time()
			out.Since = &since
		}
		return answer(out, nil)
	})
}

var errNoRoom = fault.New(fault.Unavailable, "this server does not recommend")

func (a *API) recommend(ctx context.Context, in *recommendCall) (*body[recommended], error) {
	b := &in.Body
	if a.o.Room == nil {
		return nil, errNoRoom
	}
	pr, err := a.inForce(ctx)
	if err != nil {
		return nil, err
	}
	if b.Segment != "" && pr.Core.Segments.Cond(b.Segment) == nil {
		return nil, fault.New(fault.Invalid, "there is no segment "+strconv.Quote(b.Segment))
	}
	q := suggest.Question{Clicks: b.Session, Item: b.Item, Phrase: b.Phrase, Segment: b.Segment, Store: b.Store, Strict: b.Strict, Now: a.o.Now(), Quiet: b.Quiet}
	if q.Profile, q.Visitors, err = a.visitor(ctx, b.Profile, b.AnonymousID); err != nil {
		return nil, err
	}
	if q.Steps, err = stepsOf(b.List, b.Mix, b.Fallback); err != nil {
		return nil, err
	}
	if err := saysWhich(&q); err != nil {
		return nil, err
	}
	rules, err := b.Filters.rules()
	if err != nil {
		return nil, err
	}
	rules.Owning = pr.Core.Gate.Policy.Owning()
	q.Serving = recommend.Serving{Rules: rules, N: b.N, PerCategory: b.PerCategory, Margin: suggest.Margins(b.Margins), MarginWeight: b.MarginWeight}
	said, err := a.o.Room.Ask(&q)
	if err != nil {
		return nil, err
	}
	return answer(a.shown(ctx, &said))
}

// visitor returns who a list is for. Somebody of whom nothing was applied yet is
// nobody who is known, and may have been heard all the same.
func (a *API) visitor(ctx context.Context, known, anonymous string) (p *profile.Profile, homes []identity.ID, err error) {
	if known != "" {
		p, err = a.o.Node.Lookup(ctx, known)
		if err != nil && !fault.Is(err, fault.NotFound) {
			return nil, nil, err
		}
		if p == nil && a.o.Home != nil {
			for _, kind := range []identity.Kind{identity.User, identity.Email, identity.Phone, identity.Loyalty} {
				if id, ok := identity.Normal(kind, known); ok {
					homes = append(homes, a.o.Home(id))
				}
			}
		}
	}
	id, ok := identity.Normal(identity.Anonymous, anonymous)
	if anonymous == "" || !ok || a.o.Home == nil {
		return p, homes, nil
	}
	home := a.o.Home(id)
	homes = append(homes, home)
	if p == nil {
		// A home that nobody was born at is nobody.
		if p, err = a.o.Node.Profile(ctx, home); err != nil || p != nil && p.Born == 0 {
			p = nil
		}
	}
	return p, homes, err
}

func stepsOf(list string, mix []listPart, fallback [][]listPart) ([][]suggest.Part, error) {
	first := partsOf(mix)
	switch {
	case list != "" && len(mix) > 0:
		return nil, fault.New(fault.Invalid, "a list and a mixture cannot both be asked for: name the list within the mixture")
	case list != "":
		first = []suggest.Part{{List: list}}
	case len(mix) == 0:
		first = []suggest.Part{{List: suggest.Session}}
	}
	steps := [][]suggest.Part{first}
	for _, step := range fallback {
		steps = append(steps, partsOf(step))
	}
	return steps, nil
}

// saysWhich refuses a list of one thing where nobody says of which: it would be empty, or
// another list in its place, and nobody would know why.
func saysWhich(q *suggest.Question) error {
	for _, step := range q.Steps {
		for _, p := range step {
			for _, needs := range [...]struct{ list, what, said string }{{suggest.Search, "phrase", q.Phrase}, {suggest.Segment, "segment", q.Segment}, {suggest.Place, "store", q.Store}} {
				if p.List == needs.list && strings.TrimSpace(needs.said) == "" {
					return fault.New(fault.Invalid, "the list "+p.List+" is of one "+needs.what+": say which")
				}
			}
		}
	}
	return nil
}

func partsOf(list []listPart) (parts []suggest.Part) {
	for _, p := range list {
		parts = append(parts, suggest.Part{List: p.List, Weight: p.Weight})
	}
	return parts
}

func (f *recommendFilters) rules() (r recommend.Rules, err error) {
	r = recommend.Rules{Exclude: f.Exclude, Categories: f.Categories, NotCategories: f.NotCategories, SoldOut: f.SoldOut, MinStock: f.MinStock, ShownMost: f.ShownMost}
	for _, price := range []struct {
		to   *money.Micros
		text string
		name string
	}{{&r.MinPrice, f.MinPrice, "min_price"}, {&r.MaxPrice, f.MaxPrice, "max_price"}} {
		if price.text == "" {
			continue
		}
		if *price.to, err = money.Parse(price.text); err != nil || *price.to < 0 {
			return r, fault.New(fault.Invalid, "filters."+price.name+": write an amount such as 10.00")
		}
	}
	if r.MaxPrice > 0 && r.MinPrice > r.MaxPrice {
		return r, fault.New(fault.Invalid, "filters.min_price is above filters.max_price: nothing costs that")
	}
	if f.Currency != "" {
		if r.Currency, err = money.ParseCurrency(f.Currency); err != nil {
			return r, fault.New(fault.Invalid, "filters.currency: write three letters such as GBP")
		}
	}
	return r, nil
}

// shown completes a list with what the catalogue shows of each product.
func (a *API) shown(ctx context.Context, said *suggest.Answer) (recommended, error) {
	out := recommended{Items: []recommendedItem{}, Fallback: said.Fallback, Left: map[string]int{}, Session: append([]string{}, said.Clicks...)}
	for why, n := range said.Left {
		out.Left[string(why)] = n
	}
	ids := make([]string, len(said.Picks))
	for i := range said.Picks {
		ids[i] = said.Picks[i].Name
	}
	var cards []*catalogue.Card
	if a.o.Catalogue != nil && len(ids) > 0 {
		var err error
		if cards, err = a.o.Catalogue.Products(ctx, ids...); err != nil {
			return out, err
		}
	}
	for i := range said.Picks {
		p := &said.Picks[i]
		item := recommendedItem{Item: p.Name, SKU: p.SKU, Title: p.Title, Brand: p.Brand, Category: p.Category, Score: p.Score, List: p.List, Step: p.Fallback}
		if p.Price > 0 {
			item.Price = catalogue.Format(p.Price, p.Currency)
		}
		if i < len(cards) && cards[i] != nil {
			item.URL, item.Image = cards[i].URL, cards[i].Image
		}
		out.Items = append(out.Items, item)
	}
	return out, nil
}
