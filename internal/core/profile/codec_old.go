package profile

import (
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/money"
	"rapport/internal/core/wire"
)

// readInOne reads a profile of version 1 to 3 behind its version: everything in one
// piece, instants as they are. Version 1 kept 256 ids and no Halfway, version 2 had
// no sections.
func (p *Profile) readInOne(r *wire.Reader, version byte) {
	copy(p.ID[:], r.Bytes(len(p.ID)))
	copy(p.Owner[:], r.Bytes(len(p.Owner)))
	p.Birth = readIdentifier(r)
	p.Born = event.Time(r.Varint())
	p.Program = r.Fixed()
	p.Strands = read(r, 16, func(r *wire.Reader) (id identity.ID) {
		copy(id[:], r.Bytes(len(id)))
		return id
	})
	p.Held = read(r, 4, func(r *wire.Reader) Held {
		return Held{readIdentifier(r), Holding(r.Byte()), event.Time(r.Varint())}
	})
	p.Traits = read(r, 12, func(r *wire.Reader) Trait {
		return Trait{r.Text(), event.Value{Kind: event.Kind(r.Byte()), Raw: r.Text()}, event.Time(r.Varint()), r.Fixed()}
	})
	p.Consents = read(r, 8, func(r *wire.Reader) Consent {
		return Consent{r.Text(), r.Text(), r.Bool(), event.Time(r.Varint()), event.ID(r.Text()), r.Text(), r.Text(), event.Time(r.Varint())}
	})
	p.Health = read(r, 6, func(r *wire.Reader) Health {
		return Health{r.Text(), r.Text(), AddressState(r.Byte()), event.Time(r.Varint()), r.Text(), int32(r.Varint())}
	})
	p.readShopping(r)
	p.Segments = read(r, 11, func(r *wire.Reader) Membership {
		return Membership{r.Fixed(), r.Bool(), event.Time(r.Varint()), event.Time(r.Varint())}
	})
	p.Journeys = read(r, 41, readInstance)
	p.Past = read(r, 5, readPast)
	p.Open = read(r, 43, readDelivery)
	p.Contacts = read(r, 20, func(r *wire.Reader) (c Contact) {
		c.At, c.Channel, c.Journey, c.Class = event.Time(r.Varint()), r.Text(), r.Text(), Class(r.Byte())
		copy(c.ID[:], r.Bytes(len(c.ID)))
		return c
	})
	p.Zone, p.Locale, p.Device = r.Text(), r.Text(), r.Text()
	p.First, p.Last = event.Time(r.Varint()), event.Time(r.Varint())
	p.Count, p.Month, p.InMonth = r.Varint(), int32(r.Varint()), int32(r.Varint())
	p.Seen = read(r, 8, (*wire.Reader).Fixed)
	p.Newest = event.Time(r.Varint())
	p.Halfway = p.Newest
	if version > 1 {
		p.Halfway = event.Time(r.Varint())
	}
	p.Evicted, p.Alarm = event.Time(r.Varint()), event.Time(r.Varint())
	if over := len(p.Seen) - SeenKept; over > 0 {
		p.Seen, p.Evicted = p.Seen[over:], p.Newest
	}
	if version > 2 && readSections(r, p, sections) != cutOff {
		r.Fail("a part of a profile that is not known, or stands at the wrong place")
	}
}

func (p *Profile) readShopping(r *wire.Reader) {
	last := event.Time(0)
	p.Orders = read(r, 15, func(r *wire.Reader) (o Order) {
		o.ID, o.Kind = r.Text(), OrderKind(r.Byte())
		last += event.Time(r.Varint())
		o.At, o.Net, o.Currency = last, money.Micros(r.Varint()), money.Currency(r.Text())
		o.Units, o.Where, o.By = r.Varint(), r.Text(), r.Fixed()
		return o
	})
	p.Bought = read(r, 8, func(r *wire.Reader) (b Bought) {
		b.SKU, b.Product, b.Name, b.Category = r.Text(), r.Text(), r.Text(), r.Text()
		b.First = event.Time(r.Varint())
		b.Last = b.First + event.Time(r.Varint())
		b.Count, b.Where = int32(r.Varint()), r.Text()
		return b
	})
	p.Session.Start = event.Time(r.Varint())
	p.Session.Last = p.Session.Start + event.Time(r.Varint())
	p.Session.Count = r.Varint()
	p.Series = read(r, 13, func(r *wire.Reader) *Series {
		s := &Series{Key: r.Fixed(), Count: r.Varint(), Sum: money.Micros(r.Varint()), First: event.Time(r.Varint())}
		s.Last = s.First + event.Time(r.Varint())
		last := s.First
		s.Obs = read(r, 2, func(r *wire.Reader) (o Obs) {
			last += event.Time(r.Varint())
			o.At = last
			flags := r.Byte()
			if flags&1 != 0 {
				o.Value = money.Micros(r.Varint())
			}
			if flags&2 != 0 {
				o.Tag = r.Fixed()
			}
			return o
		})
		return s
	})
}

func readInstance(r *wire.Reader) (in Instance) {
	in.Journey = r.Text()
	in.Version = r.Fixed()
	in.Key = r.Text()
	in.Step = r.Text()
	in.Entered = event.Time(r.Varint())
	in.Since = event.Time(r.Varint())
	in.Wake = event.Time(r.Varint())
	in.Check = event.Time(r.Varint())
	in.Arrivals = int32(r.Varint())
	in.Burst = int32(r.Varint())
	in.Sent = int32(r.Varint())
	in.Unsent = int32(r.Varint())
	in.Held = r.Bool()
	in.Trigger = event.ID(r.Text())
	in.TriggerAt = event.Time(r.Varint())
	in.Name = r.Text()
	in.Props = event.Object(r.Text())
	in.Product = r.Text()
	copy(in.Waiting[:], r.Bytes(len(in.Waiting)))
	return in
}
