package bench

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"time"

	"rapport/internal/catalogue"
	"rapport/internal/clock"
	"rapport/internal/core/event"
	"rapport/internal/core/money"
	"rapport/internal/core/product"
	"rapport/internal/program"
	"rapport/internal/run"
)

// catalogueBench lets prices fall and counts who hears of it.
func catalogueBench(ctx context.Context, b *bench) (err error) {
	r := &b.result
	r.Target = "≥ 1,000 updates/s, with alerts to the interested only"
	r.Inside = "taking a new price of each product, the journal, finding the interested, their events durable in the log and applied"
	r.LimitIs = "the same updates without anybody being told"
	products := b.size(50, 20_000, 100_000)
	const each = 3 // people who looked at a product
	r.Params["products"], r.Params["interested_each"] = products, each
	log, err := b.Log(ctx, filepath.Join(b.dir, "log"), wall)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	state, err := b.Store(ctx, b.dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, state.Close()) }()
	ledger, err := b.Ledger(ctx, b.dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, ledger.Close()) }()
	goods, err := b.Catalogue(ctx, b.dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, goods.Close()) }()
	interests, err := b.Interests(ctx, b.dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, interests.Close()) }()
	n, err := run.Open(ctx, run.Options{Log: log, Store: state, Ledger: ledger, Workspace: workspace, Key: secret, Clock: clock.Wall(), Logger: b.Logger, NoSending: true})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, n.Close(context.WithoutCancel(ctx))) }()
	if err := n.Start(ctx); err != nil {
		return err
	}
	src, err := hearsOfPrices()
	if err == nil {
		_, err = n.Apply(ctx, src)
	}
	if err != nil {
		return err
	}
	if err := n.WaitReady(ctx); err != nil {
		return err
	}
	keeper := catalogue.New(goods, wall)
	if err := b.priced(ctx, keeper, products, 100); err != nil {
		return err
	}
	b.say("the same updates, and nobody is told")
	began := time.Now()
	if err := b.priced(ctx, keeper, products, 99); err != nil {
		return err
	}
	limit := float64(products) / time.Since(began).Seconds()

	b.say("%d customers look at %d products each", products, each)
	if err := b.looks(ctx, n, products, each); err != nil {
		return err
	}
	watcher := n.Watcher(interests, goods, nil)
	began = time.Now()
	if _, err := watcher.Learn(ctx); err != nil {
		return err
	}
	r.Figures["interests_per_s"] = float64(products*each) / time.Since(began).Seconds()
	if err := interests.SetTold(ctx, int64(products)); err != nil { // what fell before anybody looked is behind us
		return err
	}
	b.say("every price falls")
	told := 0
	began = time.Now()
	err = b.profiled("", func() error {
		if err := b.priced(ctx, keeper, products, 80); err != nil {
			return err
		}
		n, err := watcher.Tell(ctx)
		told = n
		return err
	})
	if err != nil {
		return err
	}
	if err := n.Engine.CaughtUp(ctx); err != nil {
		return err
	}
	took := time.Since(began).Seconds()
	if told != products*each {
		return fmt.Errorf("%d were told of their products, and %d are interested", told, products*each)
	}
	r.more(float64(products)/took, limit, "updates/s")
	r.Figures["alerts_per_s"] = float64(told) / took
	return nil
}

// priced puts all products into the catalogue at a price.
func (b *bench) priced(ctx context.Context, k *catalogue.Keeper, products int, price money.Micros) error {
	updates := make([]catalogue.Update, products)
	now := wall()
	for i := range updates {
		id := strconv.Itoa(i)
		updates[i].Product = product.Product{Ref: product.Ref{Source: "bench", ID: "P-" + id}, Title: "Product " + id, Updated: now, Categories: []string{"Home"}, Variants: []product.Variant{{
			ID: "V-" + id, SKU: "SKU-" + id, Currency: "GBP", Price: price * money.One, Counted: true, Stock: 50,
		}}}
	}
	_, err := k.Apply(ctx, updates)
	return err
}

// looks lets as many customers as there are products look at some each, so that
// each product has as many who are interested.
func (b *bench) looks(ctx context.Context, n *run.Node, products, each int) error {
	var batch []event.Event
	for i := range products {
		for k := range each {
			var props event.Builder
			props.SetText("sku", "SKU-"+strconv.Itoa((i+k)%products))
			now := wall()
			batch = append(batch, event.Event{
				ID: event.ID(fmt.Sprintf("look-%d-%d", i, k)), Type: event.Track, Name: event.ProductViewed, User: userOf(i), At: now, Raw: now, Trust: event.Server, Source: "bench", Props: props.Object(),
			})
		}
		if len(batch) >= 3000 || i == products-1 {
			if err := n.Hear(ctx, batch); err != nil {
				return err
			}
			batch = batch[:0:0]
		}
	}
	return n.Engine.CaughtUp(ctx) // the feed is what was committed
}

// hearsOfPrices is a shop in which something asks about prices.
func hearsOfPrices() (*program.Source, error) {
	return program.New(append(files(usualPolicy), program.File{Path: "segments/told.yaml", Body: "segment: told\nwhen: {did: Product Price Dropped, within: 7d}\n"}))
}
