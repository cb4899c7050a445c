package connect

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/money"
	"rapport/internal/core/wire"
)

// Person is a customer as a platform knows them.
type Person struct {
	ID      string // the platform's; empty: a guest
	Email   string
	Phone   string
	First   string
	Last    string
	Country string // two letters
	City    string
	Locale  string
	Tags    []string
	Cart    string // a browser's cart, by which a guest is recognised
	Updated event.Time
	Says    []Consent
}

// Consent is what a platform says that a customer said.
type Consent struct {
	Channel  string
	Granted  bool
	At       event.Time
	Evidence string
}

// Teller makes events of what one document says.
type Teller struct {
	Source *Source
	Heard  event.Time
	Events []event.Event
}

// maxID is the longest message id that the product takes, in bytes.
const maxID = 100

// ID names a fact of a source. It depends on nothing but the fact.
func (t *Teller) ID(parts ...string) event.ID {
	prefix := t.Source.Platform + ":" + t.Source.Name + ":"
	id := prefix + strings.Join(parts, ":")
	if len(id) > maxID {
		sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
		id = prefix + parts[0] + ":" + hex.EncodeToString(sum[:16])
	}
	return event.ID(id)
}

// Tell adds an event of a person. What happened later than it was heard happened
// when it was heard: a shop's clock may be ahead of ours. An event of which nobody
// can say whose it is gets a name of its own, if anon is not empty, and is left out
// otherwise; Tell reports whether it was added.
func (t *Teller) Tell(who *Person, id event.ID, name string, at event.Time, props *event.Builder, anon string) bool {
	if at == 0 || at > t.Heard {
		at = t.Heard
	}
	e := event.Event{ID: id, Type: event.Track, Name: name, At: at, Raw: at, Trust: event.Server, Source: t.Source.Name}
	t.identify(&e, who, props)
	e.Props = props.Object()
	if len(identity.Of(&e)) == 0 {
		if anon == "" {
			return false
		}
		e.Anon = anon
	}
	t.Events = append(t.Events, e)
	return true
}

// identify says whose event it is.
func (t *Teller) identify(e *event.Event, who *Person, props *event.Builder) {
	if who.ID != "" && t.Source.Identify != AsExternal {
		e.User = who.ID
	} else if who.ID != "" {
		external := (&event.Builder{}).SetText("type", t.Source.Name).SetText("id", who.ID).Object()
		e.Context = (&event.Builder{}).Set("externalIds", event.ListOf(event.Nested(external))).Object()
	}
	if who.Cart != "" {
		e.Anon = t.CartName(who.Cart)
	}
	// The address of an order is by which a guest is recognised. It is no trait: the
	// picture of the customer says that, with a time of its own.
	if props != nil {
		if id, ok := identity.Normal(identity.Email, who.Email); ok {
			props.SetText("email", id.Value)
		}
		if id, ok := identity.Normal(identity.Phone, who.Phone); ok {
			props.SetText("phone", id.Value)
		}
	}
}

// CartName is the anonymous id of a browser with a cart.
func (t *Teller) CartName(token string) string {
	return t.Source.Name + "-cart:" + clip(token, 100)
}

// Person adds what is known of a person, and what they said. The picture carries
// the time at which the platform made it: of two the newer counts, whichever comes
// first.
func (t *Teller) Person(who *Person) {
	var b event.Builder
	if id, ok := identity.Normal(identity.Email, who.Email); ok {
		b.SetText("email", id.Value)
	}
	if id, ok := identity.Normal(identity.Phone, who.Phone); ok {
		b.SetText("phone", id.Value)
	}
	b.SetText("first_name", clip(who.First, 200)).SetText("last_name", clip(who.Last, 200))
	b.SetText("country", clip(who.Country, 64)).SetText("city", clip(who.City, 200)).SetText("locale", clip(who.Locale, 35))
	if len(who.Tags) > 0 {
		var tags []event.Value
		for _, tag := range who.Tags[:min(len(who.Tags), maxTags)] {
			tags = append(tags, event.Text(clip(tag, 100)))
		}
		b.Set("tags", event.ListOf(tags...))
	}
	traits := b.Object()
	at := who.Updated
	if at == 0 || at > t.Heard {
		at = t.Heard
	}
	if traits != "" {
		key := who.ID
		if key == "" {
			key = "guest"
		}
		e := event.Event{
			// Two pictures of one instant that differ are two.
			ID: t.ID("customer", key, strconv.FormatInt(int64(at), 36), strconv.FormatUint(wire.Hash(string(traits)), 36)), Type: event.Identify,
			At: at, Raw: at, Trust: event.Server, Source: t.Source.Name, Traits: traits,
		}
		t.identify(&e, who, nil)
		if len(identity.Of(&e)) > 0 {
			t.Events = append(t.Events, e)
		}
	}
	for _, c := range who.Says {
		t.Say(who, c)
	}
}

// maxTags is how many tags of a customer are kept: apps tag without end, and a
// trait has 4 KiB.
const maxTags = 30

// Say adds a consent, or its withdrawal.
func (t *Teller) Say(who *Person, c Consent) {
	state, at := "withdrawn", c.At
	if c.Granted {
		state = "granted"
	}
	if at > t.Heard {
		at = t.Heard
	}
	key := who.ID
	if key == "" {
		key = strings.ToLower(who.Email)
	}
	props := (&event.Builder{}).SetText("channel", c.Channel).SetText("purpose", "marketing").SetText("state", state)
	props.SetText("evidence", clip(t.Source.Name+": "+c.Evidence, 200))
	t.Tell(who, t.ID("consent", c.Channel, state, strconv.FormatInt(int64(at), 36), key), event.ConsentChanged, at, props, "")
}

// Line is a line of an order, a refund, a checkout or a cart.
type Line struct {
	Product  string
	Variant  string
	SKU      string
	Name     string
	Option   string // which variant, in words
	Brand    string
	Image    string
	URL      string
	Price    money.Micros // of one
	Quantity int64
	Discount money.Micros // off the line
	Tax      money.Micros // of the line; whether the price includes it says the order
}

// Lines returns lines as the list of products of an event.
func Lines(lines []Line) event.Value {
	list := make([]event.Value, 0, len(lines))
	for i := range lines[:min(len(lines), event.MaxLines)] {
		l := &lines[i]
		var b event.Builder
		b.SetText("product_id", l.Product).SetText("variant_id", l.Variant).SetText("sku", l.SKU).SetText("name", clip(l.Name, 500)).SetText("variant", clip(l.Option, 200))
		b.SetText("brand", clip(l.Brand, 200)).SetText("image_url", l.Image).SetText("url", l.URL)
		b.Set("price", sum(l.Price)).Set("quantity", event.Int(l.Quantity))
		if l.Discount != 0 {
			b.Set("discount", sum(l.Discount))
		}
		if l.Tax != 0 {
			b.Set("tax", sum(l.Tax))
		}
		list = append(list, event.Nested(b.Object()))
	}
	return event.ListOf(list...)
}

func sum(m money.Micros) event.Value { return event.Value{Kind: event.Number, Raw: m.String()} }

// Sum is an exact sum as the value of a property.
func Sum(m money.Micros) event.Value { return sum(m) }
