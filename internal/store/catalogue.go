package store

import (
	"context"
	"iter"

	"rapport/internal/core/event"
	"rapport/internal/core/product"
)

// Catalogue is what the shop sells, with one writer, apart from the state: a feed
// of a million products must hold back no commit of a lane, and what a product
// costs is no part of what follows from the log
// ([decision 42](../../docs/decisions/0042-the-catalogue-has-its-own-file-and-journal.md)).
type Catalogue interface {
	// Find returns the products that are known by a key of [product.Product.Keys], in
	// the order of the keys and nil where there is none. Of two products with one
	// key it is the one whose ref comes first. Products that are gone are found too.
	Find(ctx context.Context, keys []string) ([]*product.Product, error)

	// Load returns products by their refs, in order, and nil where there is none.
	Load(ctx context.Context, refs []product.Ref) ([]*product.Product, error)

	// Commit makes all of c true, or none of it. Of two puts of one product the
	// later is true. The newest JournalKept changes are kept.
	Commit(ctx context.Context, c *CatalogueCommit) error

	// Due returns at most limit products of which a price changes by itself at or
	// before now, the earliest first.
	Due(ctx context.Context, now event.Time, limit int) ([]ProductRow, error)

	// Changes returns at most limit entries of the journal after a number, in order.
	// Numbers begin at 1, grow by one, and are never used again. If entries after
	// that number are no longer kept, the first that is returned has a greater one.
	Changes(ctx context.Context, after int64, limit int) ([]Change, error)

	// Products goes through all products in order of their refs, those that are gone
	// included. Commits may happen between two of them.
	Products(ctx context.Context) iter.Seq2[product.Product, error]

	// Sizes counts products that are sold, and their variants.
	Sizes(ctx context.Context) (products, variants int64, err error)

	// Close ends this opening. Afterwards every call is Unavailable.
	Close() error
}

// CatalogueCommit is what changes together.
type CatalogueCommit struct {
	Puts    []ProductRow
	Changes []product.Change
}

// ProductRow is a product and when a price of it changes by itself.
type ProductRow struct {
	Product product.Product
	Next    event.Time // [event.Never] if none does
}

// Change is an entry of the journal.
type Change struct {
	Number int64
	product.Change
}

// JournalKept is how many changes are kept: a shop of 100,000 products that
// changes every price once a week has them for ten weeks.
const JournalKept = 1_000_000
