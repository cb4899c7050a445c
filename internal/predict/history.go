package predict

import (
	"bytes"
	"cmp"
	"context"
	"iter"
	"slices"
	"sync"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
	"rapport/internal/feed"
	"rapport/internal/store"
)

// History is a [Source] that reads the feed of a store itself. It holds what it read
// until it is released: models ask for the same again and again while they run, and
// nobody does between two runs.
type History struct {
	store store.Store
	lanes int
	owner func(ctx context.Context, id identity.ID) (identity.ID, bool, error)

	// Named says whether a customer is known by more than a device. Default: all are.
	Named func(ctx context.Context, id identity.ID) (bool, error)

	mu    sync.Mutex
	after []uint64
	rows  []feed.Row // events alone
}

// NewHistory returns a history that has read nothing. Owner says which customer a
// profile id stands for by now; false: one who was erased.
func NewHistory(s store.Store, lanes int, owner func(ctx context.Context, id identity.ID) (identity.ID, bool, error)) *History {
	return &History{store: s, lanes: lanes, owner: owner, after: make([]uint64, lanes)}
}

// Release lets go of what was read. Whoever asks next reads the feed anew.
func (h *History) Release() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.rows = nil
	clear(h.after)
}

// feedBlocks is how many feed blocks are read at once.
const feedBlocks = 64

// load reads what the feed has to tell since the last time, and returns all of it
// before an instant, ordered as [Source] says.
func (h *History) load(ctx context.Context, before event.Time) ([]feed.Row, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for lane := range h.lanes {
		for {
			list, err := h.store.Feed(ctx, lane, h.after[lane], feedBlocks)
			if err != nil {
				return nil, err
			}
			for i := range list {
				// A block counts whole or not at all.
				var rows []feed.Row
				err := feed.Each(list[i].Body, func(r feed.Row) error {
					if r.Kind == feed.Event {
						rows = append(rows, r)
					}
					return nil
				})
				if err != nil {
					return nil, err
				}
				h.rows, h.after[lane] = append(h.rows, rows...), list[i].To
			}
			if len(list) < feedBlocks {
				break
			}
		}
	}
	owners := map[identity.ID]identity.ID{}
	rows := make([]feed.Row, 0, len(h.rows))
	for _, r := range h.rows {
		if r.At >= before {
			continue
		}
		now, known := owners[r.Profile]
		if !known {
			id, lives, err := h.owner(ctx, r.Profile)
			if err != nil {
				return nil, err
			}
			if lives {
				now = id
			}
			owners[r.Profile] = now
		}
		if !now.Zero() {
			r.Profile = now
			rows = append(rows, r)
		}
	}
	slices.SortStableFunc(rows, func(a, b feed.Row) int {
		return cmp.Or(bytes.Compare(a.Profile[:], b.Profile[:]), cmp.Compare(a.At, b.At))
	})
	return rows, nil
}

// Orders yields orders, each once, however often its source told it.
func (h *History) Orders(ctx context.Context, before event.Time) iter.Seq2[Order, error] {
	return func(yield func(Order, error) bool) {
		rows, err := h.orders(ctx, before)
		if err != nil {
			yield(Order{}, err)
			return
		}
		var who identity.ID
		named := true
		for i := range rows {
			r := &rows[i]
			if h.Named != nil && r.Profile != who {
				if named, err = h.Named(ctx, r.Profile); err != nil {
					yield(Order{}, err)
					return
				}
				who = r.Profile
			}
			o := Order{
				Nobody:  !named,
				Profile: r.Profile, ID: r.Order.ID, Kind: kindOf(r.Name), At: r.At, Net: r.Order.Net, Currency: r.Order.Currency, Units: r.Order.Units,
				Channel: r.Props.Text("channel"), Device: r.Device,
			}
			if !yield(o, nil) {
				return
			}
		}
	}
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

func (h *History) orders(ctx context.Context, before event.Time) ([]feed.Row, error) {
	rows, err := h.load(ctx, before)
	if err != nil {
		return nil, err
	}
	type key struct {
		who  identity.ID
		id   string
		kind profile.OrderKind
	}
	seen := map[key]bool{}
	return slices.DeleteFunc(rows, func(r feed.Row) bool {
		if r.Order == nil {
			return true
		}
		k := key{r.Profile, r.Order.ID, kindOf(r.Name)}
		again := k.kind != profile.Refunded && seen[k] // one order may be refunded in parts
		seen[k] = true
		return again
	}), nil
}

// Lines yields the lines of those orders.
func (h *History) Lines(ctx context.Context, before event.Time) iter.Seq2[Line, error] {
	return func(yield func(Line, error) bool) {
		rows, err := h.orders(ctx, before)
		if err != nil {
			yield(Line{}, err)
			return
		}
		for i := range rows {
			r := &rows[i]
			order, err := event.OrderOf(r.Name, r.Props)
			if err != nil {
				continue // unreachable: the edge checked it
			}
			for _, l := range order.Lines {
				if !yield(Line{r.Profile, order.ID, kindOf(r.Name), r.At, l.SKU, l.Product, l.Name, l.Category, l.Quantity, l.Price}, nil) {
					return
				}
			}
		}
	}
}

// Events yields events of the names.
func (h *History) Events(ctx context.Context, before event.Time, names ...string) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		rows, err := h.load(ctx, before)
		if err != nil {
			yield(Event{}, err)
			return
		}
		for i := range rows {
			r := &rows[i]
			if len(names) > 0 && !slices.Contains(names, r.Name) {
				continue
			}
			if !yield(Event{Profile: r.Profile, At: r.At, Name: r.Name, Origin: r.Origin, Channel: r.Props.Text("channel"), Device: r.Device, Session: int64(r.Session), Props: r.Props}, nil) {
				return
			}
		}
	}
}
