package csv

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/money"
	"rapport/internal/core/wire"
	"rapport/internal/fault"
)

// close takes the order whose first line stands first out of the window and makes
// events of it. Orders leave in the order of their first lines, so everything
// before the first line of the next one is done.
func (r *run) close(ctx context.Context) error {
	o := r.queue[r.head]
	r.queue[r.head] = nil
	r.head++
	if r.head > maxOpen {
		r.queue = append(r.queue[:0], r.queue[r.head:]...)
		r.head = 0
	}
	delete(r.open, o.number)
	if r.last == o {
		r.last = nil
	}
	r.gone.add(o.hash)
	r.lines -= len(o.items)
	r.bytes -= len(o.raw)
	if o.bad != 0 || len(o.items) == 0 {
		return nil
	}
	if gone, err := r.forgotten(o); gone {
		return err
	}
	events := r.events(o)
	r.count(o, events)
	r.point.Chain = wire.Hash(o.number, strconv.FormatUint(r.point.Chain, 36), strconv.FormatInt(o.at.UnixMilli(), 36), strconv.Itoa(len(o.items)))
	r.point.Orders++
	r.point.Offset = o.offset + 1
	if after := &r.o.After; r.point.Orders <= after.Orders {
		if r.point.Orders == after.Orders && (r.point.Chain != after.Chain || r.point.Offset != after.Offset) {
			return errOtherFile
		}
		return nil // durable since then
	}
	r.batch = append(r.batch, events...)
	r.pending += len(o.items)
	if len(r.batch) >= batchEvents || r.pending >= batchLines {
		return r.ship(ctx)
	}
	return nil
}

var errOtherFile = fault.New(fault.Invalid, "the file is not the one whose import was cut short: its beginning has changed. Begin anew without --resume; what was imported is known and stays")

// ship hands the batch to be appended.
func (r *run) ship(ctx context.Context) error {
	p := parcel{then: r.progress()}
	if r.o.Append != nil {
		p.events = r.batch
	}
	r.batch, r.pending = nil, 0
	select {
	case r.sent <- p:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (r *run) progress() Progress {
	t := r.totals
	t.Sums = t.Sums.clone()
	return Progress{Totals: t, Checkpoint: r.point}
}

// end closes what is open and waits for nothing: the caller does.
func (r *run) end(ctx context.Context) error {
	for len(r.open) > 0 {
		if err := r.close(ctx); err != nil {
			return err
		}
	}
	if r.point.Orders < r.o.After.Orders {
		return errOtherFile
	}
	r.point.Done = true
	return r.ship(ctx)
}

// count adds an order to the totals.
func (r *run) count(o *order, events []event.Event) {
	t := &r.totals
	at := event.At(o.at)
	if t.First == 0 || at < t.First {
		t.First = at
	}
	t.Last = max(t.Last, at)
	if who := identity.Of(&events[0])[0]; who.Kind == identity.Anonymous {
		t.Nobodys++
	} else if r.people.add(wire.Hash(who.String())) {
		t.Customers++
		t.More = t.More || r.people.full
	}
	for i := range events {
		if events[i].Name == event.OrderRefunded {
			t.Refunds++
		} else {
			t.Orders++
		}
	}
}

// events returns the Order Completed and the Order Refunded of an order: lines
// with a quantity below zero were returned, and so was everything under a number
// with the prefix of returns or that comes to less than nothing.
func (r *run) events(o *order) []event.Event {
	all := r.o.ReturnsPrefix != "" && strings.HasPrefix(o.number, r.o.ReturnsPrefix)
	var bought, returned []item
	for _, it := range o.items {
		if all || it.quantity < 0 {
			returned = append(returned, it)
		} else {
			bought = append(bought, it)
		}
	}
	var events []event.Event
	if len(bought) > 0 {
		net := netOf(bought)
		name, id := event.OrderCompleted, "order"
		if net < 0 {
			name, id = event.OrderRefunded, "credit"
		}
		events = append(events, r.event(o, name, id, bought, net))
	}
	if len(returned) > 0 {
		net := netOf(returned)
		if net > 0 { // a return whose lines are written without a sign
			net = -net
			for i := range returned {
				returned[i].quantity = -returned[i].quantity
			}
		}
		events = append(events, r.event(o, event.OrderRefunded, "refund", returned, net))
	}
	return events
}

func netOf(items []item) (net money.Micros) {
	for i := range items {
		net += items[i].net // cannot overflow: event.MaxLines × table.MaxSum fits
	}
	return net
}

func (r *run) event(o *order, name, kind string, items []item, net money.Micros) event.Event {
	currency := o.currency
	if currency == "" {
		currency = r.o.Currency
	}
	r.totals.Sums.add(currency, net)
	var b event.Builder
	b.SetText("order_id", o.number).SetText("currency", string(currency))
	b.Set("revenue", event.Value{Kind: event.Number, Raw: net.String()})
	b.SetText("channel", o.text[Channel])
	if list := products(items); list != "" {
		b.Set("products", event.Value{Kind: event.List, Raw: list})
	}
	var traits event.Builder
	for _, f := range []Field{Email, Phone, FirstName, LastName, Country} {
		traits.SetText(f.String(), o.text[f])
	}
	at := event.At(o.at)
	e := event.Event{
		ID: messageID(kind, r.o.Source, o.number), Type: event.Track, Name: name, User: o.text[Customer], At: at, Raw: at,
		Origin: event.Import, Trust: event.Server, Source: r.o.Source, Props: b.Object(), Traits: traits.Object(),
	}
	if r.o.Import != "" {
		e.Source = event.ImportSource(r.o.Import)
	}
	if r.o.Live {
		e.Origin = event.Live
	}
	if len(identity.Of(&e)) == 0 {
		// Nobody is known to have bought it. It still is an order: it gets a profile of
		// its own, and what was returned under the same number with it.
		e.Anon = string(messageID("order", r.o.Source, o.number))
	}
	return e
}

// products returns the lines of an order in the encoding of a list.
func products(items []item) string {
	b := make([]byte, 0, 128*len(items))
	var fields []byte
	for i := range items {
		it := &items[i]
		if it.sku == "" && it.name == "" {
			continue
		}
		fields = fields[:0]
		text := func(key, s string) {
			if s != "" {
				fields = event.AppendField(fields, key, event.Text(s))
			}
		}
		text("product_id", it.sku)
		text("sku", it.sku)
		text("name", it.name)
		text("category", it.category)
		if it.priced {
			fields = event.AppendField(fields, "price", event.Value{Kind: event.Number, Raw: it.price.String()})
		}
		quantity := strconv.FormatInt(it.quantity/1000, 10)
		if it.quantity%1000 != 0 {
			quantity = (money.Micros(it.quantity) * 1000).String()
		}
		fields = event.AppendField(fields, "quantity", event.Value{Kind: event.Number, Raw: quantity})
		b = event.AppendItem(b, event.Value{Kind: event.Map, Raw: string(fields)})
	}
	return string(b)
}

// maxID is the longest message id that the product takes, in bytes.
const maxID = 100

// messageID makes the id of what a source says of an order. It depends on nothing
// else, so that the same order is one order however often a file is imported.
func messageID(kind, source, number string) event.ID {
	id := "import:" + kind + ":" + source + ":" + number
	if len(id) > maxID {
		sum := sha256.Sum256([]byte(number))
		id = "import:" + kind + ":" + source + ":" + hex.EncodeToString(sum[:16])
	}
	return event.ID(id)
}
