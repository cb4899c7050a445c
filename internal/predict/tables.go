package predict

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/money"
	"rapport/internal/core/profile"
	"rapport/internal/warehouse"
)

// Tables is the [Source] on the warehouse. It reads some customers after the other,
// in the order of their ids, so that what it holds does not grow with the shop; its
// SQL is that of the product, which more than one database runs.
type Tables struct {
	Warehouse warehouse.Warehouse

	// Named says whether a customer is known by more than a device. It is asked once
	// of each customer who ordered. Default: all are.
	Named func(ctx context.Context, id identity.ID) (bool, error)

	// Known leaves out what was done before the customer was known by more than a device.
	Known bool

	// Part is about how many rows are asked for at once, since an answer is in memory
	// as a whole. Default: DefaultPart.
	Part int64

	named map[identity.ID]bool
}

// DefaultPart is some megabytes of rows.
const DefaultPart = 50_000

// Orders implements [Source]. Each order comes once, however often its source told
// it, and at however many profiles that are one customer by now.
func (t *Tables) Orders(ctx context.Context, before event.Time) iter.Seq2[Order, error] {
	return func(yield func(Order, error) bool) {
		told := once{}
		named := true
		var who identity.ID
		err := t.each(ctx, "orders", "profile, order_id, kind, ms(ts), net, currency, units, channel, device", t.where(), before, func(row []any) error {
			o := Order{
				Profile: row[0].(identity.ID), ID: text(row[1]), Kind: orderKinds[text(row[2])], At: event.Time(whole(row[3])), Net: money.Micros(whole(row[4])),
				Currency: money.Currency(text(row[5])), Units: whole(row[6]), Channel: text(row[7]), Device: text(row[8]),
			}
			if told.again(o.Profile, o.ID, o.Kind, o.At, 0) {
				return nil
			}
			if o.Profile != who {
				who = o.Profile
				var err error
				if named, err = t.isNamed(ctx, who); err != nil {
					return err
				}
			}
			o.Nobody = !named
			return unless(yield(o, nil))
		})
		if err != nil {
			yield(Order{}, err)
		}
	}
}

// Lines implements [Source]: those of the orders that Orders yields.
func (t *Tables) Lines(ctx context.Context, before event.Time) iter.Seq2[Line, error] {
	return func(yield func(Line, error) bool) {
		told, words := once{}, interned{}
		err := t.each(ctx, "order_lines", "profile, order_id, kind, ms(ts), line, sku, product, name, category, quantity, price", t.where(), before, func(row []any) error {
			l := Line{
				Profile: row[0].(identity.ID), Order: text(row[1]), Kind: orderKinds[text(row[2])], At: event.Time(whole(row[3])), SKU: words.of(row[5]),
				Product: words.of(row[6]), Name: words.of(row[7]), Category: words.of(row[8]), Quantity: whole(row[9]), Price: money.Micros(whole(row[10])),
			}
			if told.again(l.Profile, l.Order, l.Kind, l.At, whole(row[4])) {
				return nil
			}
			return unless(yield(l, nil))
		})
		if err != nil {
			yield(Line{}, err)
		}
	}
}

// eventColumns are what an [Event] is made of. A property is only looked for where it
// can be.
const eventColumns = `profile, ms(ts), name, origin, channel, device, if(product != '', product, sku), category,
	if(type != 'system' AND properties LIKE '%campaign%', concat(visitParamExtractString(properties, 'utm_campaign'), visitParamExtractString(properties, 'campaign')), '') != '',
	if(type = 'system', visitParamExtractString(properties, 'delivery'), ''), if(type = 'system', visitParamExtractString(properties, 'actor'), ''),
	if(name = 'Consent Changed', visitParamExtractString(properties, 'purpose'), ''), if(name = 'Consent Changed', visitParamExtractString(properties, 'state'), '')`

// Events implements [Source].
func (t *Tables) Events(ctx context.Context, before event.Time, names ...string) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		where, words := t.where(), interned{}
		where.add("type != 'fact'")
		if len(names) > 0 {
			marks := ""
			for i, n := range names {
				if i > 0 {
					marks += ","
				}
				marks += "?"
				where.args = append(where.args, n)
			}
			where.add("name IN (" + marks + ")")
		}
		err := t.each(ctx, "events", eventColumns, where, before, func(row []any) error {
			campaign, _ := row[8].(bool)
			return unless(yield(Event{
				Profile: row[0].(identity.ID), At: event.Time(whole(row[1])), Name: words.of(row[2]), Origin: origins[text(row[3])], Channel: words.of(row[4]),
				Device: words.of(row[5]), Product: words.of(row[6]), Category: words.of(row[7]), Campaign: campaign, Delivery: text(row[9]), Actor: words.of(row[10]),
				Purpose: words.of(row[11]), State: words.of(row[12]),
			}, nil))
		})
		if err != nil {
			yield(Event{}, err)
		}
	}
}

// clause is what a query asks for.
type clause struct {
	text string
	args []any
}

func (c *clause) add(text string) {
	if c.text != "" {
		c.text += " AND "
	}
	c.text += text
}

func (t *Tables) where() *clause {
	c := &clause{}
	if t.Known {
		c.add("known")
	}
	return c
}

// errEnough ends a reading whose reader wants no more.
var errEnough = errors.New("enough")

func unless(more bool) error {
	if more {
		return nil
	}
	return errEnough
}

// each calls yield with the rows of a table before an instant, by customer, instant
// and the order in which they were heard.
func (t *Tables) each(ctx context.Context, table, columns string, c *clause, before event.Time, yield func(row []any) error) error {
	c.add("ts < ?")
	c.args = append(c.args, before)
	rows := int64(0)
	err := t.ask(ctx, fmt.Sprintf("SELECT count(*) FROM %s WHERE %s", table, c.text), c.args, func(row []any) error {
		rows = whole(row[0])
		return nil
	})
	if err != nil || rows == 0 {
		return err
	}
	size := t.Part
	if size <= 0 {
		size = DefaultPart
	}
	parts := min(1+rows/size, maxParts)
	sql := fmt.Sprintf("SELECT %s FROM %s WHERE %s AND profile >= ? AND profile <= ? ORDER BY profile, ts, n", columns, table, c.text)
	for part := range parts {
		first, last := share(part, parts)
		err := t.ask(ctx, sql, append(c.args[:len(c.args):len(c.args)], first, last), yield)
		if errors.Is(err, errEnough) {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// maxParts is how many parts the first two bytes of an id tell apart.
const maxParts = 1 << 16

// share returns the first and the last id of one of some equal parts of all ids.
// Profile ids are hashes, so equal parts hold about as many customers.
func share(part, parts int64) (first, last identity.ID) {
	from, to := part*maxParts/parts, (part+1)*maxParts/parts-1
	first = identity.ID{byte(from >> 8), byte(from)}
	for i := range last {
		last[i] = 0xff
	}
	last[0], last[1] = byte(to>>8), byte(to)
	return first, last
}

func (t *Tables) ask(ctx context.Context, sql string, args []any, yield func(row []any) error) error {
	return warehouse.Each(ctx, t.Warehouse, sql, args, yield)
}

func (t *Tables) isNamed(ctx context.Context, who identity.ID) (bool, error) {
	if t.Named == nil {
		return true, nil
	}
	named, asked := t.named[who]
	if asked {
		return named, nil
	}
	named, err := t.Named(ctx, who)
	if err != nil {
		return false, err
	}
	if t.named == nil {
		t.named = map[identity.ID]bool{}
	}
	t.named[who] = named
	return named, nil
}

// Release forgets who is known: it may change until the next run.
func (t *Tables) Release() { t.named = nil }

// once knows what was told of the customer whose rows come. A refund may come in
// parts; of an order and a cancellation the first telling counts.
type once struct {
	who  identity.ID
	told map[telling]place
}

type telling struct {
	id   string
	kind profile.OrderKind
}

type place struct {
	at   event.Time
	line int64
}

// again reports whether a line of an order was told before; an order itself is line 0.
func (o *once) again(who identity.ID, id string, kind profile.OrderKind, at event.Time, line int64) bool {
	if kind == profile.Refunded {
		return false
	}
	if o.told == nil {
		o.told = map[telling]place{}
	}
	if o.who != who {
		o.who = who
		clear(o.told)
	}
	k := telling{id, kind}
	if was, known := o.told[k]; known && (was.at != at || line <= was.line) {
		return true
	}
	o.told[k] = place{at, line}
	return false
}

// interned keeps one copy of each word: a shop has some thousand products, and names
// them in every row.
type interned map[string]string

// maxInterned bounds the words that are kept; later ones are copies.
const maxInterned = 200_000

func (t interned) of(v any) string {
	s := text(v)
	if kept, ok := t[s]; ok {
		return kept
	}
	if len(t) < maxInterned {
		t[s] = s
	}
	return s
}

// orderKinds and origins are the constants by their names in the tables.
var (
	orderKinds = map[string]profile.OrderKind{"completed": profile.Completed, "refunded": profile.Refunded, "cancelled": profile.Cancelled}
	origins    = map[string]event.Origin{event.Live.String(): event.Live, event.Import.String(): event.Import, event.Replay.String(): event.Replay}
)

func text(v any) string {
	s, _ := v.(string)
	return s
}

func whole(v any) int64 {
	n, _ := v.(int64)
	return n
}
