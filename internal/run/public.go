package run

import (
	"context"

	"rapport/internal/core/identity"
	"rapport/internal/site"
)

// Public is the node as the public pages see it.
type Public struct{ n *Node }

// Public returns what the public pages need of the node.
func (n *Node) Public() Public { return Public{n} }

// Suppress is durable when it returns.
func (p Public) Suppress(ctx context.Context, s site.Suppression) error {
	return p.n.Suppress(ctx, s.Profile, s.Channel, s.Purpose, s.Reason, s.Delivery)
}

// Release takes a suppression back.
func (p Public) Release(ctx context.Context, s site.Suppression) error {
	return p.n.Release(ctx, s.Profile, s.Channel, s.Purpose, p.n.o.Clock.Now())
}

// Hear takes entries to the log.
func (p Public) Hear(ctx context.Context, entries []identity.Addressed) error {
	return p.n.Engine.Append(ctx, p.n.remembered(entries))
}

// Preferences returns what a customer may switch on a channel.
func (p Public) Preferences(ctx context.Context, id identity.ID, channel string) ([]site.Purpose, error) {
	prog, err := p.n.Program(ctx)
	if err != nil || prog == nil {
		return nil, err
	}
	customer, err := p.n.Engine.Profile(ctx, id)
	if err != nil {
		return nil, err
	}
	var list []site.Purpose
	for _, purpose := range prog.Shop.Purposes {
		on := false
		if customer != nil {
			_, stopped, err := p.n.o.Ledger.Suppressed(ctx, customer.ID, channel, purpose.Name)
			if err != nil {
				return nil, err
			}
			on = customer.Allows(channel, purpose.Name, p.n.o.Clock.Now()) && !stopped
		}
		list = append(list, site.Purpose{Name: purpose.Name, Label: purpose.Label, Labels: purpose.Labels, Abouts: purpose.Abouts, About: purpose.About, On: on})
	}
	return list, nil
}
