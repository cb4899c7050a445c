package report

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/fault"
)

// Handed is how often something was looked at on one class of device and bought on
// another.
type Handed struct {
	Orders int64     `json:"orders"` // all orders of the time, to set the others against
	Rows   []Handing `json:"rows"`
}

// Handing is how often it went from one class of device to another.
type Handing struct {
	From   string  `json:"from"`
	To     string  `json:"to"`
	Orders int64   `json:"orders"` // each counts once, by the latest look at something in it
	People int64   `json:"people"`
	Share  float64 `json:"share"` // of all orders
}

// HandOvers counts the facts that the core tells of orders that were handed over.
func (t *Tables) HandOvers(ctx context.Context, p Params) (Handed, error) {
	out := Handed{Rows: []Handing{}}
	rows := map[[2]string]*Handing{}
	seen := map[[2]string]map[identity.ID]struct{}{}
	err := t.handed(ctx, p, func(who identity.ID, from, to string) {
		k := [2]string{from, to}
		if rows[k] == nil {
			rows[k], seen[k] = &Handing{From: from, To: to}, map[identity.ID]struct{}{}
		}
		rows[k].Orders++
		seen[k][who] = struct{}{}
	})
	if err != nil {
		return out, err
	}
	err = t.each(ctx, "SELECT count(*) AS orders FROM orders WHERE kind = 'completed' AND ts >= ? AND ts < ?", []any{p.From, p.To}, func(row []any) error {
		out.Orders = whole(row[0])
		return nil
	})
	for k, h := range rows {
		h.People, h.Share = int64(len(seen[k])), ratio(h.Orders, out.Orders)
		out.Rows = append(out.Rows, *h)
	}
	slices.SortFunc(out.Rows, func(a, b Handing) int {
		return cmp.Or(cmp.Compare(b.Orders, a.Orders), cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To))
	})
	return out, err
}

// handed calls yield with each order that was handed over, once: a history that was
// folded anew tells its facts again.
func (t *Tables) handed(ctx context.Context, p Params, yield func(who identity.ID, from, to string)) error {
	type key struct {
		who   identity.ID
		order string
	}
	told := map[key]struct{}{}
	return t.each(ctx, "SELECT profile, properties FROM events WHERE type = 'fact' AND name = ? AND ts >= ? AND ts < ? ORDER BY profile, ts", []any{event.HandedOver, p.From, p.To}, func(row []any) error {
		var said struct {
			From  string
			To    string
			Order string `json:"order_id"`
		}
		if err := json.Unmarshal([]byte(word(row[1])), &said); err != nil {
			return fault.Wrap(fault.Corrupt, err, "the properties of a hand-over cannot be read")
		}
		k := key{row[0].(identity.ID), said.Order}
		if _, again := told[k]; again && said.Order != "" {
			return nil
		}
		told[k] = struct{}{}
		yield(k.who, said.From, said.To)
		return nil
	})
}

// handOverPeople answers whose orders went from one class of device to another, key
// "mobile/desktop".
func (t *Tables) handOverPeople(ctx context.Context, p Params) (People, error) {
	if p.Who != "people" && p.Who != "orders" {
		return People{}, fault.New(fault.Invalid, "people are asked for by who=people and a key such as mobile/desktop")
	}
	found := map[identity.ID]struct{}{}
	err := t.handed(ctx, p, func(who identity.ID, from, to string) {
		if from+"/"+to == p.Key {
			found[who] = struct{}{}
		}
	})
	ids := make([]identity.ID, 0, len(found))
	for id := range found {
		ids = append(ids, id)
	}
	return pageOf(ids, p), err
}
