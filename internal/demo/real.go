package demo

import (
	"context"
	"errors"
	"iter"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/money"
	"rapport/internal/core/profile"
	"rapport/internal/predict"
	"rapport/internal/warehouse"
)

// Real is a source of what known customers bought and sent back, out of the tables
// of the warehouse. Nobody did anything else: how people treat their mail is
// invented, and nothing may be concluded of it.
type Real struct{ Warehouse warehouse.Warehouse }

// Orders yields the orders, each once, however often it was told.
func (r Real) Orders(ctx context.Context, before event.Time) iter.Seq2[predict.Order, error] {
	return func(yield func(predict.Order, error) bool) {
		once := newOnce()
		err := r.each(ctx, "SELECT profile, order_id, kind, ms(ts) AS at, net, currency, units, channel FROM orders", "kind, net", before, func(row []any) bool {
			o := predict.Order{
				Profile: row[0].(identity.ID), ID: word(row[1]), Kind: kinds[word(row[2])], At: event.Time(whole(row[3])), Net: money.Micros(whole(row[4])),
				Currency: money.Currency(word(row[5])), Units: whole(row[6]), Channel: word(row[7]),
			}
			return once.again(o.Profile, o.ID, o.Kind, 0) || yield(o, nil)
		})
		if err != nil {
			yield(predict.Order{}, err)
		}
	}
}

// Lines yields the lines of those orders.
func (r Real) Lines(ctx context.Context, before event.Time) iter.Seq2[predict.Line, error] {
	return func(yield func(predict.Line, error) bool) {
		once := newOnce()
		err := r.each(ctx, "SELECT profile, order_id, kind, ms(ts) AS at, line, sku, product, name, category, quantity, price FROM order_lines", "kind, line, sku, quantity", before, func(row []any) bool {
			l := predict.Line{
				Profile: row[0].(identity.ID), Order: word(row[1]), Kind: kinds[word(row[2])], At: event.Time(whole(row[3])), SKU: word(row[5]), Product: word(row[6]),
				Name: word(row[7]), Category: word(row[8]), Quantity: whole(row[9]), Price: money.Micros(whole(row[10])),
			}
			return once.again(l.Profile, l.Order, l.Kind, whole(row[4])) || yield(l, nil)
		})
		if err != nil {
			yield(predict.Line{}, err)
		}
	}
}

// Events yields nothing.
func (Real) Events(context.Context, event.Time, ...string) iter.Seq2[predict.Event, error] {
	return func(func(predict.Event, error) bool) {}
}

// parts is in how many parts the customers are read, by the first half byte of their
// ids: an answer is in memory as a whole.
const parts = 16

// each calls yield with the rows of known customers before an instant, by customer
// and instant, until it wants no more.
func (r Real) each(ctx context.Context, sql, then string, before event.Time, yield func(row []any) bool) error {
	for part := range byte(parts) {
		from, to := identity.ID{part << 4}, identity.ID{part<<4 | 15}
		for i := range to[1:] {
			to[i+1] = 0xff
		}
		rows, err := r.Warehouse.Query(ctx, sql+" WHERE known AND ts < ? AND profile >= ? AND profile <= ? ORDER BY profile, ts, order_id, "+then, []any{before, from, to}, warehouse.All)
		if err != nil {
			return err
		}
		for row := rows.Next(); row != nil; row = rows.Next() {
			if !yield(row) {
				return rows.Close()
			}
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			return err
		}
	}
	return nil
}

// once knows what was told of a customer. An order may be refunded in parts.
type once struct {
	who  identity.ID
	told map[told]bool
}

type told struct {
	id   string
	kind profile.OrderKind
	line int64
}

func newOnce() *once { return &once{told: map[told]bool{}} }

func (o *once) again(who identity.ID, id string, kind profile.OrderKind, line int64) bool {
	if o.who != who {
		o.who = who
		clear(o.told)
	}
	k := told{id, kind, line}
	was := o.told[k]
	o.told[k] = true
	return was && kind != profile.Refunded
}

// kinds are the kinds of orders by their names in the tables.
var kinds = map[string]profile.OrderKind{"completed": profile.Completed, "refunded": profile.Refunded, "cancelled": profile.Cancelled}

func word(v any) string {
	s, _ := v.(string)
	return s
}

func whole(v any) int64 {
	n, _ := v.(int64)
	return n
}
