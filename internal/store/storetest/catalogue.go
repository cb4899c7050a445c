package storetest

import (
	"context"
	"fmt"
	"testing"

	"rapport/internal/core/event"
	"rapport/internal/core/money"
	"rapport/internal/core/product"
	"rapport/internal/fault"
	"rapport/internal/store"
)

// OpenCatalogue opens an empty catalogue, as [Open] opens a store.
type OpenCatalogue func(t *testing.T) (c store.Catalogue, reopen func() store.Catalogue)

// RunCatalogue runs the suite of the catalogue.
func RunCatalogue(t *testing.T, open OpenCatalogue) {
	tests := []struct {
		name string
		run  func(t *testing.T, open OpenCatalogue)
	}{
		{"a product comes back whole by each of its names", wholeProduct},
		{"what nobody sells is nil", noProduct},
		{"a put replaces a product and its names", putReplaces},
		{"of two products with one name the first by its ref is found", sharedName},
		{"of two puts in a commit the later is true", laterPut},
		{"a commit that ended changed nothing", endedCatalogue},
		{"due products come earliest first within the limit", dueProducts},
		{"changes are numbered in order and come back whole", journal},
		{"all products come in order of their refs", allProducts},
		{"a caller may stop and commit between two products", commitBetweenProducts},
		{"sizes count what is sold", catalogueSizes},
		{"the bytes of an answer are the caller's", productCopied},
		{"a catalogue is there after a reopening", catalogueDurable},
		{"after Close every call is Unavailable", catalogueClosed},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.run(t, open)
		})
	}
}

func openedCatalogue(t *testing.T, open OpenCatalogue) store.Catalogue {
	t.Helper()
	c, _ := open(t)
	t.Cleanup(func() { mustClose(t, c) })
	return c
}

// thing is a product with a variant; its names end with n.
func thing(n int) product.Product {
	return product.Product{
		Ref: product.Ref{Source: "shop", ID: fmt.Sprintf("p%04d", n)}, Title: "Thing", Brand: "Brand", URL: "https://shop.example/", Images: []string{"a.png", "b.png"},
		Categories: []string{"All", "Things"}, Group: "g", Updated: event.Time(n),
		Variants: []product.Variant{{
			ID: fmt.Sprintf("v%d", n), SKU: fmt.Sprintf("SKU-%d", n), Title: "Red", GTIN: "1", Item: fmt.Sprintf("%d", n), Currency: "GBP", Price: money.One + 1,
			Sale: product.Sale{On: true, Price: 1, From: 10, To: 20}, State: product.Backorder, Counted: true, Stock: -3, Image: "c.png", URL: "u",
		}},
	}
}

func putting(products ...product.Product) *store.CatalogueCommit {
	c := &store.CatalogueCommit{}
	for _, p := range products {
		c.Puts = append(c.Puts, store.ProductRow{Product: p, Next: event.Never})
	}
	return c
}

func found(t *testing.T, c store.Catalogue, keys ...string) []*product.Product {
	t.Helper()
	got, err := c.Find(t.Context(), keys)
	return must(t, got, err)
}

func wholeProduct(t *testing.T, open OpenCatalogue) {
	c := openedCatalogue(t, open)
	p, other := thing(1), thing(2)
	done(t, c.Commit(t.Context(), putting(p, other)))
	equal(t, "by names", found(t, c, "SKU-1", "v2", "p0001", product.ItemKey("1")), []*product.Product{&p, &other, &p, &p})
	got, err := c.Load(t.Context(), []product.Ref{other.Ref, p.Ref})
	equal(t, "by refs", must(t, got, err), []*product.Product{&other, &p})
}

func noProduct(t *testing.T, open OpenCatalogue) {
	c := openedCatalogue(t, open)
	p := thing(1)
	done(t, c.Commit(t.Context(), putting(p)))
	equal(t, "by names", found(t, c, "1", "SKU-1", "", "sku-1"), []*product.Product{nil, &p, nil, nil})
	got, err := c.Load(t.Context(), []product.Ref{{Source: "other", ID: "p0001"}, {}})
	equal(t, "by refs", must(t, got, err), []*product.Product{nil, nil})
	equal(t, "nothing asked", found(t, c), []*product.Product{})
}

func putReplaces(t *testing.T, open OpenCatalogue) {
	c := openedCatalogue(t, open)
	done(t, c.Commit(t.Context(), putting(thing(1))))
	p := thing(1)
	p.Title, p.Gone = "Other", true
	p.Variants[0].SKU = "NEW"
	done(t, c.Commit(t.Context(), putting(p)))
	equal(t, "by names", found(t, c, "SKU-1", "NEW", "v1"), []*product.Product{nil, &p, &p})
}

func sharedName(t *testing.T, open OpenCatalogue) {
	c := openedCatalogue(t, open)
	a, b := thing(1), thing(2)
	b.Variants[0].SKU = "SKU-1"
	done(t, c.Commit(t.Context(), putting(b, a)))
	equal(t, "of two", found(t, c, "SKU-1"), []*product.Product{&a})
	a.Variants[0].SKU = "moved"
	done(t, c.Commit(t.Context(), putting(a)))
	equal(t, "of the one that is left", found(t, c, "SKU-1"), []*product.Product{&b})
}

func laterPut(t *testing.T, open OpenCatalogue) {
	c := openedCatalogue(t, open)
	p := thing(1)
	p.Title = "Later"
	p.Variants[0].SKU = "LATER"
	done(t, c.Commit(t.Context(), putting(thing(1), p)))
	equal(t, "by names", found(t, c, "p0001", "SKU-1", "LATER"), []*product.Product{&p, nil, &p})
}

func endedCatalogue(t *testing.T, open OpenCatalogue) {
	c := openedCatalogue(t, open)
	ended(t, c.Commit(cancelled(t), putting(thing(1))))
	equal(t, "afterwards", found(t, c, "p0001"), []*product.Product{nil})
}

func dueProducts(t *testing.T, open OpenCatalogue) {
	c := openedCatalogue(t, open)
	commit := putting(thing(1), thing(2), thing(3), thing(4))
	for i, next := range []event.Time{30, 10, 20, event.Never} {
		commit.Puts[i].Next = next
	}
	done(t, c.Commit(t.Context(), commit))
	due := func(now event.Time, limit int) []product.Product {
		t.Helper()
		got, err := c.Due(t.Context(), now, limit)
		var list []product.Product
		for _, row := range must(t, got, err) {
			equal(t, "its instant", row.Next, map[string]event.Time{"p0001": 30, "p0002": 10, "p0003": 20}[row.Product.ID])
			list = append(list, row.Product)
		}
		return list
	}
	equal(t, "due at 9", due(9, 10), []product.Product{})
	equal(t, "due at 30", due(30, 10), []product.Product{thing(2), thing(3), thing(1)})
	equal(t, "two of them", due(30, 2), []product.Product{thing(2), thing(3)})
	commit.Puts = commit.Puts[1:2]
	commit.Puts[0].Next = event.Never
	done(t, c.Commit(t.Context(), commit))
	equal(t, "after one turned", due(event.Never-1, 10), []product.Product{thing(3), thing(1)})
}

func journal(t *testing.T, open OpenCatalogue) {
	c := openedCatalogue(t, open)
	change := func(n int) product.Change {
		return product.Change{Name: product.PriceDropped, At: event.Time(n), Product: thing(n).Ref, Variant: "v", SKU: "s", Currency: "JPY", Before: 1 << 60, After: -1, Stock: int64(n)}
	}
	done(t, c.Commit(t.Context(), &store.CatalogueCommit{Changes: []product.Change{change(1), change(2)}}))
	done(t, c.Commit(t.Context(), &store.CatalogueCommit{Changes: []product.Change{change(3)}}))
	got, err := c.Changes(t.Context(), 0, 10)
	equal(t, "all", must(t, got, err), []store.Change{{Number: 1, Change: change(1)}, {Number: 2, Change: change(2)}, {Number: 3, Change: change(3)}})
	got, err = c.Changes(t.Context(), 1, 1)
	equal(t, "one after the first", must(t, got, err), []store.Change{{Number: 2, Change: change(2)}})
	got, err = c.Changes(t.Context(), 3, 10)
	equal(t, "after the last", must(t, got, err), []store.Change{})
}

// many is more products than are read at once.
const many = 1203

func allProducts(t *testing.T, open OpenCatalogue) {
	c := openedCatalogue(t, open)
	commit := &store.CatalogueCommit{}
	for n := range many {
		commit.Puts = append(commit.Puts, store.ProductRow{Product: thing((n*7 + 1) % many), Next: event.Never})
	}
	other := thing(0)
	other.Source = "another"
	commit.Puts = append(commit.Puts, store.ProductRow{Product: other, Next: event.Never})
	done(t, c.Commit(t.Context(), commit))
	n := 0
	for p, err := range c.Products(t.Context()) {
		want := thing(n - 1)
		if n == 0 {
			want = other
		}
		equal(t, fmt.Sprintf("product %d", n), must(t, p, err), want)
		n++
	}
	equal(t, "how many", n, many+1)
}

func commitBetweenProducts(t *testing.T, open OpenCatalogue) {
	c := openedCatalogue(t, open)
	done(t, c.Commit(t.Context(), putting(thing(1), thing(2), thing(3))))
	for p, err := range c.Products(t.Context()) {
		must(t, p, err)
		done(t, c.Commit(t.Context(), putting(thing(9))))
		if p.ID == "p0002" {
			break
		}
	}
	equal(t, "what was put meanwhile", found(t, c, "p0009")[0] != nil, true)
}

func catalogueSizes(t *testing.T, open OpenCatalogue) {
	c := openedCatalogue(t, open)
	p, gone := thing(1), thing(2)
	p.Variants = append(p.Variants, product.Variant{ID: "second"})
	gone.Gone = true
	done(t, c.Commit(t.Context(), putting(p, gone)))
	products, variants, err := c.Sizes(t.Context())
	equal(t, "products", must(t, products, err), int64(1))
	equal(t, "variants", variants, int64(2))
}

func productCopied(t *testing.T, open OpenCatalogue) {
	c := openedCatalogue(t, open)
	p := thing(1)
	done(t, c.Commit(t.Context(), putting(p)))
	p.Variants[0].SKU, p.Images[0] = "changed", "changed"
	got := found(t, c, "p0001")[0]
	got.Variants[0].Title = "changed"
	want := thing(1)
	equal(t, "what was put", found(t, c, "p0001"), []*product.Product{&want})
}

func catalogueDurable(t *testing.T, open OpenCatalogue) {
	c, reopen := open(t)
	p := thing(1)
	done(t, c.Commit(t.Context(), &store.CatalogueCommit{Puts: []store.ProductRow{{Product: p, Next: 5}}, Changes: []product.Change{{Name: "x"}}}))
	c = reopen()
	defer func() { mustClose(t, c) }()
	equal(t, "the product", found(t, c, "SKU-1"), []*product.Product{&p})
	due, err := c.Due(t.Context(), 5, 1)
	equal(t, "what is due", must(t, due, err), []store.ProductRow{{Product: p, Next: 5}})
	done(t, c.Commit(t.Context(), &store.CatalogueCommit{Changes: []product.Change{{Name: "y"}}}))
	list, err := c.Changes(t.Context(), 1, 5)
	equal(t, "the next change", must(t, list, err), []store.Change{{Number: 2, Change: product.Change{Name: "y"}}})
}

func catalogueClosed(t *testing.T, open OpenCatalogue) {
	c, _ := open(t)
	mustClose(t, c)
	ctx := t.Context()
	calls := map[string]func(ctx context.Context) error{
		"Find":    func(ctx context.Context) error { _, err := c.Find(ctx, []string{"x"}); return err },
		"Load":    func(ctx context.Context) error { _, err := c.Load(ctx, []product.Ref{{}}); return err },
		"Commit":  func(ctx context.Context) error { return c.Commit(ctx, putting(thing(1))) },
		"Due":     func(ctx context.Context) error { _, err := c.Due(ctx, 1, 1); return err },
		"Changes": func(ctx context.Context) error { _, err := c.Changes(ctx, 0, 1); return err },
		"Sizes":   func(ctx context.Context) error { _, _, err := c.Sizes(ctx); return err },
		"Products": func(ctx context.Context) error {
			for _, err := range c.Products(ctx) {
				return err
			}
			return nil
		},
	}
	for name, call := range calls {
		if err := call(ctx); !fault.Is(err, fault.Unavailable) {
			t.Errorf("%s after Close = %v", name, err)
		}
	}
}
