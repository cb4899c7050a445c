package profile

import (
	"cmp"
	"slices"

	"rapport/internal/core/event"
	"rapport/internal/core/wire"
)

// Score is what one score remembers of a customer: points that events gave. Which
// events give how many, says condition: it names the score by a hash of its rules,
// so a changed rule is another score, made anew from the history.
type Score struct {
	Key   uint64
	Half  int64   // the half-life in seconds; zero: points do not fade
	Sum   Sum     // the points of events that happened
	Ahead []Ahead // points of events that are yet to happen, by instant
	Marks []Mark  // what caps and rules that give once must know, by rule, kind and slot
}

// Ahead is points that begin to count at an instant to come: somebody's clock is
// fast, or a shop announced what will be.
type Ahead struct {
	From   event.Time
	Points Points
	Of     string // of an affinity: for what
}

// MaxAhead bounds the points that are yet to count; those furthest ahead go first.
const MaxAhead = 64

// Mark is one thing that the rules of a score must know of what they gave.
type Mark struct {
	Rule   int32 // the number of the rule; −1: the whole score
	Kind   MarkKind
	Slot   uint64     // the start of a session, the number of a day, a hash of what can be taken back
	Points Points     // given so far
	At     event.Time // of what was given or taken back; zero of the other kinds
}

// MarkKind says what a [Mark] is about.
type MarkKind uint8

// The kinds of mark. They are stored: never renumber.
const (
	MarkEver    MarkKind = 1 // of all time
	MarkDay     MarkKind = 2 // of a day of the shop's
	MarkSession MarkKind = 3 // of a visit
	MarkGiven   MarkKind = 4 // what one thing brought, so that it can be taken back
	MarkTaken   MarkKind = 5 // it was taken back, whether it was given or is yet to come
)

// CompareMark orders marks. One thing may have brought points at several instants;
// of everything else there is one mark in a slot.
func CompareMark(a, b Mark) int {
	c := cmp.Or(cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Slot, b.Slot))
	if c == 0 && a.Kind == MarkGiven {
		return cmp.Compare(a.At, b.At)
	}
	return c
}

// ScoreOf returns the score of the key; nil if it has no points yet.
func (p *Profile) ScoreOf(key uint64) *Score {
	for _, s := range p.Scores {
		if s.Key == key {
			return s
		}
	}
	return nil
}

// At returns what the score is worth as of now, and when the next points that are
// yet to count begin to; event.Never if there are none. A nil Score is worth
// nothing.
func (s *Score) At(now event.Time) (Level, event.Time) {
	if s == nil {
		return 0, event.Never
	}
	sum, next := s.Sum, event.Never
	for i := range s.Ahead {
		if s.Ahead[i].From > now {
			next = s.Ahead[i].From
			break
		}
		sum = sum.Plus(s.Ahead[i].From, s.Half, s.Ahead[i].Points)
	}
	return sum.At(now, s.Half), next
}

// Give adds points that an event gave which happened at an instant. S is the
// caller's own copy; its lists are replaced and never changed in place.
func (s *Score) Give(at event.Time, p Points, now event.Time) {
	s.Sum, s.Ahead = ripen(s.Sum, s.Half, s.Ahead, now)
	if at > now {
		s.Ahead = putAhead(s.Ahead, Ahead{From: at, Points: p})
	} else {
		s.Sum = s.Sum.Plus(at, s.Half, p)
	}
}

// Take takes away points that Give gave with the same instant. S is the caller's own
// copy, as for Give.
func (s *Score) Take(at event.Time, p Points, now event.Time) {
	s.Sum, s.Ahead = ripen(s.Sum, s.Half, s.Ahead, now)
	if at <= now {
		s.Sum = s.Sum.Plus(at, s.Half, -p)
	} else if i, found := slices.BinarySearchFunc(s.Ahead, Ahead{From: at}, compareAhead); found {
		s.Ahead = slices.Clone(s.Ahead)
		s.Ahead[i].Points -= p
	}
}

// ripen moves what has begun to count into the sum.
func ripen(sum Sum, half int64, ahead []Ahead, now event.Time) (Sum, []Ahead) {
	for len(ahead) > 0 && ahead[0].From <= now {
		sum = sum.Plus(ahead[0].From, half, ahead[0].Points)
		ahead = ahead[1:]
	}
	if len(ahead) == 0 {
		return sum, nil
	}
	return sum, ahead
}

// putAhead returns the list with one more.
func putAhead(list []Ahead, a Ahead) []Ahead {
	i, found := slices.BinarySearchFunc(list, a, compareAhead)
	if found {
		list = slices.Clone(list)
		list[i].Points += a.Points
		return list
	}
	list = slices.Insert(slices.Clip(list), i, a)
	if len(list) > MaxAhead {
		list = list[:MaxAhead]
	}
	return list
}

func compareAhead(a, b Ahead) int {
	return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.Of, b.Of))
}

func (p *Profile) appendScores(dst []byte) []byte {
	dst = wire.Uvarint(dst, uint64(len(p.Scores)))
	for _, s := range p.Scores {
		dst = wire.Fixed(dst, s.Key)
		dst = wire.Uvarint(dst, uint64(s.Half))
		dst = appendSum(dst, s.Sum)
		dst = appendAhead(dst, s.Ahead)
		dst = wire.Uvarint(dst, uint64(len(s.Marks)))
		last := uint64(0)
		for i := range s.Marks {
			m := &s.Marks[i]
			// Nearly all points are whole and few marks need their instant: a flag is
			// shorter than either.
			whole, dated := m.Points%OnePoint == 0, m.At != 0
			dst = append(wire.Varint(dst, int64(m.Rule)<<2|int64(flag(whole, 2)|flag(dated, 1))), byte(m.Kind))
			dst = wire.Varint(dst, int64(m.Slot-last)) // sessions and days follow each other closely
			last = m.Slot
			if whole {
				dst = wire.Varint(dst, int64(m.Points/OnePoint))
			} else {
				dst = wire.Varint(dst, int64(m.Points))
			}
			if dated {
				dst = wire.Varint(dst, int64(m.At))
			}
		}
	}
	return dst
}

func (p *Profile) readScores(r *wire.Reader) {
	p.Scores = read(r, 12, func(r *wire.Reader) *Score {
		s := &Score{Key: r.Fixed(), Half: int64(r.Uvarint()), Sum: readSum(r), Ahead: readAhead(r)}
		last := uint64(0)
		s.Marks = read(r, 4, func(r *wire.Reader) (m Mark) {
			head := r.Varint()
			m.Rule, m.Kind = int32(head>>2), MarkKind(r.Byte())
			last += uint64(r.Varint())
			m.Slot, m.Points = last, Points(r.Varint())
			if head&2 != 0 {
				m.Points *= OnePoint
			}
			if head&1 != 0 {
				m.At = event.Time(r.Varint())
			}
			return m
		})
		return s
	})
}

func appendSum(dst []byte, s Sum) []byte {
	dst = wire.Uvarint(dst, uint64(len(s)))
	for i := range s {
		dst = wire.Varint(dst, s[i].N)
		dst = wire.Varint(dst, s[i].Hi)
		dst = wire.Fixed(dst, s[i].Lo)
	}
	return dst
}

func readSum(r *wire.Reader) Sum {
	return read(r, 10, func(r *wire.Reader) Block { return Block{r.Varint(), r.Varint(), r.Fixed()} })
}

func appendAhead(dst []byte, list []Ahead) []byte {
	dst = wire.Uvarint(dst, uint64(len(list)))
	for i := range list {
		dst = wire.Varint(dst, int64(list[i].From))
		dst = wire.Varint(dst, int64(list[i].Points))
		dst = wire.Text(dst, list[i].Of)
	}
	return dst
}

func readAhead(r *wire.Reader) []Ahead {
	return read(r, 3, func(r *wire.Reader) Ahead { return Ahead{event.Time(r.Varint()), Points(r.Varint()), r.Text()} })
}
