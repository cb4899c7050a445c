package catalogue

import (
	"context"
	"slices"

	"rapport/internal/core/event"
	"rapport/internal/core/money"
	"rapport/internal/core/product"
	"rapport/internal/fault"
	"rapport/internal/store"
)

// Patch is what changed of one variant: pieces, price, or both.
type Patch struct {
	SKU    string // or the id of the variant
	Source string // whose product; empty: whichever has the SKU

	Counted bool
	Stock   int64
	Place   string // Stock is that of one place; empty: of all together

	Priced   bool
	Price    money.Micros
	Sale     product.Sale   // takes the place of the one that was
	Currency money.Currency // empty: as before

	At event.Time // when it was so
}

// Patch takes patches, in order, as [Keeper.Apply] takes updates. What the catalogue
// does not have is counted as unknown.
func (k *Keeper) Patch(ctx context.Context, patches []Patch) (total Applied, err error) {
	for batch := range slices.Chunk(patches, batchOf) {
		a, err := k.patch(ctx, batch)
		if err != nil {
			return total, err
		}
		total.add(a)
	}
	return total, nil
}

func (k *Keeper) patch(ctx context.Context, batch []Patch) (Applied, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	w := &work{now: k.now(), low: k.few(), before: map[product.Ref]*product.Product{}, after: map[product.Ref]*product.Product{}}
	keys := make([]string, len(batch))
	for i := range batch {
		if keys[i] = batch[i].SKU; keys[i] == "" {
			return Applied{}, fault.New(fault.Invalid, "a change of stock or price needs the SKU that it is about")
		}
	}
	found, err := k.store.Find(ctx, keys)
	if err != nil {
		return Applied{}, err
	}
	for i, p := range found {
		u := &batch[i]
		if p == nil || u.Source != "" && p.Source != u.Source {
			w.applied.Unknown++
			continue
		}
		if after := w.after[p.Ref]; after != nil {
			p = after
		}
		w.patch(p, u)
	}
	if len(w.order) == 0 {
		return w.applied, nil
	}
	commit := &store.CatalogueCommit{Changes: w.changes}
	for _, ref := range w.order {
		p := w.after[ref]
		commit.Puts = append(commit.Puts, store.ProductRow{Product: *p, Next: p.Next(w.now)})
	}
	w.applied.Changes = len(w.changes)
	defer k.seen.forget()
	return w.applied, k.committed(k.store.Commit(ctx, commit), len(w.changes))
}

func (w *work) patch(old *product.Product, u *Patch) {
	next := *old
	next.Variants = slices.Clone(old.Variants)
	v := next.Find(u.SKU)
	if v == nil && len(next.Variants) == 1 {
		v = &next.Variants[0] // the product itself was named, and there is one to name
	}
	if v == nil {
		w.applied.Unknown++
		return
	}
	news := false
	switch {
	case !u.Counted:
	case u.Place != "":
		news = v.Count(product.Level{Place: u.Place, Stock: u.Stock, At: u.At}, next.Updated)
	case u.At >= next.Updated:
		news = !v.Counted || v.Stock != u.Stock
		v.Counted, v.Stock, next.Updated = true, u.Stock, u.At
		v.Restate()
	}
	if u.Priced && u.At >= old.Updated {
		news = news || v.Price != u.Price || v.Sale != u.Sale
		v.Price, v.Sale, next.Updated = u.Price, u.Sale, max(next.Updated, u.At)
		if u.Currency != "" {
			v.Currency = u.Currency
		}
	}
	if !news {
		w.applied.Stale++
		return
	}
	w.becomes(old, &next)
}

// Levels returns how many pieces of a SKU each place has, as far as single places
// are known; of the id of a product, how many of all its variants. Found is false if
// nothing of the name is sold.
func (k *Keeper) Levels(ctx context.Context, sku string) (levels []product.Level, found bool, err error) {
	list, err := k.store.Find(ctx, []string{sku})
	if err != nil || list[0] == nil || list[0].Gone {
		return nil, false, err
	}
	if v := list[0].Find(sku); v != nil {
		return v.Levels, true, nil
	}
	at := map[string]int{}
	for i := range list[0].Variants {
		for _, l := range list[0].Variants[i].Levels {
			n, known := at[l.Place]
			if !known {
				n = len(levels)
				at[l.Place], levels = n, append(levels, product.Level{Place: l.Place})
			}
			levels[n].Stock += max(l.Stock, 0)
			levels[n].At = max(levels[n].At, l.At)
		}
	}
	return levels, true, nil
}
