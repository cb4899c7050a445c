package catalogue_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"rapport/internal/catalogue"
	"rapport/internal/core/event"
	"rapport/internal/core/money"
	"rapport/internal/core/product"
	"rapport/internal/fault"
	"rapport/internal/store"
	"rapport/internal/store/memory"
	"rapport/internal/store/sqlite"
)

// shop is a keeper with a clock of its own.
type shop struct {
	t     testing.TB
	store store.Catalogue
	*catalogue.Keeper
	clock atomic.Int64
}

func newShop(t testing.TB) *shop {
	s := &shop{t: t, store: memory.NewCatalogue()}
	s.clock.Store(1000)
	s.Keeper = catalogue.New(s.store, func() event.Time { return event.Time(s.clock.Load()) })
	return s
}

func lamp(price string, stock int64, updated event.Time) product.Product {
	m, err := money.Parse(price)
	if err != nil {
		panic(err)
	}
	v := product.Variant{ID: "71", SKU: "LAMP", Item: "900", Currency: "GBP", Price: m, Counted: true, Stock: stock}
	v.Restate()
	return product.Product{Ref: product.Ref{Source: "shop", ID: "7"}, Title: "Lamp", Images: []string{"a.png"}, Variants: []product.Variant{v}, Updated: updated}
}

func put(p product.Product) catalogue.Update { return catalogue.Update{Product: p} }

func level(stock int64, at event.Time) catalogue.Update {
	return catalogue.Update{Kind: catalogue.Count, Source: "shop", Item: "900", Level: product.Level{Place: "1", Stock: stock, At: at}}
}

func (s *shop) apply(updates ...catalogue.Update) catalogue.Applied {
	s.t.Helper()
	a, err := s.Apply(s.t.Context(), updates)
	if err != nil {
		s.t.Fatal(err)
	}
	return a
}

func (s *shop) changes() (names []string) {
	s.t.Helper()
	list, err := s.store.Changes(s.t.Context(), 0, 1000)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, c := range list {
		names = append(names, c.Name)
	}
	return names
}

func (s *shop) want(names ...string) {
	s.t.Helper()
	if diff := cmp.Diff(names, s.changes()); diff != "" {
		s.t.Errorf("the journal (-want +got):\n%s", diff)
	}
}

func TestAChangeIsToldOnceHoweverOftenItIsHeard(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	for range 3 {
		s.apply(put(lamp("20", 9, 1)), put(lamp("18", 9, 2)))
	}
	s.want(product.PriceDropped)
	s.apply(put(lamp("18", 0, 3)))
	s.apply(put(lamp("18", 0, 3)))
	s.apply(put(lamp("18", 4, 4)))
	s.want(product.PriceDropped, product.OutOfStock, product.BackInStock)
}

func TestAnOlderPictureChangesNothing(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.apply(put(lamp("18", 9, 5)))
	if a := s.apply(put(lamp("20", 9, 4))); a.Stale != 1 || a.Taken != 0 {
		t.Errorf("%+v", a)
	}
	s.want()
}

// The pictures of a product and its removal leave the same catalogue in whatever
// order they come, however often.
func TestDisorderLeavesTheSameCatalogue(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		updates := []catalogue.Update{
			put(lamp("20", 9, 1)), put(lamp("18", 3, 2)), put(lamp("25", 0, 3)), put(lamp("19", 7, 6)),
			{Kind: catalogue.Remove, Product: product.Product{Ref: product.Ref{Source: "shop", ID: "7"}, Updated: 5}},
		}
		if rapid.Bool().Draw(rt, "removed at last") {
			updates[4].Product.Updated = 7
		}
		want := newShop(t)
		want.apply(updates...)
		got := newShop(t)
		order := rapid.Permutation(append(append([]catalogue.Update{}, updates...), updates...)).Draw(rt, "order")
		for _, u := range order {
			got.apply(u)
		}
		if diff := cmp.Diff(want.final(), got.final()); diff != "" {
			rt.Fatalf("-in order +in disorder:\n%s", diff)
		}
	})
}

// final is the lamp as it is known; of one that is gone only that.
func (s *shop) final() any {
	list, err := s.store.Find(s.t.Context(), []string{"7"})
	if err != nil {
		s.t.Fatal(err)
	}
	if list[0].Gone {
		return list[0].Updated
	}
	return list[0]
}

func TestStockOfOnePlaceChangesTheSumByTheDifference(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.apply(put(lamp("20", 9, 10)))
	s.apply(level(6, 11)) // a place that was silent
	s.apply(level(2, 12))
	s.want(product.LowInStock)
	s.apply(level(2, 12), level(6, 11))
	s.want(product.LowInStock)
	s.apply(level(-3, 13))
	s.want(product.LowInStock, product.OutOfStock)
	if a := s.apply(catalogue.Update{Kind: catalogue.Count, Source: "other", Item: "900", Level: product.Level{Place: "1", At: 99}}); a.Unknown != 1 {
		t.Errorf("stock of another source: %+v", a)
	}
}

func TestASaleBeginsAndEndsByTheClock(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	p := lamp("20", 9, 1)
	p.Variants[0].Sale = product.Sale{On: true, Price: 15 * money.One, From: 2000, To: 3000}
	s.apply(put(p))
	s.want()
	if n, err := s.Turn(t.Context()); n != 0 || err != nil {
		t.Errorf("%d turned before their time, %v", n, err)
	}
	s.clock.Store(2000)
	for range 2 {
		if _, err := s.Turn(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	s.want(product.PriceDropped)
	s.clock.Store(3000)
	if n, err := s.Turn(t.Context()); n != 1 || err != nil {
		t.Errorf("%d turned at the end, %v", n, err)
	}
	s.want(product.PriceDropped)
}

func TestASaleThatIsOverBeforeAnybodyLookedIsNoNews(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	p := lamp("20", 9, 1)
	p.Variants[0].Sale = product.Sale{On: true, Price: 15 * money.One, From: 2000, To: 3000}
	s.apply(put(p))
	s.clock.Store(9000)
	if n, err := s.Turn(t.Context()); n != 1 || err != nil {
		t.Errorf("%d turned, %v", n, err)
	}
	s.want()
}

func TestACardShowsTheProductAsItIsNow(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	p := lamp("20", 9, 1)
	p.Variants[0].Sale = product.Sale{On: true, Price: 15_500_000}
	p.Variants = append(p.Variants, product.Variant{ID: "72", SKU: "LAMP-XL", Title: "XL", Currency: "GBP", Price: money.One, State: product.OutOf, Image: "xl.png"})
	s.apply(put(p))
	cards, err := s.Products(t.Context(), "7", "LAMP-XL", "nothing", "71")
	if err != nil {
		t.Fatal(err)
	}
	if c := cards[0]; c.SKU != "LAMP" || c.PriceText() != "15.50 GBP" || c.RegularText() != "20.00 GBP" || c.Image != "a.png" || !c.Available {
		t.Errorf("the product: %+v", c)
	}
	if c := cards[1]; c.PriceText() != "1.00 GBP" || c.Image != "xl.png" || c.Available || c.Availability != "out_of_stock" || c.Variant != "XL" {
		t.Errorf("the variant: %+v", c)
	}
	if cards[2] != nil || cards[3].SKU != "LAMP" {
		t.Errorf("%+v, %+v", cards[2], cards[3])
	}
}

func TestWhatIsLookedUpIsNeverOlderThanTheLastUpdate(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	look := func() string {
		c, ok := s.Look("LAMP")
		if !ok {
			return "nothing"
		}
		return c.PriceText()
	}
	for _, step := range []struct {
		update catalogue.Update
		want   string
	}{
		{put(lamp("20", 9, 1)), "20.00 GBP"},
		{put(lamp("18", 9, 2)), "18.00 GBP"},
		{catalogue.Update{Kind: catalogue.Remove, Product: product.Product{Ref: product.Ref{Source: "shop", ID: "7"}, Updated: 3}}, "nothing"},
	} {
		s.apply(step.update)
		for range 2 {
			if got := look(); got != step.want {
				t.Errorf("it costs %s, want %s", got, step.want)
			}
		}
	}
	if _, ok := s.Look("SHADE"); ok {
		t.Error("a card of nothing")
	}
}

// slow is a catalogue in which something happens while somebody looks.
type slow struct {
	store.Catalogue
	meanwhile func()
}

func (s *slow) Find(ctx context.Context, keys []string) ([]*product.Product, error) {
	found, err := s.Catalogue.Find(ctx, keys)
	if s.meanwhile != nil {
		s.meanwhile()
	}
	return found, err
}

func TestAnUpdateWhileSomebodyLooksIsNotForgotten(t *testing.T) {
	t.Parallel()
	s := &slow{Catalogue: memory.NewCatalogue()}
	k := catalogue.New(s, func() event.Time { return 1000 })
	apply := func(p product.Product) {
		t.Helper()
		if _, err := k.Apply(t.Context(), []catalogue.Update{put(p)}); err != nil {
			t.Fatal(err)
		}
	}
	apply(lamp("20", 9, 1))
	s.meanwhile = func() {
		s.meanwhile = nil
		apply(lamp("18", 9, 2))
	}
	if c, _ := k.Look("LAMP"); c.PriceText() != "20.00 GBP" {
		t.Errorf("the first look: %s", c.PriceText())
	}
	if c, _ := k.Look("LAMP"); c.PriceText() != "18.00 GBP" {
		t.Errorf("the second look: %s", c.PriceText())
	}
}

func TestMoneyIsWrittenWithThePlacesOfItsCurrency(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		sum      string
		currency money.Currency
		want     string
	}{
		{"12.5", "GBP", "12.50 GBP"}, {"1250", "JPY", "1250 JPY"}, {"1.234", "KWD", "1.234 KWD"}, {"1", "KWD", "1.000 KWD"}, {"0.001", "EUR", "0.001 EUR"}, {"0.5", "JPY", "0.5 JPY"}, {"3", "", "3.00"},
	} {
		m, err := money.Parse(c.sum)
		if got := catalogue.Format(m, c.currency); err != nil || got != c.want {
			t.Errorf("%s %s is %q, want %q", c.sum, c.currency, got, c.want)
		}
	}
}

func TestAProductWithoutANameIsRefused(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	p := lamp("1", 1, 1)
	p.ID = ""
	if _, err := s.Apply(t.Context(), []catalogue.Update{put(p)}); !fault.Is(err, fault.Invalid) {
		t.Errorf("%v", err)
	}
}

// BenchmarkApply is how many updates a second a catalogue in a synced file takes.
func BenchmarkApply(b *testing.B) {
	c, err := sqlite.OpenCatalogue(b.Context(), sqlite.Options{Dir: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	k := catalogue.New(c, func() event.Time { return event.At(time.Now()) })
	n := 0
	for b.Loop() {
		updates := make([]catalogue.Update, 500)
		for i := range updates {
			p := lamp("20", int64(n%9), event.Time(n))
			p.ID, p.Variants[0].SKU, p.Variants[0].ID, p.Variants[0].Item = fmt.Sprint("p", n%20_000), fmt.Sprint("s", n%20_000), fmt.Sprint("v", n%20_000), fmt.Sprint(n%20_000)
			updates[i] = put(p)
			n++
		}
		if _, err := k.Apply(b.Context(), updates); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "updates/s")
}
