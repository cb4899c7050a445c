package sqlite

import (
	"context"
	"database/sql/driver"
	"fmt"
	"iter"
	"slices"

	"rapport/internal/core/event"
	"rapport/internal/core/money"
	"rapport/internal/core/product"
	"rapport/internal/fault"
	"rapport/internal/store"
)

// catalogueMigrations is the folder of the catalogue's migrations.
const catalogueMigrations = "sql/catalogue"

const catalogueFile = "catalogue.db"

// Catalogue is what the shop sells in a file. It implements [store.Catalogue].
type Catalogue struct {
	file *file
}

var _ store.Catalogue = (*Catalogue)(nil)

// OpenCatalogue opens the catalogue, as Open opens the state.
func OpenCatalogue(ctx context.Context, o Options) (*Catalogue, error) {
	f, err := openFile(ctx, o, catalogueFile, catalogueMigrations)
	if err != nil {
		return nil, fmt.Errorf("opening the catalogue: %w", err)
	}
	return &Catalogue{file: f}, nil
}

// Close implements [store.Catalogue].
func (c *Catalogue) Close() error { return c.file.close() }

// Find implements [store.Catalogue].
func (c *Catalogue) Find(ctx context.Context, keys []string) ([]*product.Product, error) {
	found := make([]*product.Product, len(keys))
	err := c.file.snapshot(ctx, func(conn *conn) error {
		for i, k := range keys {
			err := conn.query(ctx, 1, func(row []driver.Value) error {
				p, err := productOf(row[0])
				found[i] = &p
				return err
			}, `SELECT p.body FROM (SELECT source, id FROM keys WHERE key = ? ORDER BY source, id LIMIT 1) k
				JOIN products p ON p.source = k.source AND p.id = k.id`, k)
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return found, nil
}

// productOf decodes a body into memory of its own.
func productOf(v driver.Value) (product.Product, error) {
	return product.Decode(string(bytesOf(v)))
}

// Load implements [store.Catalogue].
func (c *Catalogue) Load(ctx context.Context, refs []product.Ref) ([]*product.Product, error) {
	found := make([]*product.Product, len(refs))
	err := c.file.snapshot(ctx, func(conn *conn) error {
		for i, ref := range refs {
			err := conn.query(ctx, 1, func(row []driver.Value) error {
				p, err := productOf(row[0])
				found[i] = &p
				return err
			}, "SELECT body FROM products WHERE source = ? AND id = ?", ref.Source, ref.ID)
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return found, nil
}

// Commit implements [store.Catalogue].
func (c *Catalogue) Commit(ctx context.Context, commit *store.CatalogueCommit) error {
	return c.file.transact(ctx, func(conn *conn) error {
		for i := range commit.Puts {
			if err := putProduct(conn, &commit.Puts[i]); err != nil {
				return err
			}
		}
		for i := range commit.Changes {
			d := &commit.Changes[i]
			err := conn.exec(`INSERT INTO changes (name, at, source, product, variant, sku, currency, before, after, stock) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
				d.Name, int64(d.At), d.Product.Source, d.Product.ID, d.Variant, d.SKU, string(d.Currency), int64(d.Before), int64(d.After), d.Stock)
			if err != nil {
				return err
			}
		}
		if len(commit.Changes) == 0 {
			return nil
		}
		return conn.exec("DELETE FROM changes WHERE number <= (SELECT max(number) FROM changes) - ?", store.JournalKept)
	})
}

func putProduct(conn *conn, row *store.ProductRow) error {
	p := &row.Product
	var old *product.Product
	err := conn.query(context.Background(), 1, func(row []driver.Value) error {
		was, err := productOf(row[0])
		old = &was
		return err
	}, "SELECT body FROM products WHERE source = ? AND id = ?", p.Source, p.ID)
	if err != nil && !fault.Is(err, fault.Corrupt) {
		return err
	}
	variants := len(p.Variants)
	err = conn.exec(`INSERT INTO products (source, id, gone, variants, next, body) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (source, id) DO UPDATE SET gone = excluded.gone, variants = excluded.variants, next = excluded.next, body = excluded.body`,
		p.Source, p.ID, p.Gone, variants, row.Next, p.Append(nil))
	if err != nil {
		return err
	}
	// Keys seldom change: what stays is not touched. A row that cannot be read is
	// replaced, and keys of it that are left over lead to a product that is there.
	keys := p.Keys()
	var had []string
	if old != nil {
		had = old.Keys()
	}
	for _, k := range had {
		if !slices.Contains(keys, k) {
			if err := conn.exec("DELETE FROM keys WHERE key = ? AND source = ? AND id = ?", k, p.Source, p.ID); err != nil {
				return err
			}
		}
	}
	for _, k := range keys {
		if !slices.Contains(had, k) {
			if err := conn.exec("INSERT OR IGNORE INTO keys (key, source, id) VALUES (?, ?, ?)", k, p.Source, p.ID); err != nil {
				return err
			}
		}
	}
	return nil
}

// Due implements [store.Catalogue].
func (c *Catalogue) Due(ctx context.Context, now event.Time, limit int) (due []store.ProductRow, err error) {
	err = c.file.read(ctx, func(conn *conn) error {
		return conn.query(ctx, 2, func(row []driver.Value) error {
			p, err := productOf(row[0])
			due = append(due, store.ProductRow{Product: p, Next: instant(row[1])})
			return err
		}, "SELECT body, next FROM products WHERE next IS NOT NULL AND next <= ? ORDER BY next, source, id LIMIT ?", int64(now), max(limit, 0))
	})
	return due, err
}

// Changes implements [store.Catalogue].
func (c *Catalogue) Changes(ctx context.Context, after int64, limit int) (list []store.Change, err error) {
	err = c.file.read(ctx, func(conn *conn) error {
		return conn.query(ctx, 11, func(row []driver.Value) error {
			d := store.Change{Number: integer(row[0])}
			d.Name, d.At = row[1].(string), event.Time(integer(row[2]))
			d.Product = product.Ref{Source: row[3].(string), ID: row[4].(string)}
			d.Variant, d.SKU, d.Currency = row[5].(string), row[6].(string), money.Currency(row[7].(string))
			d.Before, d.After, d.Stock = money.Micros(integer(row[8])), money.Micros(integer(row[9])), integer(row[10])
			list = append(list, d)
			return nil
		}, `SELECT number, name, at, source, product, variant, sku, currency, before, after, stock FROM changes
			WHERE number > ? ORDER BY number LIMIT ?`, after, max(limit, 0))
	})
	return list, err
}

// pageOfProducts is how many products are read before the caller sees the first:
// no connection is held while the caller works.
const pageOfProducts = 500

// Products implements [store.Catalogue].
func (c *Catalogue) Products(ctx context.Context) iter.Seq2[product.Product, error] {
	return func(yield func(product.Product, error) bool) {
		var last product.Ref
		for {
			var page []product.Product
			err := c.file.read(ctx, func(conn *conn) error {
				return conn.query(ctx, 1, func(row []driver.Value) error {
					p, err := productOf(row[0])
					page = append(page, p)
					return err
				}, "SELECT body FROM products WHERE (source, id) > (?, ?) ORDER BY source, id LIMIT ?", last.Source, last.ID, pageOfProducts)
			})
			if err != nil {
				yield(product.Product{}, err)
				return
			}
			for i := range page {
				if !yield(page[i], nil) {
					return
				}
				last = page[i].Ref
			}
			if len(page) < pageOfProducts {
				return
			}
		}
	}
}

// Sizes implements [store.Catalogue].
func (c *Catalogue) Sizes(ctx context.Context) (products, variants int64, err error) {
	err = c.file.read(ctx, func(conn *conn) error {
		return conn.query(ctx, 2, func(row []driver.Value) error {
			products, variants = integer(row[0]), integer(row[1])
			return nil
		}, "SELECT count(*), coalesce(sum(variants), 0) FROM products WHERE gone = 0")
	})
	return products, variants, err
}
