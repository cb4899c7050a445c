package run

import (
	"context"

	"rapport/internal/core/profile"
	"rapport/internal/program"
	"rapport/internal/store"
)

// fewMessages is how many of a customer's messages are looked through for one of
// a template.
const fewMessages = 200

// Sample returns what a template would be filled with for a customer, whom
// [Node.Lookup] finds: it is about what the last message of that template to them
// was about; without one, about nothing in particular.
func (n *Node) Sample(ctx context.Context, template, customer string) (program.Sample, error) {
	s := program.Sample{Template: template}
	who, err := n.Lookup(ctx, customer)
	if err != nil {
		return s, err
	}
	s.Customer = who
	var last store.Delivery
	for _, id := range append(who.Strands[:len(who.Strands):len(who.Strands)], who.ID) {
		rows, err := n.o.Store.DeliveriesOf(ctx, id, fewMessages)
		if err != nil {
			return s, err
		}
		for i := range rows {
			if rows[i].Template == template && rows[i].Planned > last.Planned {
				last = rows[i]
			}
		}
	}
	s.Delivery = profile.Delivery{
		Channel: last.Channel, Purpose: last.Purpose, Product: last.Product, Category: last.Category, Reason: last.Reason, Props: last.Props,
	}
	return s, nil
}
