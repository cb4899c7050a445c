package main

import (
	"context"
	"iter"
	"path/filepath"
	"strings"

	"rapport/internal/catalogue"
	"rapport/internal/core/event"
	"rapport/internal/core/product"
	"rapport/internal/core/recommend"
	"rapport/internal/store"
	"rapport/internal/suggest"
)

// shelf is the catalogue as lists of recommendations ask it.
type shelf struct {
	keeper *catalogue.Keeper
	store  store.Catalogue
	now    func() event.Time
}

// Good returns what is sold under a name.
func (s shelf) Good(name string) (recommend.Good, bool) {
	p, ok := s.keeper.Item(name)
	if !ok {
		return recommend.Good{}, false
	}
	g := recommend.Good{Name: p.ID, Title: p.Title, Brand: p.Brand, Category: p.Category(), Categories: p.Categories, Available: p.State().Buyable()}
	if v := p.Lowest(s.now()); v != nil {
		g.SKU, g.Price, g.Currency = v.SKU, v.At(s.now()), v.Currency
	}
	g.Counted = len(p.Variants) > 0
	for i := range p.Variants {
		v := &p.Variants[i]
		for _, n := range [...]string{v.SKU, v.ID} {
			if n != "" {
				g.Names = append(g.Names, n)
			}
		}
		g.Counted = g.Counted && v.Counted
		g.Stock += max(v.Stock, 0)
	}
	return g, true
}

// Round grows when the catalogue changes.
func (s shelf) Round() uint64 { return s.keeper.Round() }

// Descriptions goes through what is sold.
func (s shelf) Descriptions(ctx context.Context) iter.Seq2[recommend.Description, error] {
	return func(yield func(recommend.Description, error) bool) {
		for p, err := range s.store.Products(ctx) {
			if err != nil {
				yield(recommend.Description{}, err)
				return
			}
			if !p.Gone && !yield(describe(&p), nil) {
				return
			}
		}
	}
}

func describe(p *product.Product) recommend.Description {
	var more strings.Builder
	for i := range p.Variants {
		if t := p.Variants[i].Title; t != "" {
			more.WriteString(t + " ")
		}
	}
	return recommend.Description{Name: p.ID, Title: p.Title, Brand: p.Brand, Categories: p.Categories, More: more.String()}
}

// room returns what recommends, over the server's store and catalogue.
func (s *server) newRoom() *suggest.Room {
	o := suggest.Options{Store: s.d.store, Lanes: s.d.log.Lanes(), Now: s.clock.Now, Shelf: shelf{s.shops.keeper, s.shops.store, s.clock.Now}, Log: s.logger}
	if !s.clock.Virtual() {
		o.File = filepath.Join(s.d.dir, suggest.File)
	}
	return suggest.New(o)
}
