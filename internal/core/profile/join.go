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
// It does not matter which of two joins the other, but for the id and the birth
// that stay, and for the order in which the newest ids are remembered.
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
		p.joinHeld(h)
	}
	due := p.due()
	for _, t := range s.Traits {
		p.setTrait(t, MaxTraits)
	}
	p.joinDue(due, s)
	for _, c := range s.Consents {
		p.joinConsent(c)
	}
	for _, h := range s.Health {
		p.Ails(h)
	}
	for i := range s.Lists {
		p.listed(s.Lists[i], false)
	}
	for i := range s.Objects {
		p.own(s.Objects[i], false)
	}
	for i := range s.Predictions {
		p.predict(s.Predictions[i])
	}
	p.joinWhere(s)
	p.joinDevices(s)
	p.joinOrders(s)
	p.joinBought(s)
	if s.Session.Last > p.Session.Last || s.Session.Last == p.Session.Last && s.Session.Start < p.Session.Start {
		p.Session.Start, p.Session.Last = s.Session.Start, s.Session.Last
	}
	p.Session.Count += s.Session.Count
	p.Open = unite(p.Open, s.Open, func(a, b Delivery) int { return slices.Compare(a.ID[:], b.ID[:]) })
	p.Contacts = unite(p.Contacts, s.Contacts, func(a, b Contact) int {
		return cmp.Or(cmp.Compare(a.At, b.At), slices.Compare(a.ID[:], b.ID[:]))
	})
	p.Zone = lastWord(p, s, p.Zone, s.Zone, "timezone")
	p.Locale = lastWord(p, s, p.Locale, s.Locale, "locale")
	p.Device = lastWord(p, s, p.Device, s.Device, "")
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
	for _, f := range s.Seen {
		p.remember(f)
	}
	return true
}

// lastWord returns what the side that was heard of last says, unless the joined
// traits, which are p's by now, say it in so many words. No trait is asked if its
// name is empty.
func lastWord(p, s *Profile, mine, theirs, trait string) string {
	if trait != "" {
		if v, said := p.Trait(trait); said {
			return clip(v.String(), 64)
		}
	}
	switch {
	case theirs == "":
		return mine
	case mine == "", s.Last > p.Last:
		return theirs
	case s.Last == p.Last:
		return max(mine, theirs) // any rule that does not ask which of the two is p
	}
	return mine
}

// maxRefused bounds the identifiers that are remembered as somebody else's: a
// stranger with a page's key can name as many as they like. One that is forgotten
// is asked for again when it comes again, and refused again.
const maxRefused = 32

// Hold notes the state of an identifier. Owned is never taken back by Asked or
// Refused. Of the refused ones the newest are remembered.
func (p *Profile) Hold(h Held) {
	i, found := slices.BinarySearchFunc(p.Held, h, compareHeld)
	switch {
	case found && (p.Held[i].State == Owned || p.Held[i].State == h.State):
		return
	case found:
		p.Held = slices.Clone(p.Held)
		p.Held[i] = h
	default:
		p.Held = slices.Insert(slices.Clip(p.Held), i, h)
	}
	if h.State == Refused {
		p.forgetRefused()
	}
}

func compareHeld(a, b Held) int { return a.Identifier.Compare(b.Identifier) }

// forgetRefused drops the identifier that was refused first if there are more than
// maxRefused. The list is the caller's own.
func (p *Profile) forgetRefused() {
	n, oldest := 0, -1
	for i := range p.Held {
		if p.Held[i].State != Refused {
			continue
		}
		n++
		if oldest < 0 || p.Held[i].At < p.Held[oldest].At {
			oldest = i
		}
	}
	if n > maxRefused {
		p.Held = slices.Delete(p.Held, oldest, oldest+1)
	}
}

// joinHeld lets the stronger of two states hold: what is owned is owned, and what
// a home is still to answer is better than what it once refused.
func (p *Profile) joinHeld(h Held) {
	i, found := slices.BinarySearchFunc(p.Held, h, compareHeld)
	if !found {
		p.Hold(h)
		return
	}
	old := p.Held[i]
	switch byState := cmp.Compare(h.State.strength(), old.State.strength()); {
	case byState < 0, byState == 0 && old.At <= h.At:
		return
	}
	p.Held = slices.Clone(p.Held)
	p.Held[i] = h
}

func (h Holding) strength() int {
	switch h {
	case Owned:
		return 2
	case Asked:
		return 1
	}
	return 0
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
		return cmp.Or(
			strings.Compare(a.SKU, b.SKU), cmp.Compare(a.Last, b.Last), cmp.Compare(a.First, b.First), cmp.Compare(a.Count, b.Count),
			strings.Compare(a.Name, b.Name), strings.Compare(a.Category, b.Category), strings.Compare(a.Product, b.Product), strings.Compare(a.Where, b.Where),
		)
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
