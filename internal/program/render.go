package program

import (
	"strconv"
	"strings"
	"sync"
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

// scratches is memory for renderings: a campaign words thousands a second.
var scratches = sync.Pool{New: func() any { return new(content.Scratch) }}

// maxPerson bounds the name in To: what a stranger typed into a form.
const maxPerson = 120

// Render words a delivery for its customer as they are now. It is called after
// the claim, with the profile that the gate saw.
//
// What the words may speak of:
//
//	customer          the customer's traits by name, and email; scores and tiers by the
//	                  score's name, likes by that of an affinity, the most first
//	trigger           the properties of what let them into the journey
//	order             of a trigger that is an order: id, total, currency, items
//	product           what the message is about: sku, name, category, price; url,
//	                  image, was, currency, available if the catalogue knows it
//	reason            why this person gets it, a sentence without its full stop
//	shop              name, website, postal, currency, logo: of the brand that speaks
//	brand             colors, fonts, logo
//	locale            the language that the reader is written to in: "de"
//	unsubscribe_url, preferences_url, view_url
//	confirm_url       in the mail that answers a sign-up, and only there
//
// Sentences are those of the reader's language ([Locales]). Dates are told in the
// customer's time zone. Links are signed and a picture
// tells of the opening only for customers who agreed to that; else the message is
// free of both.
//
// A value that is missing, a template that is not there or a channel without a
// sender is an error of kind Invalid: the message must not leave half-filled. A
// template that uses up its budget is TooLarge. A template that gives the message
// up is a [*content.Aborted], which is no failure. The same arguments always give
// the same message.
func (p *Program) Render(d *profile.Delivery, who *profile.Profile, now event.Time, links Links) (channels.Message, error) {
	var m channels.Message
	t, err := p.template(d.Template)
	if err != nil {
		return m, err
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
	if b := p.bought(d, who, now); b != nil {
		return m, &content.Aborted{Reason: "they just bought it: " + b.SKU}
	}
	vars, env := p.variables(d, who, address, who.Locale, &sender, now)
	view := links.View(ref)
	env.Shared["unsubscribe_url"], env.Shared["preferences_url"], env.Shared["view_url"] = out, prefs, view
	confirm := confirmable(env.Shared, d, ref, now, links)
	scratch := scratches.Get().(*content.Scratch)
	env.Scratch = scratch
	media(&env, links)
	words, err := t.words.Render(vars, env)
	scratches.Put(scratch) // after a panic it is not put back: what it holds may be half made
	if err != nil {
		return m, err
	}
	m = message(d, who, sender, words, now)
	m.To.Address = address
	if m.HTML != "" && who.Allows(d.Channel, TrackPurpose(d.Channel), now) {
		m.HTML = measure(m.HTML, ref, links, out, prefs, view, confirm)
	}
	if d.Channel == "email" {
		p.envelope(&m, d, &sender, out, links)
	}
	return m, nil
}

// template returns a template by its name, or a fault of kind Invalid.
func (p *Program) template(name string) (*Template, error) {
	if t := p.Templates[name]; t != nil {
		return t, nil
	}
	return nil, fault.New(fault.Invalid, "there is no template "+strconv.Quote(name))
}

// message addresses words.
func message(d *profile.Delivery, who *profile.Profile, sender Sender, words content.Rendered, now event.Time) channels.Message {
	m := channels.Message{
		Delivery: d.ID.String(), Channel: d.Channel,
		From:    channels.Party{Name: sender.FromName, Address: sender.From},
		ReplyTo: channels.Party{Address: sender.ReplyTo},
		To:      channels.Party{Name: personName(who)},
		Bounce:  sender.Bounce, Domain: sender.Domain, Date: now, Service: d.Class == profile.Service,
		Subject: words.Subject, HTML: words.HTML, Text: words.Text,
	}
	if d.Channel == "email" {
		m.MessageID = "<" + m.Delivery + "@" + sender.fromDomain() + ">"
	}
	return m
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

// variables are what the words may speak of, and what the rendering may know
// beside them.
func (p *Program) variables(d *profile.Delivery, who *profile.Profile, address, locale string, sender *Sender, now event.Time) (content.Vars, content.Env) {
	customer := make(map[string]any, len(who.Traits)+2)
	for i := range who.Traits {
		if who.Traits[i].Value.Kind != event.Null {
			customer[who.Traits[i].Name] = who.Traits[i].Value
		}
	}
	for i := range p.Traits {
		if v, ok := p.Traits[i].Value(who, now); ok {
			customer[p.Traits[i].Name] = v
		} else {
			delete(customer, p.Traits[i].Name) // what was sent under the name is not what is meant
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
	if d.Channel == "email" && address != "" {
		customer["email"] = address
	}
	p.understood(customer, who, now)
	vars := content.Vars{"customer": customer, "trigger": d.Props}
	known := goods{p.Products, d, who, p.Core.Gate.Policy.Owning(), now}
	if d.Product != "" || d.Category != "" {
		vars["product"] = known.subject()
	}
	if o, err := event.OrderOf(event.OrderCompleted, d.Props); err == nil {
		vars["order"] = p.orderOf(&o, known)
	}
	language, words := p.Locales.For(locale)
	return vars, content.Env{
		Now: now, Zone: p.zoneOf(who), Customs: p.customs(locale, language), Words: words, Product: known.product, Recommend: known.recommend,
		Shared: content.Vars{
			"reason": strings.TrimSuffix(d.Reason, "."), "locale": language, "shop": p.shopFor(d.Purpose, sender), "brand": p.brandFor(d.Purpose, sender),
		},
	}
}

// customs are those by which a message writes sums and dates: of the reader's country if
// it is written in their language, else of the shop's if it is written in its own, and
// else of the language alone. English words are never beside a German month.
func (p *Program) customs(locale, language string) *content.Customs {
	for _, tag := range []string{locale, p.Locale} {
		if content.Speaks(tag, language) {
			return content.CustomsOf(tag)
		}
	}
	return content.CustomsOf(language)
}

// maxItems bounds the lines of an order that a message can list.
const maxItems = 100

func (p *Program) orderOf(o *event.Order, known goods) map[string]any {
	items := []any{}
	for i := range o.Lines[:min(len(o.Lines), maxItems)] {
		l := &o.Lines[i]
		item := map[string]any{
			"sku": l.SKU, "name": l.Name, "category": l.Category, "quantity": float64(l.Quantity) / 1000,
			"price": l.Price.String(), "total": l.Net.String(),
		}
		known.look(item, l.SKU)
		items = append(items, item)
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
