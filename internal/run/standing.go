package run

import (
	"context"

	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
)

// maxLooked bounds the customers that are looked at for one page of people: who asks
// for a step where few are must not wait for all customers to be read.
const maxLooked = 20_000

// Standing counts where customers are in a journey now, by step. It reads every
// customer.
func (n *Node) Standing(ctx context.Context, journey string) (map[string]int64, error) {
	at := map[string]int64{}
	for p, err := range n.Customers(ctx, identity.ID{}) {
		if err != nil {
			return at, err
		}
		for i := range p.Journeys {
			if p.Journeys[i].Journey == journey {
				at[p.Journeys[i].Step]++
			}
		}
	}
	return at, nil
}

// StandingAt returns customers who are at a step of a journey now, in order of their
// ids from the given one on, and where the next page begins; zero: there is none. An
// empty step is any. A page may be shorter than the limit, and empty, though others
// follow.
func (n *Node) StandingAt(ctx context.Context, journey, step string, from identity.ID, limit int) (list []*profile.Profile, next identity.ID, err error) {
	looked := 0
	for p, err := range n.Customers(ctx, from) {
		if err != nil {
			return nil, next, err
		}
		if stands(p, journey, step) {
			list = append(list, p)
		}
		if looked++; len(list) == limit || looked == maxLooked {
			return list, nextID(p.ID), nil
		}
	}
	return list, next, nil
}

func stands(p *profile.Profile, journey, step string) bool {
	for i := range p.Journeys {
		if in := &p.Journeys[i]; in.Journey == journey && (step == "" || in.Step == step) {
			return true
		}
	}
	return false
}
