package profile

import (
	"cmp"
	"slices"
	"strings"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/money"
	"rapport/internal/core/wire"
)

// Folded says what of the profile an event touched, so that only questions about
// it are asked again.
type Folded struct {
	Traits      []string // names of traits that changed
	Consent     bool
	Reach       bool // an address or its health
	Device      bool
	Locale      bool
	Zone        bool
	Place       bool     // where the customer is
	Located     bool     // a point on the ground was named, and may be kept
	Predictions []string // names of predictions that were made or taken back
	Kept        []string // lists and types of objects, as OfList and OfObject name them

	Repeated bool         // an order that is known already: kept in the history, counted once
	Order    *event.Order // of an order event
	Unfit    string       // a trait whose value cannot be what its name says, and was left as it was
	Refused  []string     // what a public key tried and may not do, for the audit
}

// Fingerprint returns the fingerprint by which an event's id is remembered.
func Fingerprint(id event.ID) uint64 { return wire.Hash(string(id)) }

// Ask says whether a profile itself can tell that it has seen an id.
type Ask uint8

// The answers of [Profile.Sees].
const (
	Unseen     Ask = 0 // certainly new
	SeenBefore Ask = 1 // certainly a repetition
	AskMonth   Ask = 2 // the history of the month of the raw client time must tell
	AskAll     Ask = 3 // the whole history must tell: the client sent no time of its own
)

// Sees says whether p has applied the event before. Ids that fell out of Seen
// stand in the history block of the month of the raw client time; a client that
// repeats a message repeats its time. An event whose time is later than that of
// every id let go cannot be among them.
func (p *Profile) Sees(e *event.Event) Ask {
	f := Fingerprint(e.ID)
	if slices.Contains(p.Seen, f) {
		return SeenBefore
	}
	switch {
	case p.Evicted == 0 || e.Raw > p.Evicted:
		return Unseen
	case e.Raw == 0:
		return AskAll
	}
	return AskMonth
}

// Remember notes the id of an applied event.
func (p *Profile) Remember(e *event.Event) {
	p.remember(Fingerprint(e.ID))
	p.Newest = max(p.Newest, e.Raw, e.At)
}

// remember notes a fingerprint. The ids let go are half of those kept, so that the
// bound on their times, which decides whether the history must be asked, lies well
// behind the present.
func (p *Profile) remember(f uint64) {
	const half = SeenKept / 2
	if len(p.Seen) >= SeenKept {
		// Copy rather than shift: readers of older profiles share the array.
		p.Seen = append(make([]uint64, 0, SeenKept), p.Seen[len(p.Seen)-half:]...)
		p.Evicted = max(p.Evicted, p.Halfway)
	}
	if len(p.Seen) == half {
		p.Halfway = p.Newest
	}
	if len(p.Seen) == cap(p.Seen) {
		p.Seen = append(make([]uint64, 0, min(max(2*len(p.Seen), 8), SeenKept)), p.Seen...)
	}
	p.Seen = append(p.Seen, f)
}

// Fold folds a customer's event, a receipt or a consent into p, which must be
// the caller's own shallow copy. It does not touch series, segments or journeys:
// condition, insight and journey do. The event must not have been folded before.
func (p *Profile) Fold(e *event.Event, now event.Time) (f Folded) {
	p.Remember(e)
	p.Count++
	if e.Trust != event.Own {
		if p.First == 0 || e.At < p.First {
			p.First = e.At
		}
		p.Last = max(p.Last, e.At)
		switch m := e.At.Month(); {
		case m > p.Month:
			p.Month, p.InMonth = m, 1
		case m == p.Month:
			p.InMonth++
		}
	}
	if e.Traits != "" {
		p.foldTraits(e, e.Traits, &f)
	}
	if e.Context != "" && e.Trust != event.Own {
		p.foldContext(e, &f)
	}
	p.foldPromise(e)
	switch {
	case event.IsOrder(e.Name):
		p.foldOrder(e, &f)
	case e.Name == event.ConsentChanged:
		p.foldConsent(e, &f)
	case e.Name == event.Unsubscribed:
		channel := cmp.Or(e.Props.Text("channel"), "email")
		purpose := cmp.Or(e.Props.Text("purpose"), "marketing")
		p.say(Consent{
			Channel: clip(channel, 32), Purpose: clip(purpose, 64), At: e.At, Proof: event.ID(strings.Clone(string(e.ID))),
			Evidence: clip(cmp.Or(e.Props.Text("evidence"), "unsubscribed"), 200),
		})
		f.Consent = true
	case e.Name == event.Complained:
		channel := cmp.Or(e.Props.Text("channel"), "email")
		p.Ails(Health{Channel: channel, Address: cmp.Or(e.Props.Text("address"), p.Address(channel)), State: Complained, At: e.At, Why: e.Props.Text("detail")})
		f.Reach = true
	case e.Name == event.ListJoined, e.Name == event.ListLeft:
		p.foldList(e, &f)
	case e.Name == event.ObjectUpdated, e.Name == event.ObjectRemoved:
		p.foldObject(e, &f)
	case e.Name == event.PredictionMade:
		p.foldPredictions(e, &f)
	case e.Name == event.MessageBounced:
		p.foldBounce(e, &f)
	case e.Name == event.MessageDelivered, e.Name == event.MessageClicked, e.Name == event.MessageOpened:
		p.foldArrival(e)
	}
	p.foldWhere(e, now, &f)
	return f
}

// setTrait sets one trait if the event is newer than what is known. A null
// forgets the value and remembers when. A trait of a new name is refused if there
// are as many as most already.
func (p *Profile) setTrait(t Trait, most int) bool {
	i, found := slices.BinarySearchFunc(p.Traits, t.Name, func(t Trait, n string) int { return strings.Compare(t.Name, n) })
	if !found {
		if len(p.Traits) >= most {
			return false
		}
		p.Traits = slices.Insert(slices.Clip(p.Traits), i, t)
		return true
	}
	old := p.Traits[i]
	if old.At > t.At || old.At == t.At && old.By >= t.By {
		return false
	}
	p.Traits = slices.Clone(p.Traits)
	p.Traits[i] = t
	return old.Value != t.Value
}

// MaxTraits bounds the traits of one profile, and MaxTrait the bytes of one: a
// client that invents a new trait with every visit must not grow the hot row
// without end. The last of them are kept for the shop's own servers: who fills a
// profile up with a key out of a page must not keep an address from being known.
const (
	MaxTraits    = 300
	MaxTrait     = 4 << 10
	publicTraits = MaxTraits - 100
)

func (p *Profile) foldTraits(e *event.Event, traits event.Object, f *Folded) {
	by, most := Fingerprint(e.ID), MaxTraits
	if e.Trust == event.Public {
		most = publicTraits
	}
	traits.Each(func(name string, v event.Value) bool {
		if len(name) > 128 || len(v.Raw) > MaxTrait {
			return true
		}
		if e.Trust == event.Public && p.guarded(name, v) {
			f.Refused = append(f.Refused, name)
			return true
		}
		if name == "email" {
			id, ok := identity.Normal(identity.Email, v.String())
			switch {
			case ok:
				v = event.Text(id.Value)
			case v.Kind != event.Null && v.String() != "":
				f.Unfit = name // nobody could be written to, and an address that is known must not go
				return true
			}
		}
		if !p.setTrait(Trait{strings.Clone(name), event.Value{Kind: v.Kind, Raw: strings.Clone(v.Raw)}, e.At, by}, most) {
			return true
		}
		f.Traits = append(f.Traits, name)
		switch name {
		case "email", "phone":
			f.Reach = true
		case "timezone":
			p.Zone, f.Zone = clip(v.String(), 64), true
		case "locale":
			p.Locale, f.Locale = clip(v.String(), 64), true
		}
		return true
	})
}

// guarded reports whether a public key may not set the trait: a shop page's key
// is known to everybody, and who could set another's address would read their
// mail. An address that is known only as an identifier is an address all the same.
// Nor may it touch what decides whether a customer is written to.
func (p *Profile) guarded(name string, v event.Value) bool {
	switch name {
	case "email", "phone":
		kind, channel := identity.Email, "email"
		if name == "phone" {
			kind, channel = identity.Phone, "sms"
		}
		old := p.Address(channel)
		if t, known := p.Trait(name); known {
			old = t.String()
		}
		return old != "" && !sameAddress(kind, old, v.String())
	case "admin", "role", "vip", "tier", "loyalty_id", "loyalty_points", "complaint_open", "order_late", "conversation_open", "suppressed":
		return true
	}
	return strings.HasPrefix(name, "$")
}

// sameAddress reports whether two spellings are one address.
func sameAddress(kind identity.Kind, a, b string) bool {
	x, ok := identity.Normal(kind, a)
	y, fine := identity.Normal(kind, b)
	if ok && fine {
		return x == y
	}
	return strings.EqualFold(a, b)
}

func (p *Profile) foldContext(e *event.Event, f *Folded) {
	set := func(field *string, v string, changed *bool) {
		if v != "" && len(v) <= 64 && v != *field && e.At >= p.Last {
			*field, *changed = strings.Clone(v), true
		}
	}
	if _, said := p.Trait("timezone"); !said {
		set(&p.Zone, e.Context.Text("timezone"), &f.Zone)
	}
	if _, said := p.Trait("locale"); !said {
		set(&p.Locale, e.Context.Text("locale"), &f.Locale)
	}
	set(&p.Device, event.DeviceOf(e), &f.Device)
	if v, ok := e.Context.Get("traits"); ok && v.Kind == event.Map && e.Traits == "" {
		p.foldTraits(e, v.Object(), f)
	}
}

func (p *Profile) foldConsent(e *event.Event, f *Folded) {
	granted := false
	switch e.Props.Text("state") {
	case "granted":
		if e.Trust == event.Public {
			f.Refused = append(f.Refused, "consent")
			return // a page's key may withdraw consent and never give it
		}
		granted = true
	case "denied", "withdrawn":
	default:
		return
	}
	c := Consent{
		Channel: strings.Clone(cmp.Or(e.Props.Text("channel"), "email")), Purpose: strings.Clone(cmp.Or(e.Props.Text("purpose"), "marketing")),
		Granted: granted, At: e.At, Proof: event.ID(strings.Clone(string(e.ID))), Evidence: clip(e.Props.Text("evidence"), 200), Wording: clip(e.Props.Text("wording"), 64),
	}
	if len(c.Channel) > 32 || len(c.Purpose) > 64 {
		return
	}
	f.Consent = p.say(c)
}

// say takes a consent unless a newer one is known; of two at one instant the
// stricter holds.
func (p *Profile) say(c Consent) bool {
	i, found := slices.BinarySearchFunc(p.Consents, c, compareConsent)
	if !found {
		if len(p.Consents) >= maxConsents {
			return false
		}
		p.Consents = slices.Insert(slices.Clip(p.Consents), i, c)
		return true
	}
	old := p.Consents[i]
	if old.At > c.At || old.At == c.At && !old.Granted {
		return false
	}
	p.Consents = slices.Clone(p.Consents)
	p.Consents[i] = c
	return true
}

// maxConsents bounds channel × purpose: a shop has a dozen, a hostile client as
// many as it likes.
const maxConsents = 100

func compareConsent(a, b Consent) int {
	return cmp.Or(strings.Compare(a.Channel, b.Channel), strings.Compare(a.Purpose, b.Purpose))
}

func (p *Profile) foldOrder(e *event.Event, f *Folded) {
	order, err := event.OrderOf(e.Name, e.Props)
	if err != nil {
		// unreachable by the tracking API, which checks orders; an event forwarded
		// from an older version is kept in the history and counts nothing.
		return
	}
	kind, by := orderKind(e.Name), Fingerprint(e.ID)
	if kind != Refunded {
		for i := range p.Orders {
			if p.Orders[i].ID == order.ID && p.Orders[i].Kind == kind {
				f.Repeated = true
				return
			}
		}
	}
	f.Order = &order
	where := clip(cmp.Or(e.Props.Text("channel"), e.Context.Text("channel")), 32)
	o := Order{ID: strings.Clone(order.ID), Kind: kind, At: e.At, Net: order.Net, Currency: money.Currency(strings.Clone(string(order.Currency))), Units: order.Units, Where: where, By: by}
	if n := len(p.Orders); n == 0 || compareOrder(p.Orders[n-1], o) < 0 {
		p.Orders = append(p.Orders, o)
	} else {
		i, _ := slices.BinarySearchFunc(p.Orders, o, compareOrder)
		p.Orders = slices.Insert(slices.Clip(p.Orders), i, o)
	}
	p.foldLines(order.Lines, kind, e.At, where)
}

func compareOrder(a, b Order) int {
	return cmp.Or(cmp.Compare(a.At, b.At), strings.Compare(a.ID, b.ID), cmp.Compare(a.By, b.By))
}

func orderKind(name string) OrderKind {
	switch name {
	case event.OrderRefunded:
		return Refunded
	case event.OrderCancelled:
		return Cancelled
	}
	return Completed
}

func (p *Profile) foldLines(lines []event.Line, kind OrderKind, at event.Time, where string) {
	if len(lines) == 0 {
		return
	}
	bought := append(make([]Bought, 0, len(p.Bought)+min(len(lines), MaxBought)), p.Bought...)
	var seen map[string]struct{} // an order with two lines of one SKU is one purchase of it
	if len(lines) > 1 {
		seen = make(map[string]struct{}, len(lines))
	}
	for n := range lines {
		l := &lines[n]
		if l.SKU == "" || len(l.SKU) > 128 || kind == Completed && l.Quantity <= 0 {
			continue
		}
		if _, again := seen[l.SKU]; again {
			continue
		}
		if seen != nil {
			seen[l.SKU] = struct{}{}
		}
		i, found := slices.BinarySearchFunc(bought, l.SKU, func(b Bought, sku string) int { return strings.Compare(b.SKU, sku) })
		switch {
		case kind != Completed:
			// Returned: one purchase less. The instants stay, as it was bought then.
			if found && bought[i].Count > 0 {
				bought[i].Count--
			}
		case found:
			b := &bought[i]
			b.First, b.Count = min(b.First, at), b.Count+1
			if at > b.Last {
				b.Last, b.Where = at, where
				b.Name, b.Category = cmp.Or(clip(l.Name, 128), b.Name), cmp.Or(clip(l.Category, 128), b.Category)
			}
		default:
			bought = slices.Insert(bought, i, Bought{
				SKU: strings.Clone(l.SKU), Product: clip(l.Product, 128), Name: clip(l.Name, 128), Category: clip(l.Category, 128),
				First: at, Last: at, Count: 1, Where: where,
			})
		}
	}
	p.Bought = keepLatest(bought)
}

// keepLatest drops what was bought longest ago; of one instant, the last by SKU.
func keepLatest(bought []Bought) []Bought {
	if len(bought) <= MaxBought {
		return bought
	}
	ages := make([]event.Time, len(bought))
	for i := range bought {
		ages[i] = bought[i].Last
	}
	slices.Sort(ages)
	drop := len(bought) - MaxBought
	oldest, older := ages[drop], 0
	for older < drop && ages[older] < oldest {
		older++
	}
	room := -drop + older // of those bought at the instant oldest, so many stay
	for _, age := range ages[older:] {
		if age == oldest {
			room++
		}
	}
	return slices.DeleteFunc(bought, func(b Bought) bool {
		if b.Last == oldest {
			room--
			return room < 0
		}
		return b.Last < oldest
	})
}

// clip returns at most n bytes of s as a text of its own: what a profile keeps
// must not hold on to the record that it came in.
func clip(s string, n int) string {
	if len(s) <= n {
		return strings.Clone(s)
	}
	return strings.ToValidUTF8(strings.Clone(s[:n]), "")
}

// Spent returns the sum of orders less refunds in the currency, of all time. Beyond
// nine trillion, which no customer spends, it stands still.
func (p *Profile) Spent(currency, base money.Currency) (m money.Micros) {
	for i := range p.Orders {
		if c := p.Orders[i].Currency; c == currency || c == "" && currency == base {
			if sum, err := m.Plus(p.Orders[i].Net); err == nil {
				m = sum
			}
		}
	}
	return m
}
