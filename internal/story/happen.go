package story

import (
	"strconv"
	"strings"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/money"
	"rapport/internal/core/profile"
)

// usualPrice is the price of a product that names none.
const usualPrice = "10.00"

// home returns the home at which everything of the person arrives.
func (w *world) home(who person) identity.ID {
	id := identity.Identifier{Kind: identity.User, Value: who.user}
	switch {
	case who.email != "":
		id, _ = identity.Normal(identity.Email, who.email)
	case who.user == "":
		id = identity.Identifier{Kind: identity.Anonymous, Value: who.device}
	}
	return w.core.Key.Home(id)
}

// person returns the profile of the person as it is now.
func (w *world) person(who person) *profile.Profile { return w.owner(w.home(who)) }

// speaker makes an event of the person: from the back end or the till, or, with
// a device, from a web page with a public key.
func (w *world) speaker(who person, n int, kind event.Type, name string) event.Event {
	w.number++
	e := event.Event{
		ID: event.ID("line-" + strconv.Itoa(n) + "-" + strconv.Itoa(w.number)), Type: kind, Name: name,
		User: who.user, Anon: who.device, At: w.now, Raw: w.now, Trust: event.Server, Source: "story",
	}
	if who.device != "" {
		e.Trust = event.Public
	}
	return e
}

// say puts an event where the log would: at the home of its strongest identifier.
func (w *world) say(l *line, e event.Event) error {
	a, ok := w.core.Key.Address(e)
	if !ok {
		return wrong(l.n, "%s cannot be recognised: the name stands for nobody", l.who.name)
	}
	w.queue = append(w.queue, a)
	return w.settle()
}

// introduce lets a customer say who they are, once.
func (w *world) introduce(l *line) error {
	who := l.who
	if who.user == "" || w.person(person{user: who.user}).Born != 0 {
		return nil
	}
	var b event.Builder
	b.SetText("email", strings.ToLower(who.user)+"@people.example")
	b.SetText("first_name", strings.ToUpper(who.user[:1])+who.user[1:])
	e := w.speaker(person{user: who.user}, l.n, event.Identify, "")
	e.Traits = b.Object()
	return w.say(l, e)
}

// happen lets the person do something.
func (w *world) happen(l *line) error {
	what := l.what
	origin, late := event.Live, event.Time(0)
	if rest, ok := strings.CutPrefix(what, "import "); ok {
		what, origin = rest, event.Import
	}
	if rest, ok := strings.CutPrefix(what, "late "); ok {
		length, name, _ := strings.Cut(rest, " ")
		d, ok := parseLength(length)
		if !ok || name == "" {
			return wrong(l.n, "write how late it is heard: late 2h Order Completed, not %q", what)
		}
		what, late = name, event.Time(d.Milliseconds())
	}
	e := w.speaker(l.who, l.n, event.Track, what)
	e.Origin = origin
	e.At, e.Raw = e.At-late, e.Raw-late
	var b event.Builder
	var err error
	switch what {
	case "identify":
		e.Type, e.Name = event.Identify, ""
		err = w.properties(l, &b, &e, nil)
		e.Traits = b.Object()
		return first(err, func() error { return w.say(l, e) })
	case "Consent Given", "Consent Withdrawn":
		e.Name = event.ConsentChanged
		b.Set("state", event.Text(map[bool]string{true: "granted", false: "withdrawn"}[what == "Consent Given"]))
		err = w.channelOf(l, &b, "story")
	case "Unsubscribed":
		e.Name, e.Type, e.Trust = event.Unsubscribed, event.System, event.Own
		if err = w.channelOf(l, &b, "one-click"); err == nil {
			// The link in a message knows whom it was sent to.
			e.Props = b.Object()
			w.queue = append(w.queue, identity.Addressed{To: w.person(l.who).ID, Event: e})
			return w.settle()
		}
	default:
		var products []event.Value
		if err = w.properties(l, &b, &e, &products); err == nil {
			w.goods(l, &b, &e, products)
		}
	}
	if l.who.email != "" {
		b.SetText("email", l.who.email)
	}
	e.Props = b.Object()
	return first(err, func() error { return w.say(l, e) })
}

func first(err error, then func() error) error {
	if err != nil {
		return err
	}
	return then()
}

// channelOf reads the channel and the purpose of a consent.
func (w *world) channelOf(l *line, b *event.Builder, evidence string) error {
	if len(l.args) == 0 || len(l.args) > 2 {
		return wrong(l.n, "write the channel and, if it is not marketing, the purpose: Consent Given  email track.email")
	}
	purpose := "marketing"
	if len(l.args) == 2 {
		purpose = l.args[1]
	}
	b.SetText("channel", l.args[0]).SetText("purpose", purpose).SetText("evidence", evidence)
	return nil
}

// properties reads key=value words, and products where they may stand.
func (w *world) properties(l *line, b *event.Builder, e *event.Event, products *[]event.Value) error {
	for _, arg := range l.args {
		key, value, found := strings.Cut(arg, "=")
		switch {
		case found && key == "id":
			e.ID = event.ID(unquote(value))
		case found && key != "":
			b.Set(key, valueOf(value))
		case products == nil:
			return wrong(l.n, "%q is no property; write key=value", arg)
		default:
			p, err := productOf(l.n, arg)
			if err != nil {
				return err
			}
			*products = append(*products, p)
		}
	}
	return nil
}

// valueOf reads a value: what is in quotes is a text whatever it looks like.
func valueOf(s string) event.Value {
	switch s {
	case "true":
		return event.Yes(true)
	case "false":
		return event.Yes(false)
	case "null":
		return event.Value{}
	}
	if _, err := strconv.ParseFloat(s, 64); err == nil && strings.Trim(s, "0123456789.-") == "" {
		return event.Value{Kind: event.Number, Raw: s}
	}
	return event.Text(unquote(s))
}

// productOf reads "sku/category@price*quantity".
func productOf(n int, s string) (event.Value, error) {
	rest, quantity, many := strings.Cut(s, "*")
	rest, price, priced := strings.Cut(rest, "@")
	sku, category, _ := strings.Cut(rest, "/")
	if !many {
		quantity = "1"
	}
	if !priced {
		price = usualPrice
	}
	q, err1 := strconv.ParseUint(quantity, 10, 16)
	_, err2 := money.Parse(price)
	if sku == "" || err1 != nil || q == 0 || err2 != nil {
		return event.Value{}, wrong(n, "%q is no product; write sku/category@price*quantity, each but the first as needed, such as lamp/lighting@49.90*2", s)
	}
	var b event.Builder
	b.SetText("sku", sku).SetText("product_id", sku).SetText("name", strings.ReplaceAll(sku, "-", " ")).SetText("category", category)
	b.Set("price", event.Value{Kind: event.Number, Raw: price}).Set("quantity", event.Value{Kind: event.Number, Raw: quantity})
	return event.Nested(b.Object()), nil
}

// goods gives an event its products: an order has lines, everything else is
// about one product.
func (w *world) goods(l *line, b *event.Builder, e *event.Event, products []event.Value) {
	if !event.IsOrder(e.Name) {
		if len(products) > 0 {
			products[0].Object().Each(func(key string, v event.Value) bool {
				if key != "quantity" {
					b.Set(key, v)
				}
				return true
			})
		}
		return
	}
	said := b.Object()
	if _, named := said.Get("order_id"); !named {
		id := "order-" + string(e.ID)
		if orders := w.person(l.who).Orders; e.Name != event.OrderCompleted && len(orders) > 0 {
			id = orders[len(orders)-1].ID // what is sent back is what was ordered last
		}
		b.SetText("order_id", id)
	}
	if _, named := said.Get("currency"); !named {
		b.SetText("currency", string(w.prog.Currency))
	}
	switch _, sum := said.Get("revenue"); {
	case len(products) > 0:
		b.Set("products", event.ListOf(products...))
	case !sum:
		b.Set("revenue", event.Value{Kind: event.Number, Raw: usualPrice})
	}
}

// address changes what the provider answers to the person's mail.
func (w *world) address(l *line, how string) error {
	a, ok := map[string]answer{"bounces": bounces, "defers": defers, "works": works}[how]
	if !ok {
		return wrong(l.n, "an address bounces, defers or works, not %q", how)
	}
	w.answers[w.person(l.who).ID] = a
	return nil
}
