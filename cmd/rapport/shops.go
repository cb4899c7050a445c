package main

import (
	"context"
	"errors"
	"log/slog"
	"sync"

	"rapport/internal/catalogue"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/recommend"
	"rapport/internal/egress"
	"rapport/internal/program"
	"rapport/internal/run"
	"rapport/internal/sources/connect"
	"rapport/internal/sources/shopify"
	"rapport/internal/sources/woocommerce"
	"rapport/internal/store/sqlite"
	"rapport/internal/suggest"
)

// platforms are the kinds of shop that can be connected.
var platforms = []connect.Platform{shopify.Platform{}, woocommerce.Platform{}}

func platformOf(name string) connect.Platform {
	for _, p := range platforms {
		if p.Name() == name {
			return p
		}
	}
	return nil
}

// shops is what a data directory has of connected shops: the book of sources, and
// the catalogue with its keeper.
type shops struct {
	book   *connect.Book
	store  *sqlite.Catalogue
	keeper *catalogue.Keeper
	likes  *sqlite.Interests // who was interested in what
	stop   context.CancelFunc
	done   chan struct{}
}

// goods is the catalogue as messages ask it.
type goods struct {
	keeper *catalogue.Keeper
	room   *suggest.Room // nil: nobody recommends
}

func (g goods) Product(sku string) (program.Product, bool) {
	c, ok := g.keeper.Look(sku)
	p := program.Product{
		SKU: c.SKU, Name: c.Title, Category: c.Category, URL: c.URL, Image: c.Image, Price: c.Price, Currency: c.Currency, Available: c.Available,
	}
	if c.Regular > c.Price {
		p.Was = c.Regular
	}
	if full, ok := g.keeper.Item(sku); ok {
		p.Names = full.Keys()
	}
	return p, ok
}

// Recommend returns a list for a customer, for the messages that show one.
func (g goods) Recommend(a program.Asked) []string {
	if g.room == nil {
		return nil
	}
	answer, err := g.room.Ask(&suggest.Question{
		Profile: a.Profile, Steps: [][]suggest.Part{{{List: a.List}}}, Item: a.Item, Now: a.Now, Quiet: a.Quiet,
		Serving: recommend.Serving{N: a.N, Rules: recommend.Rules{Owning: a.Owning}},
	})
	if err != nil {
		return nil // there is no list of the name, so it has nothing
	}
	names := make([]string, len(answer.Picks))
	for i := range answer.Picks {
		names[i] = answer.Picks[i].Name
	}
	return names
}

// openShops opens them. The directory is locked by its caller.
func openShops(ctx context.Context, dir string, now func() event.Time, logger *slog.Logger) (*shops, error) {
	c, err := sqlite.OpenCatalogue(ctx, sqlite.Options{Dir: dir, Log: logger})
	if err != nil {
		return nil, err
	}
	likes, err := sqlite.OpenInterests(ctx, sqlite.Options{Dir: dir, Log: logger})
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return &shops{book: connect.OpenBook(dir), store: c, keeper: catalogue.New(c, now), likes: likes}, nil
}

// serve takes webhooks on the mux and turns prices by the clock until close.
func (s *shops) serve(ctx context.Context, mux *routes, n *run.Node, now func() event.Time, logger *slog.Logger) {
	hooks := connect.NewHooks(connect.Options{
		Book: s.book, Platforms: platforms, Keeper: s.keeper, Append: n.Hear, Refused: n.Refused, Quarantine: n.PutAside,
		Get: egress.New(egress.Options{}).Do, Now: now, Log: logger,
	})
	for _, pattern := range hooks.Patterns() {
		mux.Open(pattern, hooks)
	}
	watcher := n.Watcher(s.likes, s.store, func(key string) bool {
		_, sold := s.keeper.Item(key)
		return sold
	})
	s.keeper.Low(n.LowStock)
	s.keeper.OnChange(watcher.Wake)
	ctx, s.stop = context.WithCancel(context.WithoutCancel(ctx))
	s.done = make(chan struct{})
	go func() {
		defer close(s.done)
		var both sync.WaitGroup
		both.Go(func() { s.keeper.Run(ctx, logger) })
		both.Go(func() { watcher.Run(ctx) })
		both.Wait()
	}()
}

// forget takes erased customers out of the index of interests.
func (s *shops) forget(ctx context.Context, gone func(identity.ID) bool) error {
	_, err := s.likes.Prune(ctx, 0, gone)
	return err
}

func (s *shops) close() error {
	if s == nil {
		return nil
	}
	if s.stop != nil {
		s.stop()
		<-s.done
	}
	return errors.Join(s.store.Close(), s.likes.Close())
}

// egressOf returns the client for a shop's API. A shop on this very machine, by
// its number, is one that somebody runs here to try things out.
func egressOf(s *connect.Source) connect.Doer {
	local := len(s.URL) > len(localShop) && s.URL[:len(localShop)] == localShop
	return connect.Patient(egress.New(egress.Options{Loopback: local}).Do, connect.Wait)
}

const localShop = "http://127.0.0.1:"

// shopAPI returns the client of a connected shop.
func shopAPI(s *connect.Source) (connect.API, error) {
	p := platformOf(s.Platform)
	if p == nil {
		return nil, errors.New("the book names a platform that this version does not know: " + s.Platform)
	}
	return p.API(s, egressOf(s))
}
