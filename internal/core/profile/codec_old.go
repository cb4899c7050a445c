package profile

import (
	"rapport/internal/core/event"
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
	room := &Room{}
	p.readPerson(r, room)
	p.readShopping(r, room)
	p.Segments = read(r, 11, func(r *wire.Reader) Membership {
		return Membership{r.Fixed(), r.Bool(), event.Time(r.Varint()), event.Time(r.Varint())}
	})
	p.Journeys = read(r, 41, readInstance)
	p.readSent(r, room)
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

func (p *Profile) readShopping(r *wire.Reader, room *Room) {
	p.readOrders(r, room)
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
