package predict_test

import (
	"bytes"
	"cmp"
	"context"
	"iter"
	"slices"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
	"rapport/internal/feed"
	"rapport/internal/predict"
	"rapport/internal/store"
)

// whole is a source that holds every row of the feed: what [predict.Tables] must tell
// in little memory.
type whole struct {
	rows []feed.Row
	// owner says which customer an id stands for by now; false: one who was erased.
	owner func(identity.ID) (identity.ID, bool)
	named func(identity.ID) bool
}

func readWhole(ctx context.Context, s store.Store, lanes int, owner func(identity.ID) (identity.ID, bool), named func(identity.ID) bool) (*whole, error) {
	w := &whole{owner: owner, named: named}
	for lane := range lanes {
		for after := uint64(0); ; {
			list, err := s.Feed(ctx, lane, after, 64)
			if err != nil {
				return nil, err
			}
			for i := range list {
				err := feed.Each(list[i].Body, func(r feed.Row) error {
					if now, lives := owner(r.Profile); r.Kind == feed.Event && lives {
						r.Profile = now
						w.rows = append(w.rows, r)
					}
					return nil
				})
				if err != nil {
					return nil, err
				}
				after = list[i].To
			}
			if len(list) < 64 {
				break
			}
		}
	}
	slices.SortStableFunc(w.rows, func(a, b feed.Row) int {
		return cmp.Or(bytes.Compare(a.Profile[:], b.Profile[:]), cmp.Compare(a.At, b.At))
	})
	return w, nil
}

// orders are the rows of orders, each told once.
func (w *whole) orders(before event.Time) (rows []*feed.Row) {
	type key struct {
		who  identity.ID
		id   string
		kind profile.OrderKind
	}
	seen := map[key]bool{}
	for i := range w.rows {
		r := &w.rows[i]
		if r.Order == nil || r.At >= before {
			continue
		}
		k := key{r.Profile, r.Order.ID, kindOf(r.Name)}
		if k.kind == profile.Refunded || !seen[k] { // one order may be refunded in parts
			rows = append(rows, r)
		}
		seen[k] = true
	}
	return rows
}

func kindOf(name string) profile.OrderKind {
	switch name {
	case event.OrderRefunded:
		return profile.Refunded
	case event.OrderCancelled:
		return profile.Cancelled
	}
	return profile.Completed
}

func (w *whole) Orders(_ context.Context, before event.Time) iter.Seq2[predict.Order, error] {
	return func(yield func(predict.Order, error) bool) {
		for _, r := range w.orders(before) {
			o := predict.Order{
				Nobody: !w.named(r.Profile), Profile: r.Profile, ID: r.Order.ID, Kind: kindOf(r.Name), At: r.At, Net: r.Order.Net, Currency: r.Order.Currency, Units: r.Order.Units,
				Channel: r.Where, Device: r.Device,
			}
			if !yield(o, nil) {
				return
			}
		}
	}
}

func (w *whole) Lines(_ context.Context, before event.Time) iter.Seq2[predict.Line, error] {
	return func(yield func(predict.Line, error) bool) {
		for _, r := range w.orders(before) {
			order, err := event.OrderOf(r.Name, r.Props)
			if err != nil {
				yield(predict.Line{}, err)
				return
			}
			for _, l := range order.Lines {
				if r.Name != event.OrderCompleted {
					l.Quantity = min(l.Quantity, -l.Quantity)
				}
				if !yield(predict.Line{r.Profile, order.ID, kindOf(r.Name), r.At, l.SKU, l.Product, l.Name, l.Category, l.Quantity, l.Price}, nil) {
					return
				}
			}
		}
	}
}

func (w *whole) Events(_ context.Context, before event.Time, names ...string) iter.Seq2[predict.Event, error] {
	return func(yield func(predict.Event, error) bool) {
		for i := range w.rows {
			r := &w.rows[i]
			if r.At >= before || len(names) > 0 && !slices.Contains(names, r.Name) {
				continue
			}
			e := predict.Told(r.Profile, &event.Event{At: r.At, Name: r.Name, Origin: r.Origin, Props: r.Props})
			e.Device, e.Channel = r.Device, r.Where
			if !yield(e, nil) {
				return
			}
		}
	}
}
