package program

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"rapport/internal/channels"
	"rapport/internal/core/content"
	"rapport/internal/core/event"
	"rapport/internal/core/profile"
	"rapport/internal/fault"
	"rapport/internal/site"
)

// TrackPurpose returns the purpose by which customers agree that their dealing
// with a channel's messages is measured: "track.email".
func TrackPurpose(channel string) string { return "track." + channel }

// maxPerson bounds the name in To: what a stranger typed into a form.
const maxPerson = 120

// Render words a delivery for its customer as they are now. It is called after
// the claim, with the profile that the gate saw.
//
// What the words may speak of:
//
//	customer          the customer's traits by name, and email
//	trigger           the properties of what let them into the journey
//	order             of a trigger that is an order: id, total, currency, items
//	product           what the message is about: sku, name, category, price
//	reason            why this person gets it, a sentence without its full stop
//	shop              name, website, postal, currency, logo: of the brand that speaks
//	unsubscribe_url, preferences_url
//
// Dates are told in the customer's time zone. Links are signed and a picture
// tells of the opening only for customers who agreed to that; else the message is
// free of both.
//
// A value that is missing, a template that is not there or a channel without a
// sender is an error of kind Invalid: the message must not leave half-filled. A
// template that uses up its budget is TooLarge. The same arguments always give
// the same message.
func (p *Program) Render(d *profile.Delivery, who *profile.Profile, now event.Time, links Links) (channels.Message, error) {
	var m channels.Message
	t := p.Templates[d.Template]
	if t == nil {
		return m, fault.New(fault.Invalid, "there is no template "+strconv.Quote(d.Template))
	}
	sender, ok := p.SenderOf(d, who)
	if !ok {
		return m, fault.New(fault.Invalid, "nobody is set up to send "+d.Purpose+" by "+d.Channel)
	}
	address := who.Address(d.Channel)
	if address == "" {
		return m, fault.New(fault.Invalid, "the customer has no address for "+d.Channel)
	}
	ref := site.Delivery{ID: d.ID.String(), Profile: who.ID, Channel: d.Channel, Purpose: d.Purpose}
	out, prefs := links.Unsubscribe(ref), links.Preferences(ref)
	if out == "" {
		return m, fault.New(fault.Invalid, "no way out could be signed for the message")
	}
	vars := p.variables(d, who, address, &sender)
	vars["unsubscribe_url"], vars["preferences_url"] = out, prefs
	words, err := t.words.Render(vars, content.Env{Now: now, Zone: p.zoneOf(who)})
	if err != nil {
		return m, err
	}
	m = channels.Message{
		Delivery: d.ID.String(), Channel: d.Channel,
		From:    channels.Party{Name: sender.FromName, Address: sender.From},
		ReplyTo: channels.Party{Address: sender.ReplyTo},
		To:      channels.Party{Name: personName(who), Address: address},
		Bounce:  sender.Bounce, Domain: sender.Domain, Date: now, Service: d.Class == profile.Service,
		Subject: words.Subject, HTML: words.HTML, Text: words.Text,
	}
	if m.HTML != "" && who.Allows(d.Channel, TrackPurpose(d.Channel), now) {
		m.HTML = measure(m.HTML, ref, links, out, prefs)
	}
	if d.Channel == "email" {
		p.envelope(&m, d, &sender, out, links)
	}
	return m, nil
}

// zoneOf returns the customer's time zone, the shop's if it is not known.
func (p *Program) zoneOf(who *profile.Profile) *time.Location {
	if who.Zone != "" {
		if loc := p.Core.Zones(who.Zone); loc != nil {
			return loc
		}
	}
	return p.Zone
}

// variables are what the words may speak of.
func (p *Program) variables(d *profile.Delivery, who *profile.Profile, address string, sender *Sender) content.Vars {
	customer := map[string]any{}
	for i := range who.Traits {
		if who.Traits[i].Value.Kind != event.Null {
			customer[who.Traits[i].Name] = who.Traits[i].Value
		}
	}
	// Segment's own spec writes firstName; shops write both.
	for _, same := range [][2]string{{"first_name", "firstName"}, {"last_name", "lastName"}} {
		if _, there := customer[same[0]]; !there {
			if v, other := customer[same[1]]; other {
				customer[same[0]] = v
			}
		}
	}
	if d.Channel == "email" {
		customer["email"] = address
	}
	vars := content.Vars{
		"customer": customer, "trigger": d.Props, "reason": strings.TrimSuffix(d.Reason, "."),
		"shop": p.shopFor(d.Purpose, sender),
	}
	if d.Product != "" || d.Category != "" {
		vars["product"] = productOf(d, who)
	}
	if o, err := event.OrderOf(event.OrderCompleted, d.Props); err == nil {
		vars["order"] = p.orderOf(&o)
	}
	return vars
}

// productOf says what is known of the product that the message is about: from
// what the customer bought, else from the trigger.
func productOf(d *profile.Delivery, who *profile.Profile) map[string]any {
	product := map[string]any{}
	set := func(key, value string) {
		if _, there := product[key]; !there && value != "" {
			product[key] = value
		}
	}
	set("sku", d.Product)
	set("category", d.Category)
	if d.Product == "" {
		return product
	}
	if i := slices.IndexFunc(who.Bought, func(b profile.Bought) bool { return b.SKU == d.Product }); i >= 0 {
		set("name", who.Bought[i].Name)
		set("category", who.Bought[i].Category)
	}
	lines := []event.Object{d.Props}
	if v, ok := d.Props.Get("products"); ok {
		v.Items(func(item event.Value) bool {
			lines = append(lines, item.Object())
			return true
		})
	}
	for _, l := range lines {
		if l.Text("sku") == d.Product || l.Text("product_id") == d.Product {
			set("name", l.Text("name"))
			set("category", l.Text("category"))
			set("price", l.Text("price"))
		}
	}
	return product
}

// maxItems bounds the lines of an order that a message can list.
const maxItems = 100

func (p *Program) orderOf(o *event.Order) map[string]any {
	items := []any{}
	for i := range o.Lines[:min(len(o.Lines), maxItems)] {
		l := &o.Lines[i]
		items = append(items, map[string]any{
			"sku": l.SKU, "name": l.Name, "category": l.Category, "quantity": float64(l.Quantity) / 1000,
			"price": l.Price.String(), "total": l.Net.String(),
		})
	}
	currency := o.Currency
	if currency == "" {
		currency = p.Currency
	}
	return map[string]any{"id": o.ID, "total": o.Net.String(), "currency": string(currency), "items": items}
}

// personName returns the customer's name for To; empty if it is not known.
func personName(who *profile.Profile) string {
	name := func(keys ...string) string {
		for _, k := range keys {
			if v, ok := who.Trait(k); ok && v.Kind == event.String && strings.TrimSpace(v.Raw) != "" {
				return strings.TrimSpace(v.Raw)
			}
		}
		return ""
	}
	full := strings.TrimSpace(name("first_name", "firstName") + " " + name("last_name", "lastName"))
	if full == "" {
		full = name("name")
	}
	if len(full) > maxPerson {
		return ""
	}
	return full
}
