package profile

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"rapport/internal/core/event"
)

// DueTrait holds when each open order becomes late, by the order's id, in Unix
// milliseconds; for an order that came to its end, when it did, as a negative
// number, so that a delay that is heard late opens nothing again.
const DueTrait = "$due"

const (
	// maxPromises bounds the orders of whose promise a profile knows: the earliest
	// go first. Nobody waits for more parcels at once.
	maxPromises = 20
	// LateFor is how long an order counts as late if nobody tells how it ended. A
	// shop that never tells of deliveries must not lose its customers to silence.
	LateFor = 14 * 24 * time.Hour
	// dayIsOver is how long after a date begins in Greenwich it has ended
	// everywhere: what is promised for a day is late when that day is over.
	dayIsOver = 36 * time.Hour
)

// promiseKeys are the properties in which shops say when an order arrives.
var promiseKeys = []string{"promised_at", "promised_date", "delivery_date", "estimated_delivery", "estimated_delivery_date", "pickup_date"}

// promise returns until when the event promises the order.
func promise(o event.Object) (event.Time, bool) {
	for _, key := range promiseKeys {
		s := o.Text(key)
		if s == "" {
			continue
		}
		if day, err := time.Parse(time.DateOnly, s); err == nil {
			return event.At(day.Add(dayIsOver)), true
		}
		if at, err := time.Parse(time.RFC3339, s); err == nil {
			return event.At(at), true
		}
	}
	return 0, false
}

// foldPromise notes what an event says of when an order arrives.
func (p *Profile) foldPromise(e *event.Event) {
	var ended, shipped bool
	switch e.Name {
	case event.OrderCompleted, event.OrderDelayed:
	case event.OrderShipped:
		shipped = true
	case event.OrderReady, event.OrderDelivered, event.OrderCollected, event.OrderReturned, event.OrderCancelled, event.OrderRefunded:
		ended = true
	default:
		return
	}
	id := e.Props.Text("order_id")
	if id == "" || len(id) > 128 {
		return
	}
	at, promised := promise(e.Props)
	due := p.due()
	old, known := due[id]
	switch {
	case known && old < 0 && -old >= e.At: // it had ended by then
		return
	case ended && !known:
		return // nothing was promised
	case ended:
		due[id] = -e.At
	case e.Name == event.OrderDelayed:
		due[id] = e.At // late from when we say so, whatever the new date
	case promised:
		due[id] = at
	case shipped && known && old > 0 && old <= e.At:
		due[id] = -e.At // late as it was, it is on its way
	default:
		return
	}
	for id, t := range due { // order does not matter: each by itself
		if e.At.Sub(max(t, -t)) >= 2*LateFor {
			delete(due, id) // nobody asks about it any more, and a hot row is small
		}
	}
	p.setDue(due, e.At, Fingerprint(e.ID))
}

// due returns what is known of the promises, as a map of its own.
func (p *Profile) due() map[string]event.Time {
	due := map[string]event.Time{}
	v, ok := p.Trait(DueTrait)
	if !ok || v.Kind != event.Map {
		return due
	}
	v.Object().Each(func(id string, v event.Value) bool {
		if n, err := strconv.ParseInt(v.Raw, 10, 64); err == nil {
			due[id] = event.Time(n)
		}
		return true
	})
	return due
}

// setDue keeps the promises, the earliest of too many not.
func (p *Profile) setDue(due map[string]event.Time, at event.Time, by uint64) {
	ids := slices.SortedFunc(maps.Keys(due), func(a, b string) int {
		return cmp.Or(cmp.Compare(max(due[b], -due[b]), max(due[a], -due[a])), strings.Compare(a, b))
	})
	ids = ids[:min(len(ids), maxPromises)]
	slices.Sort(ids)
	var b event.Builder
	for _, id := range ids {
		b.Set(strings.Clone(id), event.Int(int64(due[id])))
	}
	t := Trait{DueTrait, event.Nested(b.Object()), at, by}
	i, found := slices.BinarySearchFunc(p.Traits, t.Name, func(t Trait, n string) int { return strings.Compare(t.Name, n) })
	if found {
		t.At, t.By = max(t.At, p.Traits[i].At), max(t.By, p.Traits[i].By)
		p.Traits = slices.Clone(p.Traits)
		p.Traits[i] = t
		return
	}
	if len(p.Traits) < MaxTraits {
		p.Traits = slices.Insert(slices.Clip(p.Traits), i, t)
	}
}

// joinDue unites the promises of two profiles, given those that p had before its
// traits were joined: an end wins over a promise, and the later over the earlier.
func (p *Profile) joinDue(mine map[string]event.Time, s *Profile) {
	theirs := s.due()
	if len(mine) == 0 && len(theirs) == 0 {
		return
	}
	for id, b := range theirs { // order does not matter: each id by itself
		a, both := mine[id]
		switch {
		case !both, b < 0 && a >= 0, a < 0 && b < a, a >= 0 && b > a:
			mine[id] = b
		}
	}
	p.setDue(mine, 0, 0)
}

// Late returns an order that is late at the instant, and since when: of several
// the one that has been for longest.
func (p *Profile) Late(at event.Time) (order string, since event.Time, late bool) {
	for id, due := range p.due() { // order does not matter: the least counts
		if due <= 0 || due > at || at.Sub(due) >= LateFor {
			continue
		}
		if !late || due < since || due == since && id < order {
			order, since, late = id, due, true
		}
	}
	return order, since, late
}
