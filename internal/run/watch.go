package run

import (
	"context"
	"time"

	"rapport/internal/core/identity"
	"rapport/internal/core/product"
	"rapport/internal/interest"
	"rapport/internal/store"
)

// Watcher returns what tells customers of changes of what they were interested in.
// Sold reports whether something is sold under a name; nil: the catalogue is asked each
// time. The caller runs it.
func (n *Node) Watcher(interests store.Interests, c store.Catalogue, sold func(key string) bool) *interest.Watcher {
	return interest.New(interest.Options{
		Sold: sold, Lanes: n.o.Log.Lanes(), Feed: n.o.Store.Feed, Interests: interests, Catalogue: c, Now: n.o.Clock.Now, Asked: n.asks, Log: n.log,
		Append: func(ctx context.Context, entries []identity.Addressed) error {
			return n.Engine.Append(ctx, n.remembered(entries))
		},
		For: func() time.Duration {
			if p, err := n.Program(context.Background()); err == nil && p != nil {
				return p.Shop.Goods.Interest
			}
			return product.InterestFor
		},
	})
}

// LowStock is how many pieces are few, by the definitions in force.
func (n *Node) LowStock() int64 {
	if p, err := n.Program(context.Background()); err == nil && p != nil {
		return p.Shop.Goods.LowStock
	}
	return product.LowStock
}

// asks reports whether a journey or a condition in force asks about events of the
// name.
func (n *Node) asks(name string) bool {
	p := n.Engine.Program()
	if p == nil {
		return false
	}
	if p.Series.Asks(name) {
		return true
	}
	for _, d := range p.Journeys.Definitions() {
		if d.Hears(name) {
			return true
		}
	}
	return false
}
