package profile

import (
	"rapport/internal/core/event"
	"rapport/internal/core/money"
	"rapport/internal/core/wire"
)

// What the observations of a series have beside their instants. Those of one
// question are alike, so it is said once for all of them.
const (
	someValue   = 1 << 0
	someTag     = 1 << 1
	tagIsBefore = 1 << 2 // tags are instants shortly before: sessions
)

// farTag is how far a tag may lie before its observation to be written as the
// difference: a session is hours long, and a hash that lies so near is as well
// written like one.
const farTag = 1 << 32

func shape(s *Series) (flags byte) {
	near := true
	for i := range s.Obs {
		o := &s.Obs[i]
		if o.Value != 0 {
			flags |= someValue
		}
		if o.Tag != 0 {
			flags |= someTag
		}
		near = near && uint64(o.At)-o.Tag < farTag
	}
	if flags&someTag != 0 && near {
		flags |= tagIsBefore
	}
	return flags
}

// appendSeries appends the series, the observations of each from the newest back:
// the newest is often the Last that stands there already.
func (p *Profile) appendSeries(dst []byte) []byte {
	all := 0
	for _, s := range p.Series {
		all += len(s.Obs)
	}
	dst = wire.Uvarint(dst, uint64(len(p.Series)))
	dst = wire.Uvarint(dst, uint64(all))
	for _, s := range p.Series {
		flags := shape(s)
		dst = append(wire.Fixed(dst, s.Key), flags)
		dst = wire.Varint(dst, s.Count)
		dst = wire.Varint(dst, int64(s.Sum))
		dst = appendInstant(dst, s.Last, p.Last)
		dst = appendInstant(dst, s.First, s.Last)
		dst = wire.Uvarint(dst, uint64(len(s.Obs)))
		at := s.Last
		for i := len(s.Obs) - 1; i >= 0; i-- {
			o := &s.Obs[i]
			dst = wire.Varint(dst, int64(at-o.At))
			at = o.At
			if flags&someValue != 0 {
				dst = wire.Varint(dst, int64(o.Value))
			}
			switch {
			case flags&tagIsBefore != 0:
				dst = wire.Uvarint(dst, uint64(o.At)-o.Tag)
			case flags&someTag != 0:
				dst = wire.Fixed(dst, o.Tag)
			}
		}
	}
	return dst
}

// readSeries reads the series into one piece of memory, and the observations into
// another: a profile has dozens of them, and each allocation costs as much as
// reading what is put in it.
func (p *Profile) readSeries(r *wire.Reader, room *Room) {
	n := r.Len(14)
	obs := zeroed(room.obs, r.Len(1))
	if n == 0 || r.Err() != nil {
		if len(obs) > 0 {
			r.Fail("observations without a series")
		}
		return
	}
	list := zeroed(room.series, n)
	p.Series = empty(room.p.Series, n)[:n]
	room.obs, room.series = larger(room.obs, obs), larger(room.series, list)
	for i := range list {
		s := &list[i]
		p.Series[i] = s
		s.Key = r.Fixed()
		flags := r.Byte()
		s.Count, s.Sum = r.Varint(), money.Micros(r.Varint())
		s.Last = readInstant(r, p.Last)
		s.First = readInstant(r, s.Last)
		k := r.Uvarint()
		if k > uint64(len(obs)) {
			r.Fail("more observations than were announced")
			return
		}
		if k == 0 {
			continue
		}
		s.Obs, obs = obs[:k:k], obs[k:]
		at := s.Last
		for j := len(s.Obs) - 1; j >= 0; j-- {
			o := &s.Obs[j]
			at -= event.Time(r.Varint())
			o.At = at
			if flags&someValue != 0 {
				o.Value = money.Micros(r.Varint())
			}
			switch {
			case flags&tagIsBefore != 0:
				o.Tag = uint64(at) - r.Uvarint()
			case flags&someTag != 0:
				o.Tag = r.Fixed()
			}
		}
	}
	if r.Err() == nil && len(obs) > 0 {
		r.Fail("fewer observations than were announced")
	}
}
