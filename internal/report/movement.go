package report

import (
	"context"
	"fmt"
	"strings"

	"rapport/internal/core/identity"
	"rapport/internal/core/insight/rfm"
	"rapport/internal/fault"
	"rapport/internal/predict"
)

// RFMMove is how many customers were of one persona before and are of another now; of the
// same: who stayed. "none" is who had not bought yet.
type RFMMove struct {
	From      string `json:"from"`
	To        string `json:"to"`
	Customers int64  `json:"customers"`
}

// movement counts who moved between personas from the day of Params.Before to that of
// Params.To. Personas are those that the models tell of, by orders alone.
func (t *Tables) movement(ctx context.Context, p Params, out *RFM) error {
	before, after, err := t.personas(ctx, p, out)
	if kind, why := fault.Of(err); err != nil && kind == fault.NotFound {
		out.Unmoved = why
		return nil
	}
	if err != nil {
		return err
	}
	out.Movement = []RFMMove{}
	m := rfm.Move(before, after)
	for from := range m {
		for to, n := range m[from] {
			if n > 0 {
				out.Movement = append(out.Movement, RFMMove{rfm.Persona(from).String(), rfm.Persona(to).String(), int64(n)})
			}
		}
	}
	return nil
}

// moverPeople answers who moved, key "champion/slipping".
func (t *Tables) moverPeople(ctx context.Context, p Params) (People, error) {
	out := RFM{}
	currency, _, err := t.inCurrency(ctx)
	if err != nil {
		return People{}, err
	}
	out.Currency = currency
	before, after, err := t.personas(ctx, p, &out)
	if err != nil {
		return People{}, err
	}
	var ids []identity.ID
	for who, to := range after {
		from, was := before[who]
		if !was {
			from = rfm.None
		}
		if from.String()+"/"+to.String() == p.Key {
			ids = append(ids, who)
		}
	}
	return pageOf(ids, p), nil
}

// personas are those of the customers at the two instants; with too few customers to
// compare it is a fault of kind NotFound.
func (t *Tables) personas(ctx context.Context, p Params, out *RFM) (before, after map[identity.ID]rfm.Persona, err error) {
	if p.Before == 0 {
		return nil, nil, fault.New(fault.Invalid, "say with before from which day on customers moved")
	}
	list, err := predict.Buyers(ctx, &predict.Tables{Warehouse: t.Warehouse, Known: true}, predict.Moment{Now: p.To, Zone: p.Zone, Currency: out.Currency})
	if err != nil {
		return nil, nil, err
	}
	if len(list) < rfm.LeastCustomers {
		return nil, nil, fault.New(fault.NotFound, fmt.Sprintf("personas need at least %d customers who bought something, and there are %d", rfm.LeastCustomers, len(list)))
	}
	return predict.PersonasAt(list, int(p.day(p.Before-1))), predict.PersonasAt(list, int(p.day(p.To-1))), nil
}

// byMoves reports whether people are asked for by how they moved.
func byMoves(p *Params) bool { return p.Who == "movement" && strings.Contains(p.Key, "/") }
