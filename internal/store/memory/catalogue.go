package memory

import (
	"cmp"
	"context"
	"iter"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"rapport/internal/core/event"
	"rapport/internal/core/product"
	"rapport/internal/fault"
	"rapport/internal/store"
)

// Catalogue is one opening of a catalogue in memory. It implements [store.Catalogue].
type Catalogue struct {
	shelf  *shelf
	closed atomic.Bool
}

// shelf is what survives a Close. Products are kept encoded, so that nothing is
// shared with a caller.
type shelf struct {
	mu      sync.RWMutex
	rows    map[product.Ref]shelved
	keys    map[string][]product.Ref // in order
	journal []store.Change
	last    int64
}

type shelved struct {
	body     string
	next     event.Time
	keys     []string
	variants int64 // of a product that is sold
	gone     bool
}

var _ store.Catalogue = (*Catalogue)(nil)

// NewCatalogue returns an empty catalogue.
func NewCatalogue() *Catalogue {
	return &Catalogue{shelf: &shelf{rows: map[product.Ref]shelved{}, keys: map[string][]product.Ref{}}}
}

// Reopen closes c and returns another opening of the same catalogue.
func (c *Catalogue) Reopen() *Catalogue {
	_ = c.Close() // cannot fail
	return &Catalogue{shelf: c.shelf}
}

// Close implements [store.Catalogue].
func (c *Catalogue) Close() error {
	c.closed.Store(true)
	return nil
}

func (c *Catalogue) usable(ctx context.Context) error {
	if c.closed.Load() {
		return fault.New(fault.Unavailable, "the catalogue is closed")
	}
	return ctx.Err()
}

// Find implements [store.Catalogue].
func (c *Catalogue) Find(ctx context.Context, keys []string) ([]*product.Product, error) {
	if err := c.usable(ctx); err != nil {
		return nil, err
	}
	s := c.shelf
	s.mu.RLock()
	defer s.mu.RUnlock()
	found := make([]*product.Product, len(keys))
	for i, k := range keys {
		if refs := s.keys[k]; len(refs) > 0 {
			p, err := product.Decode(s.rows[refs[0]].body)
			if err != nil {
				return nil, err
			}
			found[i] = &p
		}
	}
	return found, nil
}

// Load implements [store.Catalogue].
func (c *Catalogue) Load(ctx context.Context, refs []product.Ref) ([]*product.Product, error) {
	if err := c.usable(ctx); err != nil {
		return nil, err
	}
	s := c.shelf
	s.mu.RLock()
	defer s.mu.RUnlock()
	found := make([]*product.Product, len(refs))
	for i, ref := range refs {
		if row, ok := s.rows[ref]; ok {
			p, err := product.Decode(row.body)
			if err != nil {
				return nil, err
			}
			found[i] = &p
		}
	}
	return found, nil
}

// Commit implements [store.Catalogue].
func (c *Catalogue) Commit(ctx context.Context, commit *store.CatalogueCommit) error {
	if err := c.usable(ctx); err != nil {
		return err
	}
	s := c.shelf
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range commit.Puts {
		s.put(&commit.Puts[i])
	}
	for _, change := range commit.Changes {
		s.last++
		s.journal = append(s.journal, store.Change{Number: s.last, Change: change})
	}
	if extra := len(s.journal) - store.JournalKept; extra > 0 {
		s.journal = slices.Clone(s.journal[extra:])
	}
	return nil
}

func (s *shelf) put(row *store.ProductRow) {
	p := &row.Product
	for _, k := range s.rows[p.Ref].keys {
		s.keys[k] = slices.DeleteFunc(s.keys[k], func(r product.Ref) bool { return r == p.Ref })
		if len(s.keys[k]) == 0 {
			delete(s.keys, k)
		}
	}
	put := shelved{body: string(p.Append(nil)), next: row.Next, keys: p.Keys(), variants: int64(len(p.Variants)), gone: p.Gone}
	for _, k := range put.keys {
		s.keys[k] = append(s.keys[k], p.Ref)
		slices.SortFunc(s.keys[k], product.Ref.Compare)
	}
	s.rows[p.Ref] = put
}

// Due implements [store.Catalogue].
func (c *Catalogue) Due(ctx context.Context, now event.Time, limit int) ([]store.ProductRow, error) {
	if err := c.usable(ctx); err != nil {
		return nil, err
	}
	s := c.shelf
	s.mu.RLock()
	defer s.mu.RUnlock()
	var refs []product.Ref
	for ref, row := range s.rows {
		if row.next <= now {
			refs = append(refs, ref)
		}
	}
	slices.SortFunc(refs, func(a, b product.Ref) int {
		return cmp.Or(cmp.Compare(s.rows[a].next, s.rows[b].next), a.Compare(b))
	})
	var due []store.ProductRow
	for _, ref := range refs[:min(len(refs), max(limit, 0))] {
		row := s.rows[ref]
		p, err := product.Decode(row.body)
		if err != nil {
			return nil, err
		}
		due = append(due, store.ProductRow{Product: p, Next: row.next})
	}
	return due, nil
}

// Changes implements [store.Catalogue].
func (c *Catalogue) Changes(ctx context.Context, after int64, limit int) ([]store.Change, error) {
	if err := c.usable(ctx); err != nil {
		return nil, err
	}
	s := c.shelf
	s.mu.RLock()
	defer s.mu.RUnlock()
	i, _ := slices.BinarySearchFunc(s.journal, after+1, func(c store.Change, n int64) int { return cmp.Compare(c.Number, n) })
	rest := s.journal[i:]
	return slices.Clone(rest[:min(len(rest), max(limit, 0))]), nil
}

// Products implements [store.Catalogue].
func (c *Catalogue) Products(ctx context.Context) iter.Seq2[product.Product, error] {
	return func(yield func(product.Product, error) bool) {
		if err := c.usable(ctx); err != nil {
			yield(product.Product{}, err)
			return
		}
		s := c.shelf
		s.mu.RLock()
		refs := slices.SortedFunc(maps.Keys(s.rows), product.Ref.Compare)
		s.mu.RUnlock()
		for _, ref := range refs {
			s.mu.RLock()
			row := s.rows[ref]
			s.mu.RUnlock()
			p, err := product.Decode(row.body)
			if !yield(p, err) || err != nil {
				return
			}
		}
	}
}

// Sizes implements [store.Catalogue].
func (c *Catalogue) Sizes(ctx context.Context) (products, variants int64, err error) {
	if err := c.usable(ctx); err != nil {
		return 0, 0, err
	}
	s := c.shelf
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, row := range s.rows {
		if !row.gone {
			products, variants = products+1, variants+row.variants
		}
	}
	return products, variants, nil
}
