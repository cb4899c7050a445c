package profile

import (
	"sort"

	"rapport/internal/core/event"
	"rapport/internal/core/wire"
)

// Tally is what one computed trait must remember of the values that events brought:
// where a [Series] keeps numbers, it keeps words. Which question it answers, says
// condition, which names it by a hash of the question. Frozen once in a profile.
type Tally struct {
	Key   uint64
	Marks []Found // by instant, then value
}

// Found is a value with the instant at which it was heard of, or all past instants
// of one value put together.
type Found struct {
	At    event.Time // of several, the newest
	Value event.Value
	Count int64
}

// TallyOf returns the tally of the key; nil if it has seen nothing.
func (p *Profile) TallyOf(key uint64) *Tally {
	i := sort.Search(len(p.Tallies), func(i int) bool { return p.Tallies[i].Key >= key })
	if i < len(p.Tallies) && p.Tallies[i].Key == key {
		return p.Tallies[i]
	}
	return nil
}

func (p *Profile) appendTallies(dst []byte) []byte {
	dst = wire.Uvarint(dst, uint64(len(p.Tallies)))
	for _, t := range p.Tallies {
		dst = wire.Fixed(dst, t.Key)
		dst = wire.Uvarint(dst, uint64(len(t.Marks)))
		last := event.Time(0)
		for i := range t.Marks {
			m := &t.Marks[i]
			dst = wire.Varint(dst, int64(m.At-last))
			last = m.At
			dst = append(dst, byte(m.Value.Kind))
			dst = wire.Text(dst, m.Value.Raw)
			dst = wire.Varint(dst, m.Count)
		}
	}
	return dst
}

func (p *Profile) readTallies(r *wire.Reader) {
	p.Tallies = read(r, 9, func(r *wire.Reader) *Tally {
		t := &Tally{Key: r.Fixed()}
		last := event.Time(0)
		t.Marks = read(r, 4, func(r *wire.Reader) Found {
			last += event.Time(r.Varint())
			return Found{last, event.Value{Kind: event.Kind(r.Byte()), Raw: r.Text()}, r.Varint()}
		})
		return t
	})
}
