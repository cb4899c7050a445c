package loader

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/money"
	"rapport/internal/core/profile"
	"rapport/internal/feed"
	"rapport/internal/warehouse"
)

// reader makes rows of the warehouse's of rows of the feed.
type reader struct {
	load  *warehouse.Load
	seen  map[identity.ID]int // where a profile's Seen row is in the load
	joins []warehouse.Join    // as they were told
}

func (r *reader) begin(l *warehouse.Load) {
	r.load, r.joins = l, r.joins[:0]
	if r.seen == nil {
		r.seen = map[identity.ID]int{}
	}
	clear(r.seen)
}

func (r *reader) add(row *feed.Row) {
	r.load.Now = max(r.load.Now, row.Now)
	switch row.Kind {
	case feed.Event:
		r.event(row)
	case feed.Fact:
		r.event(row)
		if strand, err := identity.ParseID(row.Props.Text("joined")); err == nil && row.Name == event.ProfilesJoined {
			r.joins = append(r.joins, warehouse.Join{Strand: strand, Profile: row.Profile})
		}
	case feed.Segment:
		r.load.Memberships = append(r.load.Memberships, warehouse.Membership{Profile: row.Profile, Segment: row.Name, In: row.In, At: row.At})
	case feed.Delivery:
		r.delivery(row)
	case feed.Person:
		p := &row.Portrait
		r.load.Profiles = append(r.load.Profiles, warehouse.Profile{
			Profile: row.Profile, At: row.At, Born: p.Born, Known: p.Known, Country: p.Country, City: p.City, Locale: p.Locale, Zone: p.Zone, Device: p.Device,
			Consents: p.Consents, Reachable: p.Reachable, Lifecycle: p.Lifecycle, Gone: p.Born == 0,
		})
	}
}

// factType is the type of what the core says.
const factType = "fact"

func (r *reader) event(row *feed.Row) {
	kind := row.Type.String()
	switch {
	case row.Kind == feed.Fact:
		kind = factType
	case row.Type == 0: // told before the feed said so
		kind = event.Track.String()
		if _, receipt := receipts[row.Name]; receipt || event.Receipt(row.Name) {
			kind = event.System.String()
		}
	}
	e := warehouse.Event{
		Profile: row.Profile, At: row.At, Now: row.Now, ID: row.Print, Type: kind, Name: row.Name, Source: row.Source, Origin: row.Origin.String(), Known: row.Known,
		Session: row.Session, Device: row.Device, Channel: row.Where, Store: cmp.Or(row.Props.Text("store"), row.Props.Text("store_id")),
		SKU: cmp.Or(row.Props.Text("sku"), row.Props.Text("variant_id")), Product: row.Props.Text("product_id"), Category: row.Props.Text("category"),
		Search: row.Props.Text("query"), Currency: row.Props.Text("currency"),
	}
	if row.Order != nil {
		e.Value, e.HasValue, e.Currency = row.Order.Net, true, string(row.Order.Currency)
		r.order(row, &e)
	} else {
		e.Value, e.HasValue = worth(row.Props)
	}
	e.Properties = rest(row.Props, row.Order != nil)
	r.load.Events = append(r.load.Events, e)
	if row.Kind == feed.Event && kind != event.System.String() {
		r.saw(row.Profile, row.At)
	}
	r.receipt(row)
}

// saw notes when a customer was seen first and last in this load.
func (r *reader) saw(id identity.ID, at event.Time) {
	i, known := r.seen[id]
	if !known {
		r.seen[id] = len(r.load.Profiles)
		r.load.Profiles = append(r.load.Profiles, warehouse.Profile{Profile: id, Seen: true, First: at, Last: at})
		return
	}
	p := &r.load.Profiles[i]
	p.First, p.Last = min(p.First, at), max(p.Last, at)
}

// worth returns the sum that an event names.
func worth(props event.Object) (money.Micros, bool) {
	for _, key := range []string{"value", "revenue", "total", "price"} {
		if t := props.Text(key); t != "" {
			m, err := money.Parse(t)
			return m, err == nil
		}
	}
	return 0, false
}

var orderKinds = map[string]string{event.OrderCompleted: "completed", event.OrderRefunded: "refunded", event.OrderCancelled: "cancelled"}

func (r *reader) order(row *feed.Row, e *warehouse.Event) {
	if row.Order.Repeated {
		return
	}
	o := warehouse.Order{
		Profile: row.Profile, OrderID: row.Order.ID, Kind: orderKinds[row.Name], At: row.At, Net: row.Order.Net, Currency: string(row.Order.Currency),
		Units: row.Order.Units, Channel: e.Channel, Device: e.Device, Store: e.Store, Origin: e.Origin, Known: row.Known,
	}
	r.load.Orders = append(r.load.Orders, o)
	order, err := event.OrderOf(row.Name, row.Props)
	if err != nil {
		return // unreachable: the feed read it before
	}
	for i := range order.Lines {
		n := &order.Lines[i]
		if o.Kind != "completed" {
			// What comes back counts against what was bought, however the source signs it.
			n.Quantity, n.Net = min(n.Quantity, -n.Quantity), min(n.Net, -n.Net)
		}
		r.load.Lines = append(r.load.Lines, warehouse.Line{
			Profile: row.Profile, OrderID: o.OrderID, Kind: o.Kind, At: row.At, Line: int64(i), SKU: n.SKU, Product: n.Product, Name: n.Name, Category: n.Category,
			Quantity: n.Quantity, Price: n.Price, Net: n.Net, Currency: o.Currency, Known: row.Known,
		})
	}
}

func (r *reader) delivery(row *feed.Row) {
	r.load.Deliveries = append(r.load.Deliveries, warehouse.Delivery{
		Profile: row.Profile, Delivery: row.ID, At: row.At, Channel: row.Channel, Origin: row.Name, Version: row.Version, Step: row.Step, Class: row.Class.String(),
		State: row.State.String(), Reason: row.Because, Product: row.Product, Category: row.Category,
	})
	if a := row.Asked; a != nil {
		stage := "plan"
		if a.Claim {
			stage = "claim"
		}
		r.load.Decisions = append(r.load.Decisions, warehouse.Decision{
			Profile: row.Profile, Delivery: row.ID, At: row.At, Stage: stage, Outcome: a.Outcome.String(), Rule: int64(a.Rule), Reason: a.Reason, Chance: a.Chance,
			Channel: row.Channel, Origin: row.Name, Version: row.Version, Step: row.Step,
		})
	}
}

// receipts are the events that tell what became of a message, with the state that
// the row of deliveries has. Who presses a button is a person; of opens and clicks
// the receipt must say so.
var receipts = map[string]struct{ state, unsaid string }{
	event.MessageDelivered: {"delivered", "unknown"}, event.MessageBounced: {"bounced", "unknown"}, event.MessageOpened: {"opened", "unknown"},
	event.MessageClicked: {"clicked", "unknown"}, event.Complained: {"complained", "human"}, event.Unsubscribed: {"unsubscribed", "human"}, event.MessageReplied: {"replied", "human"},
}

func (r *reader) receipt(row *feed.Row) {
	said, ok := receipts[row.Name]
	if !ok {
		return
	}
	id, err := profile.ParseDelivery(row.Props.Text("delivery"))
	if err != nil {
		return // of no message that we know
	}
	r.load.Deliveries = append(r.load.Deliveries, warehouse.Delivery{
		Profile: row.Profile, Delivery: id, At: row.At, Channel: cmp.Or(row.Where, "email"), State: said.state, Reason: row.Props.Text("reason"),
		Actor: cmp.Or(row.Props.Text("actor"), said.unsaid),
	})
}

// told are the properties that have a column.
var told = []string{"sku", "product_id", "category", "query", "currency", "channel", "store"}

// written are the properties in which people write what they like, and so who they
// are.
var written = []string{
	"note", "notes", "comment", "comments", "message", "gift_message", "giftmessage", "body", "text", "review", "feedback", "reply", "detail", "subject",
	"recipient_name", "wording",
}

// maxProperties bounds the rest of an event's properties, and maxText one text of
// them: what is longer than a name of a thing is no name of a thing.
const (
	maxProperties = 4 << 10
	maxText       = 200
)

// rest returns what is left of the properties as JSON.
func rest(props event.Object, order bool) string {
	out := []byte{'{'}
	props.Each(func(key string, v event.Value) bool {
		low := strings.ToLower(key)
		switch {
		case slices.Contains(told, low), slices.Contains(written, low), v.Kind == event.String && len(v.Raw) > maxText, order && low == "products":
			return true
		}
		before := len(out)
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = event.AppendQuoted(out, key)
		out = append(out, ':')
		if out = v.AppendJSON(out); len(out) > maxProperties {
			out = out[:before]
		}
		return true
	})
	return string(append(out, '}'))
}

// end finishes the rows of the load: who joined whom is told with everybody who had
// joined them before.
func (r *reader) end(ctx context.Context, w warehouse.Warehouse) error {
	if len(r.joins) == 0 {
		return nil
	}
	owners, err := known(ctx, w, r.joins)
	if err != nil {
		return err
	}
	for _, j := range r.joins {
		to := j.Profile
		if o, moved := owners[to]; moved {
			to = o
		}
		if to == j.Strand {
			continue
		}
		moving := []identity.ID{j.Strand}
		for strand, o := range owners {
			if o == j.Strand {
				moving = append(moving, strand)
			}
		}
		slices.SortFunc(moving, identity.ID.Compare)
		for _, strand := range moving {
			owners[strand] = to
			r.load.Joins = append(r.load.Joins, warehouse.Join{Strand: strand, Profile: to})
		}
	}
	return nil
}

// atOnce is how many profiles one query asks about.
const atOnce = 200

// known returns who is whom, as far as the warehouse knows of those who join.
func known(ctx context.Context, w warehouse.Warehouse, joins []warehouse.Join) (map[identity.ID]identity.ID, error) {
	owners := map[identity.ID]identity.ID{}
	for part := range slices.Chunk(joins, atOnce) {
		var args []any
		for _, j := range part {
			args = append(args, j.Strand, j.Profile)
		}
		marks := strings.TrimSuffix(strings.Repeat("?,", len(args)), ",")
		rows, err := w.Query(ctx, "SELECT strand, profile FROM persons WHERE strand IN ("+marks+") OR profile IN ("+marks+")", append(args, args...), warehouse.All)
		if err != nil {
			return nil, err
		}
		for row := rows.Next(); row != nil; row = rows.Next() {
			owners[row[0].(identity.ID)] = row[1].(identity.ID)
		}
		err = rows.Err()
		if e := rows.Close(); err == nil {
			err = e
		}
		if err != nil {
			return nil, err
		}
	}
	return owners, nil
}
