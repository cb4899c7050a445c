package profile

import (
	"bytes"
	"slices"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/money"
	"rapport/internal/core/wire"
)

// hasRest reports whether there is anything in the rest. Signposts and visitors
// have nothing there.
func (p *Profile) hasRest() bool {
	if len(p.Strands)+len(p.Held)+len(p.Traits)+len(p.Consents)+len(p.Health)+len(p.Orders)+len(p.Bought)+
		len(p.Journeys)+len(p.Past)+len(p.Open)+len(p.Contacts) > 0 {
		return true
	}
	return slices.ContainsFunc(sections, func(s section) bool { return !s.empty(p) })
}

// AppendRest appends what changes seldom: who the customer is, what they agreed to,
// bought and were sent, and what they entered each journey with. It appends nothing
// if there is nothing; the hot part says whether a rest follows.
func (p *Profile) AppendRest(dst []byte) []byte {
	if !p.hasRest() {
		return dst
	}
	dst = append(dst, codecVersion)
	dst = wire.Uvarint(dst, uint64(len(p.Strands)))
	for i := range p.Strands {
		dst = append(dst, p.Strands[i][:]...)
	}
	dst = wire.Uvarint(dst, uint64(len(p.Held)))
	for i := range p.Held {
		h := &p.Held[i]
		dst = appendIdentifier(dst, h.Identifier)
		dst = append(dst, byte(h.State))
		dst = wire.Varint(dst, int64(h.At))
	}
	dst = wire.Uvarint(dst, uint64(len(p.Traits)))
	for i := range p.Traits {
		t := &p.Traits[i]
		dst = wire.Text(dst, t.Name)
		dst = append(dst, byte(t.Value.Kind))
		dst = wire.Text(dst, t.Value.Raw)
		dst = wire.Varint(dst, int64(t.At))
		dst = wire.Fixed(dst, t.By)
	}
	dst = p.appendReach(dst)
	dst = p.appendShopping(dst)
	dst = wire.Uvarint(dst, uint64(len(p.Journeys)))
	for i := range p.Journeys {
		dst = appendEntry(dst, &p.Journeys[i])
	}
	dst = wire.Uvarint(dst, uint64(len(p.Past)))
	for i := range p.Past {
		dst = appendPast(dst, &p.Past[i])
	}
	dst = wire.Uvarint(dst, uint64(len(p.Open)))
	for i := range p.Open {
		dst = appendDelivery(dst, &p.Open[i])
	}
	dst = wire.Uvarint(dst, uint64(len(p.Contacts)))
	for i := range p.Contacts {
		c := &p.Contacts[i]
		dst = wire.Varint(dst, int64(c.At))
		dst = wire.Text(dst, c.Channel)
		dst = wire.Text(dst, c.Journey)
		dst = append(dst, byte(c.Class))
		dst = append(dst, c.ID[:]...)
	}
	return append(appendSections(dst, p, sections), noRest)
}

func (p *Profile) appendReach(dst []byte) []byte {
	dst = wire.Uvarint(dst, uint64(len(p.Consents)))
	for i := range p.Consents {
		c := &p.Consents[i]
		dst = wire.Text(dst, c.Channel)
		dst = wire.Text(dst, c.Purpose)
		dst = wire.Bool(dst, c.Granted)
		dst = wire.Varint(dst, int64(c.At))
		dst = wire.Text(dst, c.Proof)
		dst = wire.Text(dst, c.Evidence)
		dst = wire.Text(dst, c.Wording)
		dst = wire.Varint(dst, int64(c.Expires))
	}
	dst = wire.Uvarint(dst, uint64(len(p.Health)))
	for i := range p.Health {
		h := &p.Health[i]
		dst = wire.Text(dst, h.Channel)
		dst = wire.Text(dst, h.Address)
		dst = append(dst, byte(h.State))
		dst = wire.Varint(dst, int64(h.At))
		dst = wire.Text(dst, h.Why)
		dst = wire.Varint(dst, int64(h.Soft))
	}
	return dst
}

func (p *Profile) appendShopping(dst []byte) []byte {
	dst = wire.Uvarint(dst, uint64(len(p.Orders)))
	last := event.Time(0)
	for i := range p.Orders {
		o := &p.Orders[i]
		dst = wire.Text(dst, o.ID)
		dst = append(dst, byte(o.Kind))
		dst = wire.Varint(dst, int64(o.At-last))
		last = o.At
		dst = wire.Varint(dst, int64(o.Net))
		dst = wire.Text(dst, o.Currency)
		dst = wire.Varint(dst, o.Units)
		dst = wire.Text(dst, o.Where)
		dst = wire.Fixed(dst, o.By)
	}
	dst = wire.Uvarint(dst, uint64(len(p.Bought)))
	for i := range p.Bought {
		b := &p.Bought[i]
		dst = wire.Text(dst, b.SKU)
		dst = wire.Text(dst, b.Product)
		dst = wire.Text(dst, b.Name)
		dst = wire.Text(dst, b.Category)
		dst = wire.Varint(dst, int64(b.First))
		dst = wire.Varint(dst, int64(b.Last-b.First))
		dst = wire.Varint(dst, int64(b.Count))
		dst = wire.Text(dst, b.Where)
	}
	return dst
}

// readRest reads a rest. The hot part has said how many instances there are.
func (p *Profile) readRest(r *wire.Reader, room *Room) {
	if version := r.Byte(); r.Err() == nil && version != codecVersion {
		r.Fail("the rest of a profile of an unknown version")
		return
	}
	p.readPerson(r, room)
	p.readOrders(r, room)
	if n := r.Len(17); n != len(p.Journeys) {
		r.Fail("the parts of a profile are in different journeys")
		return
	}
	for i := range p.Journeys {
		readEntry(r, &p.Journeys[i])
	}
	p.readSent(r, room)
	if readSections(r, p, sections) != noRest {
		r.Fail("a part of a profile that is not known, or stands at the wrong place")
	}
}

func (p *Profile) readPerson(r *wire.Reader, room *Room) {
	p.Strands = readInto(room.p.Strands, r, 16, func(r *wire.Reader) (id identity.ID) {
		copy(id[:], r.Bytes(len(id)))
		return id
	})
	p.Held = readInto(room.p.Held, r, 4, func(r *wire.Reader) Held {
		return Held{readIdentifier(r), Holding(r.Byte()), event.Time(r.Varint())}
	})
	p.Traits = readInto(room.p.Traits, r, 12, func(r *wire.Reader) Trait {
		return Trait{r.Text(), event.Value{Kind: event.Kind(r.Byte()), Raw: r.Text()}, event.Time(r.Varint()), r.Fixed()}
	})
	p.Consents = readInto(room.p.Consents, r, 8, func(r *wire.Reader) Consent {
		return Consent{r.Text(), r.Text(), r.Bool(), event.Time(r.Varint()), event.ID(r.Text()), r.Text(), r.Text(), event.Time(r.Varint())}
	})
	p.Health = readInto(room.p.Health, r, 6, func(r *wire.Reader) Health {
		return Health{r.Text(), r.Text(), AddressState(r.Byte()), event.Time(r.Varint()), r.Text(), int32(r.Varint())}
	})
}

func (p *Profile) readOrders(r *wire.Reader, room *Room) {
	last := event.Time(0)
	p.Orders = readInto(room.p.Orders, r, 15, func(r *wire.Reader) (o Order) {
		o.ID, o.Kind = r.Text(), OrderKind(r.Byte())
		last += event.Time(r.Varint())
		o.At, o.Net, o.Currency = last, money.Micros(r.Varint()), money.Currency(r.Text())
		o.Units, o.Where, o.By = r.Varint(), r.Text(), r.Fixed()
		return o
	})
	p.Bought = readInto(room.p.Bought, r, 8, func(r *wire.Reader) (b Bought) {
		b.SKU, b.Product, b.Name, b.Category = r.Text(), r.Text(), r.Text(), r.Text()
		b.First = event.Time(r.Varint())
		b.Last = b.First + event.Time(r.Varint())
		b.Count, b.Where = int32(r.Varint()), r.Text()
		return b
	})
}

func (p *Profile) readSent(r *wire.Reader, room *Room) {
	p.Past = readInto(room.p.Past, r, 5, readPast)
	p.Open = readInto(room.p.Open, r, 43, readDelivery)
	p.Contacts = readInto(room.p.Contacts, r, 20, func(r *wire.Reader) (c Contact) {
		c.At, c.Channel, c.Journey, c.Class = event.Time(r.Varint()), r.Text(), r.Text(), Class(r.Byte())
		copy(c.ID[:], r.Bytes(len(c.ID)))
		return c
	})
}

// SameRest reports whether the rest of p is that of old, which p grew from: then
// the hot part of p alone says what changed. A list is the same if it is the same
// piece of memory, since nothing in it is changed in place; a no costs a write and
// a wrong yes a customer's state. Sections are few and are compared as they are
// written.
func (p *Profile) SameRest(old *Profile) bool {
	if !same(p.Strands, old.Strands) || !same(p.Held, old.Held) || !same(p.Traits, old.Traits) || !same(p.Consents, old.Consents) ||
		!same(p.Health, old.Health) || !same(p.Orders, old.Orders) || !same(p.Bought, old.Bought) || !same(p.Past, old.Past) ||
		!same(p.Open, old.Open) || !same(p.Contacts, old.Contacts) || !sameEntries(p.Journeys, old.Journeys) {
		return false
	}
	for i := range sections {
		s := &sections[i]
		if none := s.empty(p); none || s.empty(old) {
			if none != s.empty(old) {
				return false
			}
			continue
		}
		if !bytes.Equal(s.append(p, nil), s.append(old, nil)) {
			return false
		}
	}
	return true
}

// Same reports whether p, which grew from old, differs from it in nothing but the
// program under which it was evaluated. As with SameRest a list is the same if it is
// the same piece of memory; a no costs a write.
func (p *Profile) Same(old *Profile) bool {
	return p.ID == old.ID && p.Owner == old.Owner && p.Birth == old.Birth && p.Born == old.Born && p.Where == old.Where &&
		p.Zone == old.Zone && p.Locale == old.Locale && p.Device == old.Device && p.First == old.First && p.Last == old.Last &&
		p.Count == old.Count && p.Month == old.Month && p.InMonth == old.InMonth && p.Session == old.Session &&
		p.Newest == old.Newest && p.Halfway == old.Halfway && p.Evicted == old.Evicted && p.Alarm == old.Alarm &&
		same(p.Strands, old.Strands) && same(p.Held, old.Held) && same(p.Traits, old.Traits) && same(p.Consents, old.Consents) &&
		same(p.Health, old.Health) && same(p.Orders, old.Orders) && same(p.Bought, old.Bought) && same(p.Series, old.Series) &&
		same(p.Segments, old.Segments) && same(p.Journeys, old.Journeys) && same(p.Past, old.Past) && same(p.Open, old.Open) &&
		same(p.Contacts, old.Contacts) && same(p.Predictions, old.Predictions) && same(p.Scores, old.Scores) && same(p.Tastes, old.Tastes) &&
		same(p.Lists, old.Lists) && same(p.Objects, old.Objects) && same(p.Tallies, old.Tallies) && same(p.Visits, old.Visits) &&
		same(p.Glances, old.Glances) && same(p.Looks, old.Looks) && same(p.HandOvers, old.HandOvers) && same(p.Seen, old.Seen) && same(p.Untils, old.Untils)
}

func same[T any](a, b []T) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0])
}
