package interest

import (
	"context"
	"strings"

	"rapport/internal/core/event"
	"rapport/internal/feed"
	"rapport/internal/store"
)

// Names of Segment's e-commerce spec about wish lists.
const (
	wished    = "Product Added to Wishlist"
	unwished  = "Product Removed from Wishlist"
	unwished2 = "Wishlist Product Added to Cart"
)

// blocks is how many feed blocks are noted at once, and maxKey the longest name
// that is indexed.
const (
	blocks = 64
	maxKey = 128
)

// keyOf is the most special name by which properties name what is sold: of several the
// first that the catalogue knows, for a feed may know a product by its id where the
// shop's pages name a SKU beside it; else the first.
func (w *Watcher) keyOf(props event.Object) string {
	first, several := "", false
	for _, name := range [...]string{"sku", "variant_id", "product_id"} {
		v := strings.TrimSpace(props.Text(name))
		switch {
		case v == "" || len(v) > maxKey || v == first:
		case first == "":
			first = v
		case !several && w.o.Sold(first):
			return strings.Clone(first)
		default:
			several = true
			if w.o.Sold(v) {
				return strings.Clone(v)
			}
		}
	}
	return strings.Clone(first)
}

// learn adds what a row of the feed says to c.
func (w *Watcher) learn(c *store.InterestCommit, r *feed.Row) {
	if r.Kind != feed.Event {
		return
	}
	note := func(kind store.InterestKind, key string) {
		if key != "" {
			c.Noted = append(c.Noted, store.Interest{Key: key, Profile: r.Profile, Kind: kind, At: r.At, Count: 1})
		}
	}
	drop := func(kind store.InterestKind, key string) {
		if key != "" {
			c.Dropped = append(c.Dropped, store.Interest{Key: key, Profile: r.Profile, Kind: kind, At: r.At})
		}
	}
	switch r.Name {
	case event.ProductViewed:
		note(store.Viewed, w.keyOf(r.Props))
	case event.ProductAdded:
		note(store.Carted, w.keyOf(r.Props))
	case event.ProductRemoved:
		drop(store.Carted, w.keyOf(r.Props))
	case wished:
		note(store.Wished, w.keyOf(r.Props))
	case unwished:
		drop(store.Wished, w.keyOf(r.Props))
	case unwished2:
		note(store.Carted, w.keyOf(r.Props))
	case event.OrderCompleted:
		list, _ := r.Props.Get("products")
		seen := map[string]bool{} // two lines of one SKU are one purchase
		list.Items(func(v event.Value) bool {
			if key := w.keyOf(v.Object()); !seen[key] {
				seen[key] = true
				note(store.Bought, key)
			}
			return len(seen) < event.MaxLines
		})
	}
}

// Learn notes what the feed has told since the last time, and returns how many
// blocks that were.
func (w *Watcher) Learn(ctx context.Context) (read int, err error) {
	for lane := range w.o.Lanes {
		for {
			after, err := w.o.Interests.Position(ctx, lane)
			if err != nil {
				return read, err
			}
			list, err := w.o.Feed(ctx, lane, after, blocks)
			if err != nil {
				return read, err
			}
			if len(list) == 0 {
				break
			}
			c := &store.InterestCommit{Lane: lane}
			for i := range list {
				if err := feed.Each(list[i].Body, func(r feed.Row) error { w.learn(c, &r); return nil }); err != nil {
					return read, err
				}
				c.To = list[i].To
			}
			// A drop holds against what was noted before it in the same stretch, too: the
			// latest word is told apart by its instant.
			if err := w.o.Interests.Note(ctx, c); err != nil {
				return read, err
			}
			read += len(list)
			if len(list) < blocks {
				break
			}
		}
	}
	return read, nil
}
