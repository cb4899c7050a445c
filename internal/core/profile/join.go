package profile

import (
	"cmp"
	"slices"
	"strings"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
)

// Join takes the state of strand s into p, which must be the caller's own
// shallow copy: from now on both are one customer. The newest word wins on
// traits, the strictest on consent; orders, purchases and contacts are united.
// A strand that has joined already changes nothing. Series, journeys and
// segments are joined by the packages that understand them.
//
// The history stays where it is, under the strand's own id, so that a merge
// found wrong can be undone by reading it again.
func (p *Profile) Join(s *Profile) bool {
	if s.ID == p.ID || slices.Contains(p.Strands, s.ID) {
		return false
	}
	strands := append(slices.Clone(p.Strands), s.ID)
	strands = append(strands, s.Strands...)
	slices.SortFunc(strands, identity.ID.Compare)
	p.Strands = slices.Compact(strands)

	for _, h := range s.Held {
		p.Hold(h)
	}
	for _, t := range s.Traits {
		p.setTrait(t)
	}
	for _, c := range s.Consents {
		p.joinConsent(c)
	}
	for _, h := range s.Health {
		p.Ails(h)
	}
	p.joinOrders(s)
	p.joinBought(s)
	if s.Session.Last > p.Session.Last {
		p.Session.Start, p.Session.Last = s.Session.Start, s.Session.Last
	}
	p.Session.Count += s.Session.Count
	p.Open = unite(p.Open, s.Open, func(a, b Delivery) int { return slices.Compare(a.ID[:], b.ID[:]) })
	p.Contacts = unite(p.Contacts, s.Contacts, func(a, b Contact) int {
		return cmp.Or(cmp.Compare(a.At, b.At), slices.Compare(a.ID[:], b.ID[:]))
	})
	if s.Last > p.Last || p.Zone == "" {
		p.Zone = cmp.Or(s.Zone, p.Zone)
	}
	if s.Last > p.Last || p.Locale == "" {
		p.Locale = cmp.Or(s.Locale, p.Locale)
	}
	if s.Last > p.Last || p.Device == "" {
		p.Device = cmp.Or(s.Device, p.Device)
	}
	if p.First == 0 || s.First != 0 && s.First < p.First {
		p.First = s.First
	}
	switch {
	case s.Month > p.Month:
		p.Month, p.InMonth = s.Month, s.InMonth
	case s.Month == p.Month:
		p.InMonth += s.InMonth
	}
	p.Last = max(p.Last, s.Last)
	p.Count += s.Count
	p.Newest = max(p.Newest, s.Newest)
	p.Evicted = max(p.Evicted, s.Evicted)
	if p.Born == 0 || s.Born != 0 && s.Born < p.Born {
		p.Born = s.Born
	}
	for _, f := range s.Seen[max(0, len(s.Seen)-SeenKept):] {
		p.remember(f)
	}
	return true
}

// Hold notes the state of an identifier. Owned is never taken back by Asked or
// Refused.
func (p *Profile) Hold(h Held) {
	for i := range p.Held {
		if p.Held[i].Identifier != h.Identifier {
			continue
		}
		if p.Held[i].State == Owned || p.Held[i].State == h.State {
			return
		}
		p.Held = slices.Clone(p.Held)
		p.Held[i] = h
		return
	}
	i, _ := slices.BinarySearchFunc(p.Held, h, func(a, b Held) int { return a.Identifier.Compare(b.Identifier) })
	p.Held = slices.Insert(slices.Clip(p.Held), i, h)
}

// Room reports whether p may hold one more identifier of the kind as of now: the
// guard against the shared tablet and the default id.
func (p *Profile) Room(kind identity.Kind, now event.Time) bool {
	limit := kind.Limit()
	n := 0
	for i := range p.Held {
		h := &p.Held[i]
		if h.Identifier.Kind != kind || h.State == Refused {
			continue
		}
		if limit.Within == 0 || now.Sub(h.At) < limit.Within {
			n++
		}
	}
	return n < limit.Most
}

// joinConsent lets the stricter of two words hold: who said no once, on either
// device, gets nothing until they say yes again.
func (p *Profile) joinConsent(c Consent) {
	i, found := slices.BinarySearchFunc(p.Consents, c, compareConsent)
	if !found {
		p.Consents = slices.Insert(slices.Clip(p.Consents), i, c)
		return
	}
	old := p.Consents[i]
	keep := old
	switch {
	case old.Granted != c.Granted:
		if old.Granted {
			keep = c
		}
	case c.At > old.At, c.At == old.At && c.Proof > old.Proof:
		keep = c
	}
	if keep != old {
		p.Consents = slices.Clone(p.Consents)
		p.Consents[i] = keep
	}
}

func (p *Profile) joinOrders(s *Profile) {
	p.Orders = unite(p.Orders, s.Orders, compareOrder)
	// One order may have reached both strands: the first heard counts.
	seen := make([]Order, 0, len(p.Orders))
	for _, o := range p.Orders {
		if o.Kind == Refunded || !slices.ContainsFunc(seen, func(x Order) bool { return x.ID == o.ID && x.Kind == o.Kind }) {
			seen = append(seen, o)
		}
	}
	p.Orders = seen
}

func (p *Profile) joinBought(s *Profile) {
	if len(s.Bought) == 0 {
		return
	}
	all := unite(p.Bought, s.Bought, func(a, b Bought) int {
		return cmp.Or(strings.Compare(a.SKU, b.SKU), cmp.Compare(a.Last, b.Last), cmp.Compare(a.First, b.First))
	})
	joined := all[:0:0]
	for _, b := range all {
		n := len(joined)
		if n == 0 || joined[n-1].SKU != b.SKU {
			joined = append(joined, b)
			continue
		}
		j := &joined[n-1] // b.Last is not earlier
		j.First, j.Last, j.Count = min(j.First, b.First), b.Last, j.Count+b.Count
		j.Name, j.Category, j.Product, j.Where = b.Name, b.Category, b.Product, b.Where
	}
	p.Bought = keepLatest(joined)
}

// unite merges two lists into one sorted list without repetitions.
func unite[T any](a, b []T, compare func(T, T) int) []T {
	if len(b) == 0 {
		return a
	}
	all := append(slices.Clone(a), b...)
	slices.SortStableFunc(all, compare)
	return slices.CompactFunc(all, func(x, y T) bool { return compare(x, y) == 0 })
}

// Person is the id by which experiments and holdouts are assigned: the smallest
// of the profile's birth ids, so that most merges keep an assignment.
func (p *Profile) Person() identity.ID {
	id := p.ID
	for _, s := range p.Strands {
		if s.Compare(id) < 0 {
			id = s
		}
	}
	return id
}
