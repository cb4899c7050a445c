package profile

import (
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/money"
	"rapport/internal/core/wire"
)

// codecVersion is the first byte of an encoded profile. Version 1, which kept 256
// ids and no Halfway, and version 2, which had no sections, are still read.
const codecVersion = 3

// SeenKept is how many recent ids a profile remembers itself at most; when there
// are so many the older half goes, and is found in the history. What a client
// repeats comes soon: most of it is among the newest, and more of them would be
// half of the hot row, since fingerprints do not compress.
const SeenKept = 64

// Append appends p in the product's own encoding: the hot row. Equal profiles
// give equal bytes.
func (p *Profile) Append(dst []byte) []byte {
	dst = append(dst, codecVersion)
	dst = append(dst, p.ID[:]...)
	dst = append(dst, p.Owner[:]...)
	dst = appendIdentifier(dst, p.Birth)
	dst = wire.Varint(dst, int64(p.Born))
	dst = wire.Fixed(dst, p.Program)
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
	dst = p.appendShopping(dst)
	dst = wire.Uvarint(dst, uint64(len(p.Segments)))
	for i := range p.Segments {
		m := &p.Segments[i]
		dst = wire.Fixed(dst, m.Key)
		dst = wire.Bool(dst, m.In)
		dst = wire.Varint(dst, int64(m.Since))
		dst = wire.Varint(dst, int64(m.Until))
	}
	dst = wire.Uvarint(dst, uint64(len(p.Journeys)))
	for i := range p.Journeys {
		dst = appendInstance(dst, &p.Journeys[i])
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
	dst = wire.Text(dst, p.Zone)
	dst = wire.Text(dst, p.Locale)
	dst = wire.Text(dst, p.Device)
	dst = wire.Varint(dst, int64(p.First))
	dst = wire.Varint(dst, int64(p.Last))
	dst = wire.Varint(dst, p.Count)
	dst = wire.Varint(dst, int64(p.Month))
	dst = wire.Varint(dst, int64(p.InMonth))
	dst = wire.Uvarint(dst, uint64(len(p.Seen)))
	for _, f := range p.Seen {
		dst = wire.Fixed(dst, f)
	}
	dst = wire.Varint(dst, int64(p.Newest))
	dst = wire.Varint(dst, int64(p.Halfway))
	dst = wire.Varint(dst, int64(p.Evicted))
	dst = wire.Varint(dst, int64(p.Alarm))
	return p.appendSections(dst)
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
	dst = wire.Varint(dst, int64(p.Session.Start))
	dst = wire.Varint(dst, int64(p.Session.Last-p.Session.Start))
	dst = wire.Varint(dst, p.Session.Count)
	dst = wire.Uvarint(dst, uint64(len(p.Series)))
	for _, s := range p.Series {
		dst = wire.Fixed(dst, s.Key)
		dst = wire.Varint(dst, s.Count)
		dst = wire.Varint(dst, int64(s.Sum))
		dst = wire.Varint(dst, int64(s.First))
		dst = wire.Varint(dst, int64(s.Last-s.First))
		dst = wire.Uvarint(dst, uint64(len(s.Obs)))
		last := s.First
		for i := range s.Obs {
			o := &s.Obs[i]
			dst = wire.Varint(dst, int64(o.At-last))
			last = o.At
			// One byte says which of the two rare parts follow.
			dst = append(dst, flag(o.Value != 0, 1)|flag(o.Tag != 0, 2))
			if o.Value != 0 {
				dst = wire.Varint(dst, int64(o.Value))
			}
			if o.Tag != 0 {
				dst = wire.Fixed(dst, o.Tag)
			}
		}
	}
	return dst
}

func flag(set bool, bit byte) byte {
	if set {
		return bit
	}
	return 0
}

// Decode reads the profile that s holds. Its texts are pieces of s. Damaged
// bytes give a fault of kind Corrupt.
func Decode(s string) (*Profile, error) {
	r := wire.NewReader(s)
	version := r.Byte()
	if r.Err() == nil && (version == 0 || version > codecVersion) {
		r.Fail("a profile of an unknown version")
	}
	p := &Profile{}
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
	if version > 2 {
		p.readSections(r)
	}
	if r.Err() == nil && r.Rest() != "" {
		r.Fail("something follows the profile")
	}
	if r.Err() != nil {
		return nil, r.Err()
	}
	return p, nil
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

// read reads a count and so many things of at least size bytes each.
func read[T any](r *wire.Reader, size int, one func(*wire.Reader) T) []T {
	n := r.Len(size)
	if n == 0 {
		return nil
	}
	list := make([]T, 0, n)
	for ; n > 0 && r.Err() == nil; n-- {
		list = append(list, one(r))
	}
	return list
}

func appendIdentifier(dst []byte, i identity.Identifier) []byte {
	return wire.Text(wire.Text(dst, i.Kind), i.Value)
}

func readIdentifier(r *wire.Reader) identity.Identifier {
	return identity.Identifier{Kind: identity.Kind(r.Text()), Value: r.Text()}
}
