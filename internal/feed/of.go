package feed

import (
	"cmp"
	"math"

	"rapport/internal/core"
	"rapport/internal/core/decision"
	"rapport/internal/core/event"
	"rapport/internal/core/profile"
	"rapport/internal/core/wire"
)

// OfEvent returns the row of an event that was folded into p.
func OfEvent(p *profile.Profile, e *event.Event, now event.Time) Row {
	row := Row{
		Kind: Event, Known: p.Named(), Profile: p.ID, At: e.At, Now: now, Name: e.Name, Origin: e.Origin, Props: e.Props,
		Print: profile.Fingerprint(e.ID), Type: e.Type, Source: e.Source, Device: word(event.DeviceOf(e)),
		Where: word(cmp.Or(e.Props.Text("channel"), e.Context.Text("channel"))),
	}
	if s := &p.Session; e.IsVisit() && s.Count > 0 && e.At >= s.Start && e.At <= s.Last {
		row.Session = s.Start
	}
	if row.Name == "" {
		row.Name = e.Type.String()
	}
	if !event.IsOrder(e.Name) {
		return row
	}
	if o, err := event.OrderOf(e.Name, e.Props); err == nil {
		row.Order = &Order{ID: o.ID, Net: o.Net, Currency: o.Currency, Units: o.Units, Repeated: !counted(p, row.Print)}
	}
	return row
}

// counted reports whether the order that the event told of counts for p: one that
// was known already does not.
func counted(p *profile.Profile, by uint64) bool {
	for i := len(p.Orders) - 1; i >= 0; i-- {
		if p.Orders[i].By == by {
			return true
		}
	}
	return false
}

// OfDelivery returns the row of a delivery that reached a state.
func OfDelivery(p *profile.Profile, d *core.Delivery, now event.Time) Row {
	row := Row{
		Kind: Delivery, Profile: p.ID, At: now, Now: now, Name: d.Journey, ID: d.ID, State: d.State, Class: d.Class, Channel: d.Channel,
		Step: d.Step, Because: d.Because, Version: d.Version, Product: word(d.Product), Category: word(d.Category),
	}
	if r := d.Record; r != nil {
		row.Asked = &Asked{Claim: d.Claim, Outcome: r.Outcome, Rule: r.Rule, Reason: string(r.Reason), Chance: r.Chance}
	}
	return row
}

// Portrait is what is known of a customer beside what they did. It names nobody.
type Portrait struct {
	Born      event.Time
	Known     bool // by more than a device
	Country   string
	City      string
	Locale    string
	Zone      string
	Device    string
	Consents  string // "email/marketing sms/marketing": those granted
	Reachable string // "email sms": channels with an address that is not known to fail
	Lifecycle string // the stage of life at the end of the day on which they were last heard of
}

// OfPerson returns the row of what is known of a customer, and whether it changed
// with the last event. Was is the profile before. Signposts have no portrait: the
// customer is elsewhere. The portrait of nobody, the zero one, says that nobody is left.
func OfPerson(was, is *profile.Profile, now event.Time) (Row, bool) {
	if is.Born == 0 && was != nil && was.Born != 0 && is.Owner.Zero() { // an import that brought them was undone
		return Row{Kind: Person, Profile: is.ID, At: now, Now: now}, true
	}
	if is.Born == 0 || !is.Owner.Zero() || was != nil && alike(was, is) {
		return Row{}, false
	}
	portrait := portraitOf(is)
	if was != nil && was.Born != 0 && sameStage(was, is) && sameWords(was, is, &portrait) {
		return Row{}, false
	}
	portrait.Lifecycle = stageOf(is).String()
	return Row{Kind: Person, Profile: is.ID, At: now, Now: now, Portrait: portrait}, true
}

// alike reports whether nothing that a portrait shows was touched: profiles share
// what they have in common, so nearly always a few words are compared.
func alike(a, b *profile.Profile) bool {
	return a.Born == b.Born && a.Locale == b.Locale && a.Zone == b.Zone && a.Device == b.Device && sharesPerson(a, b) && sameStage(a, b)
}

// sharesPerson reports whether who somebody is and what they agreed to is the same piece
// of memory in both.
func sharesPerson(a, b *profile.Profile) bool {
	return shared(a.Traits, b.Traits) && shared(a.Consents, b.Consents) && shared(a.Held, b.Held) && shared(a.Health, b.Health)
}

// sameWords reports whether the portrait before was this one. Of two that share who the
// customer is, three words tell: mostly the device is another.
func sameWords(was, is *profile.Profile, portrait *Portrait) bool {
	if sharesPerson(was, is) {
		return was.Born == is.Born && word(was.Locale) == portrait.Locale && word(was.Zone) == portrait.Zone && word(was.Device) == portrait.Device
	}
	return portraitOf(was) == *portrait
}

// dayMillis is how long a day is: stages are noted by days.
const dayMillis = 86_400_000

// stageOf returns the stage at the end of the day, in UTC, on which the customer was
// last heard of. It follows from the profile alone, so that the row before said just
// this of the profile before. What silence makes of them later, no row tells: that
// the report of stages counts.
func stageOf(p *profile.Profile) profile.Stage {
	stage, _ := p.Lifecycle((p.Newest/dayMillis + 1) * dayMillis)
	return stage
}

// sameStage reports whether the stage stayed. Who has ordered is asked anew only with
// an order or a day: an event must not cost what their orders are many.
func sameStage(a, b *profile.Profile) bool {
	if len(b.Orders) > 0 && shared(a.Orders, b.Orders) && a.Newest/dayMillis == b.Newest/dayMillis {
		return true
	}
	return stageOf(a) == stageOf(b)
}

func shared[T any](a, b []T) bool { return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0]) }

// portraitOf returns the portrait without the stage of life.
func portraitOf(p *profile.Profile) Portrait {
	out := Portrait{
		Born: p.Born, Known: p.Named(), Country: trait(p, "country", "address.country"), City: trait(p, "city", "address.city"),
		Locale: word(p.Locale), Zone: word(p.Zone), Device: word(p.Device),
	}
	var few [96]byte
	consents := few[:0]
	for i, granted := 0, 0; i < len(p.Consents); i++ {
		if c := &p.Consents[i]; c.Granted {
			if granted++; granted > 1 {
				consents = append(consents, ' ')
			}
			from := len(consents)
			consents = append(append(append(consents, c.Channel...), '/'), c.Purpose...)
			if word(string(consents[from:])) == "" {
				consents = consents[:from]
			}
		}
	}
	out.Consents = string(consents)
	email, sms := reached(p, "email"), reached(p, "sms")
	switch {
	case email && sms:
		out.Reachable = "email sms"
	case email:
		out.Reachable = "email"
	case sms:
		out.Reachable = "sms"
	}
	return out
}

func reached(p *profile.Profile, channel string) bool {
	address := p.Address(channel)
	return address != "" && !fails(p, channel, address)
}

func fails(p *profile.Profile, channel, address string) bool {
	for i := range p.Health {
		if h := &p.Health[i]; h.Channel == channel && h.Address == address && h.State != profile.Healthy {
			return true
		}
	}
	return false
}

func trait(p *profile.Profile, paths ...string) string {
	for _, path := range paths {
		if v, ok := p.Trait(path); ok && v.Kind == event.String {
			return word(v.Raw)
		}
	}
	return ""
}

// maxWord is the longest text that a row holds outside of properties: names of
// cities, classes and channels are shorter, and what is longer is none.
const maxWord = 64

// word returns a text that names a thing; empty if it cannot, since it is too long
// or holds an address.
func word(s string) string {
	if len(s) > maxWord || holdsAddress(s) {
		return ""
	}
	return s
}

// appendHeard appends what version 2 knows of an event.
func (r *Row) appendHeard(dst []byte) []byte {
	dst = wire.Fixed(dst, r.Print)
	dst = append(dst, byte(r.Type))
	dst = wire.Text(dst, r.Source)
	dst = wire.Bool(dst, r.Session != 0)
	if r.Session != 0 {
		dst = wire.Varint(dst, int64(r.At-r.Session))
	}
	dst = wire.Text(dst, r.Device)
	return wire.Text(dst, r.Where)
}

func (r *Row) readHeard(from *wire.Reader) {
	r.Print, r.Type, r.Source = from.Fixed(), event.Type(from.Byte()), from.Text()
	if from.Bool() {
		r.Session = r.At - event.Time(from.Varint())
	}
	r.Device, r.Where = from.Text(), from.Text()
}

// appendSent appends what version 2 knows of a delivery.
func (r *Row) appendSent(dst []byte) []byte {
	dst = wire.Fixed(dst, r.Version)
	dst = wire.Text(dst, r.Product)
	dst = wire.Text(dst, r.Category)
	dst = wire.Bool(dst, r.Asked != nil)
	if a := r.Asked; a != nil {
		dst = wire.Bool(dst, a.Claim)
		dst = append(dst, byte(a.Outcome), byte(a.Rule))
		dst = wire.Text(dst, a.Reason)
		dst = wire.Fixed(dst, math.Float64bits(a.Chance))
	}
	return dst
}

func (r *Row) readSent(from *wire.Reader) {
	r.Version, r.Product, r.Category = from.Fixed(), from.Text(), from.Text()
	if from.Bool() {
		r.Asked = &Asked{
			Claim: from.Bool(), Outcome: decision.Outcome(from.Byte()), Rule: decision.Rule(from.Byte()), Reason: from.Text(),
			Chance: math.Float64frombits(from.Fixed()),
		}
	}
}

func (p *Portrait) append(dst []byte) []byte {
	dst = wire.Varint(dst, int64(p.Born))
	dst = wire.Bool(dst, p.Known)
	for _, s := range []string{p.Country, p.City, p.Locale, p.Zone, p.Device, p.Consents, p.Reachable, p.Lifecycle} {
		dst = wire.Text(dst, s)
	}
	return dst
}

func (p *Portrait) read(r *wire.Reader, version byte) {
	p.Born, p.Known = event.Time(r.Varint()), r.Bool()
	for _, s := range []*string{&p.Country, &p.City, &p.Locale, &p.Zone, &p.Device, &p.Consents, &p.Reachable} {
		*s = r.Text()
	}
	if version > 2 {
		p.Lifecycle = r.Text()
	}
}
