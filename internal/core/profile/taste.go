package profile

import (
	"slices"
	"strings"

	"rapport/internal/core/event"
	"rapport/internal/core/wire"
)

// Taste is how a customer's interest is spread over one thing that products have:
// their category, their brand. Which events weigh how much, says condition.
//
// All weights of a taste fade with the same half-life, so a share of them does not
// change with time, and is exact for ever.
type Taste struct {
	Key   uint64
	Half  int64
	Total Sum      // of everything, also of what is not kept apart any more
	Of    []Liking // by name; at most MaxLikings
	Ahead []Ahead  // of events that are yet to happen
}

// Liking is the interest in one category, brand …
type Liking struct {
	Name string
	Sum  Sum
}

// MaxLikings bounds what is kept apart in one taste; what weighs least goes first.
// A shop has more categories than anybody likes. MaxLiking bounds a name.
const (
	MaxLikings = 32
	MaxLiking  = 64
)

// TasteOf returns the taste of the key; nil if nothing is known.
func (p *Profile) TasteOf(key uint64) *Taste {
	for _, t := range p.Tastes {
		if t.Key == key {
			return t
		}
	}
	return nil
}

// Weigh returns the taste with an event that happened at an instant and weighs so
// much for each of the names. It does not change t.
func (t *Taste) Weigh(at event.Time, names []string, weight Points, now event.Time) *Taste {
	grown := *t
	grown.Of = slices.Clone(t.Of)
	for len(grown.Ahead) > 0 && grown.Ahead[0].From <= now {
		grown.add(grown.Ahead[0].From, grown.Ahead[0].Of, grown.Ahead[0].Points)
		grown.Ahead = grown.Ahead[1:]
	}
	if len(grown.Ahead) == 0 {
		grown.Ahead = nil
	}
	for _, name := range names {
		if at > now {
			grown.Ahead = putAhead(grown.Ahead, Ahead{From: at, Points: weight, Of: clip(name, MaxLiking)})
		} else {
			grown.add(at, clip(name, MaxLiking), weight)
		}
	}
	return &grown
}

// add adds a weight. Of is t's own.
func (t *Taste) add(at event.Time, name string, weight Points) {
	t.Total = t.Total.Plus(at, t.Half, weight)
	i, found := slices.BinarySearchFunc(t.Of, name, byLiking)
	if found {
		t.Of[i].Sum = t.Of[i].Sum.Plus(at, t.Half, weight)
		return
	}
	t.Of = slices.Insert(t.Of, i, Liking{name, Sum(nil).Plus(at, t.Half, weight)})
	if len(t.Of) <= MaxLikings {
		return
	}
	least := 0
	for j := range t.Of {
		if Heavier(t.Of[least].Sum, t.Of[j].Sum) {
			least = j
		}
	}
	t.Of = slices.Delete(t.Of, least, least+1)
}

func byLiking(l Liking, name string) int { return strings.Compare(l.Name, name) }

// noTaste is what nothing is known of. Nobody changes it.
var noTaste Taste

// Ripe returns the taste as of now: what was yet to count and has begun to is in
// its sums. Next is when more begins to count, event.Never if nothing does. A nil
// Taste is empty.
func (t *Taste) Ripe(now event.Time) (ripe *Taste, next event.Time) {
	switch {
	case t == nil:
		return &noTaste, event.Never
	case len(t.Ahead) == 0:
		return t, event.Never
	case t.Ahead[0].From > now:
		return t, t.Ahead[0].From
	}
	ripe = t.Weigh(now, nil, 0, now)
	if len(ripe.Ahead) > 0 {
		return ripe, ripe.Ahead[0].From
	}
	return ripe, event.Never
}

// Liking returns the sum of one name; nil if nothing is known of it.
func (t *Taste) Liking(name string) Sum {
	if i, found := slices.BinarySearchFunc(t.Of, name, byLiking); found {
		return t.Of[i].Sum
	}
	return nil
}

func (p *Profile) appendTastes(dst []byte) []byte {
	dst = wire.Uvarint(dst, uint64(len(p.Tastes)))
	for _, t := range p.Tastes {
		dst = wire.Fixed(dst, t.Key)
		dst = wire.Uvarint(dst, uint64(t.Half))
		dst = appendSum(dst, t.Total)
		dst = wire.Uvarint(dst, uint64(len(t.Of)))
		for i := range t.Of {
			dst = wire.Text(dst, t.Of[i].Name)
			dst = appendSum(dst, t.Of[i].Sum)
		}
		dst = appendAhead(dst, t.Ahead)
	}
	return dst
}

func (p *Profile) readTastes(r *wire.Reader) {
	p.Tastes = read(r, 12, func(r *wire.Reader) *Taste {
		t := &Taste{Key: r.Fixed(), Half: int64(r.Uvarint()), Total: readSum(r)}
		t.Of = read(r, 2, func(r *wire.Reader) Liking { return Liking{r.Text(), readSum(r)} })
		t.Ahead = readAhead(r)
		return t
	})
}
