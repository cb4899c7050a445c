package run

import (
	"context"
	"fmt"

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
	err := n.everybody(ctx, func(p *profile.Profile) error {
		for i := range p.Journeys {
			if p.Journeys[i].Journey == journey {
				at[p.Journeys[i].Step]++
			}
		}
		return nil
	})
	return at, err
}

// StandingAt returns customers who are at a step of a journey now, in order of their
// ids from the given one on, and where the next page begins; zero: there is none. An
// empty step is any. A page may be shorter than the limit, and empty, though others
// follow.
func (n *Node) StandingAt(ctx context.Context, journey, step string, from identity.ID, limit int) (list []*profile.Profile, next identity.ID, err error) {
	for looked := 0; looked < maxLooked; looked += customersPage {
		rows, err := n.o.Store.Profiles(ctx, from, customersPage)
		if err != nil {
			return nil, next, fmt.Errorf("reading the customers: %w", err)
		}
		for i := range rows {
			from = nextID(rows[i].ID)
			p, err := profile.Decode(string(rows[i].Body))
			if err != nil || !p.Owner.Zero() || p.Born == 0 || !stands(p, journey, step) {
				continue // doctor tells of a row that cannot be read
			}
			if list = append(list, p); len(list) == limit {
				return list, from, nil
			}
		}
		if len(rows) < customersPage || from.Zero() {
			return list, identity.ID{}, nil
		}
	}
	return list, from, nil
}

func stands(p *profile.Profile, journey, step string) bool {
	for i := range p.Journeys {
		if in := &p.Journeys[i]; in.Journey == journey && (step == "" || in.Step == step) {
			return true
		}
	}
	return false
}
