package profile

import (
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/wire"
)

// codecVersion is the first byte of an encoded profile, and of its rest. Versions 1
// to 3, which had no parts, are still read.
const codecVersion = 4

// SeenKept is how many recent ids a profile remembers itself at most; when there
// are so many the older half goes, and is found in the history. What a client
// repeats comes soon: most of it is among the newest, and more of them would be
// half of the hot row, since fingerprints do not compress.
const SeenKept = 64

// Append appends p in the product's own encoding: the hot part, which almost every
// event changes, and behind it the rest. Equal profiles give equal bytes. A store
// keeps the two apart, so that an event writes the hot part alone.
func (p *Profile) Append(dst []byte) []byte { return p.AppendRest(p.AppendHot(dst)) }

// AppendHot appends what almost every event changes. Instants are written as
// differences from others near them: most are short then.
func (p *Profile) AppendHot(dst []byte) []byte {
	dst = append(dst, codecVersion)
	dst = append(dst, p.ID[:]...)
	dst = appendOwner(dst, p.Owner)
	dst = appendIdentifier(dst, p.Birth)
	dst = wire.Varint(dst, int64(p.Born))
	dst = wire.Fixed(dst, p.Program)
	dst = wire.Text(dst, p.Zone)
	dst = wire.Text(dst, p.Locale)
	dst = wire.Text(dst, p.Device)
	dst = wire.Varint(dst, int64(p.Last))
	dst = appendInstant(dst, p.First, p.Born)
	dst = wire.Varint(dst, p.Count)
	dst = wire.Varint(dst, int64(p.Month))
	dst = wire.Varint(dst, int64(p.InMonth))
	dst = appendInstant(dst, p.Session.Last, p.Last)
	dst = appendInstant(dst, p.Session.Start, p.Session.Last)
	dst = wire.Varint(dst, p.Session.Count)
	dst = p.appendSeries(dst)
	dst = wire.Uvarint(dst, uint64(len(p.Segments)))
	since := p.Last
	for i := range p.Segments {
		m := &p.Segments[i]
		dst = wire.Fixed(dst, m.Key)
		dst = wire.Bool(dst, m.In)
		dst = appendInstant(dst, m.Since, since)
		since = m.Since
		dst = appendInstant(dst, p.Until(i), p.Last)
	}
	dst = wire.Uvarint(dst, uint64(len(p.Journeys)))
	for i := range p.Journeys {
		dst = appendWalk(dst, &p.Journeys[i])
	}
	dst = wire.Uvarint(dst, uint64(len(p.Seen)))
	for _, f := range p.Seen {
		dst = wire.Fixed(dst, f)
	}
	dst = appendInstant(dst, p.Newest, p.Last)
	dst = appendInstant(dst, p.Halfway, p.Newest)
	dst = appendInstant(dst, p.Evicted, p.Newest)
	dst = appendInstant(dst, p.Alarm, p.Last)
	dst = appendSections(dst, p, hotSections)
	// The end, and whether a rest follows.
	return append(dst, flag(p.hasRest(), withRest))
}

// What a hot part ends with. Tags of sections are neither.
const (
	noRest   = 0
	withRest = 0xff
	cutOff   = -1 // there is no such byte: rows in one piece have none
)

func flag(set bool, bits byte) byte {
	if set {
		return bits
	}
	return 0
}

// Decode reads the profile that s holds, in one piece or hot part and rest behind
// one another. Its texts are pieces of s. Damaged bytes, and a part without the
// other, give a fault of kind Corrupt.
func Decode(s string) (*Profile, error) {
	r := wire.NewReader(s)
	p := &Profile{}
	switch version := r.Byte(); {
	case r.Err() != nil:
	case version == 0 || version > codecVersion:
		r.Fail("a profile of an unknown version")
	case version < 4:
		p.readInOne(r, version)
	default:
		room := &Room{}
		if p.readHot(r, room) {
			p.readRest(r, room)
		}
	}
	if r.Err() == nil && r.Rest() != "" {
		r.Fail("something follows the profile")
	}
	if r.Err() != nil {
		return nil, r.Err()
	}
	return p, nil
}

// DecodeParts is Decode of a hot part and a rest that do not stand behind one another.
func DecodeParts(hot, rest string) (*Profile, error) {
	if rest == "" || !InParts(hot) {
		return Decode(hot + rest)
	}
	p := &Profile{}
	if err := p.readParts(hot, rest, &Room{}); err != nil {
		return nil, err
	}
	return p, nil
}

// readParts reads a hot part and a rest in parts.
func (p *Profile) readParts(hot, rest string, room *Room) error {
	r := wire.NewReader(hot)
	r.Byte() // the version, which InParts has looked at
	follows := p.readHot(r, room)
	if r.Err() == nil && (r.Rest() != "" || !follows) {
		r.Fail("something follows the hot part of a profile")
	}
	if r.Err() != nil {
		return r.Err()
	}
	r = wire.NewReader(rest)
	if p.readRest(r, room); r.Err() == nil && r.Rest() != "" {
		r.Fail("something follows the profile")
	}
	return r.Err()
}

// InParts reports whether an encoded profile is in parts as AppendHot and AppendRest
// write them now. One that is not must be written whole.
func InParts(s string) bool { return s != "" && s[0] == codecVersion }

// readHot reads a hot part behind its version, and reports whether a rest follows.
func (p *Profile) readHot(r *wire.Reader, room *Room) bool {
	copy(p.ID[:], r.Bytes(len(p.ID)))
	p.Owner = readOwner(r)
	p.Birth = readIdentifier(r)
	p.Born = event.Time(r.Varint())
	p.Program = r.Fixed()
	p.Zone, p.Locale, p.Device = r.Text(), r.Text(), r.Text()
	p.Last = event.Time(r.Varint())
	p.First = readInstant(r, p.Born)
	p.Count, p.Month, p.InMonth = r.Varint(), int32(r.Varint()), int32(r.Varint())
	p.Session.Last = readInstant(r, p.Last)
	p.Session.Start = readInstant(r, p.Session.Last)
	p.Session.Count = r.Varint()
	p.readSeries(r, room)
	since := p.Last
	p.Segments = readInto(room.p.Segments, r, 11, func(r *wire.Reader) Membership {
		m := Membership{Key: r.Fixed(), In: r.Bool(), Since: readInstant(r, since), Until: readInstant(r, p.Last)}
		since = m.Since
		return m
	})
	p.Journeys = read(r, 9, readWalk)
	if n := r.Len(8); n > 0 {
		// Who is read mostly is because an event is to be noted.
		p.Seen = empty(room.p.Seen, max(n, SeenKept))
		for range n {
			p.Seen = append(p.Seen, r.Fixed())
		}
	}
	p.Newest = readInstant(r, p.Last)
	p.Halfway, p.Evicted, p.Alarm = readInstant(r, p.Newest), readInstant(r, p.Newest), readInstant(r, p.Last)
	end := readSections(r, p, hotSections)
	if end != noRest && end != withRest {
		r.Fail("a part of a profile that is not known, or stands at the wrong place")
	}
	return r.Err() == nil && end == withRest
}

func appendOwner(dst []byte, owner identity.ID) []byte {
	if owner.Zero() {
		return append(dst, 0)
	}
	return append(append(dst, 1), owner[:]...)
}

func readOwner(r *wire.Reader) (owner identity.ID) {
	if r.Bool() {
		copy(owner[:], r.Bytes(len(owner)))
	}
	return owner
}

// What begins an instant that is no difference. Differences are three more than
// their zigzag.
const (
	never      = 0
	zeroTime   = 1
	farInstant = 2 // eight bytes follow: the difference is too large
	firstNear  = 3
)

// appendInstant appends t as its difference from an instant that the reader knows.
func appendInstant(dst []byte, t, from event.Time) []byte {
	switch t {
	case event.Never:
		return append(dst, never)
	case 0:
		return append(dst, zeroTime)
	}
	d := int64(t - from)
	z := uint64(d)<<1 ^ uint64(d>>63)
	if z > 1<<63 {
		return wire.Fixed(append(dst, farInstant), uint64(t))
	}
	return wire.Uvarint(dst, z+firstNear)
}

func readInstant(r *wire.Reader, from event.Time) event.Time {
	switch c := r.Uvarint(); c {
	case never:
		return event.Never
	case zeroTime:
		return 0
	case farInstant:
		return event.Time(r.Fixed())
	default:
		z := c - firstNear
		return from + event.Time(z>>1^-(z&1))
	}
}

// read reads a count and so many things of at least size bytes each.
func read[T any](r *wire.Reader, size int, one func(*wire.Reader) T) []T {
	return readInto(nil, r, size, one)
}

// readInto is read over a list that nobody needs any more.
func readInto[T any](old []T, r *wire.Reader, size int, one func(*wire.Reader) T) []T {
	n := r.Len(size)
	if n == 0 {
		return nil
	}
	list := empty(old, n)
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
