package profile_test

import (
	"fmt"
	"testing"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
)

// told is an event about an order, some hours after the first of December.
func told(n int, hour int, name, order string, kv ...string) *event.Event {
	var b event.Builder
	b.SetText("order_id", order)
	for i := 0; i < len(kv); i += 2 {
		b.SetText(kv[i], kv[i+1])
	}
	at := first.Add(time.Duration(hour) * time.Hour)
	return &event.Event{ID: event.ID(fmt.Sprint("e", n)), Type: event.Track, Name: name, User: "ada", At: at, Raw: at, Trust: event.Server, Props: b.Object()}
}

var first = event.At(time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC))

func TestAnOrderIsLateFromItsPromiseUntilItComesToAnEnd(t *testing.T) {
	t.Parallel()
	completed := told(1, 0, event.OrderCompleted, "A", "promised_date", "2026-12-02", "revenue", "10")
	for _, c := range []struct {
		name   string
		events []*event.Event
		hour   int
		want   string
	}{
		{"nothing was promised", []*event.Event{told(1, 0, event.OrderCompleted, "A", "revenue", "10")}, 1000, ""},
		{"the promised day is not over everywhere", []*event.Event{completed}, 24 + 35, ""},
		{"the promised day is over everywhere", []*event.Event{completed}, 24 + 36, "A"},
		{"after a fortnight nobody tells any more", []*event.Event{completed}, 24 + 36 + 14*24, ""},
		{"it arrived", []*event.Event{completed, told(2, 70, event.OrderDelivered, "A")}, 80, ""},
		{"it shipped late and is on its way", []*event.Event{completed, told(2, 70, event.OrderShipped, "A")}, 80, ""},
		{"it shipped in time and has not arrived", []*event.Event{completed, told(2, 20, event.OrderShipped, "A")}, 80, "A"},
		{"it shipped with a new promise", []*event.Event{completed, told(2, 20, event.OrderShipped, "A", "promised_at", "2026-12-10T12:00:00Z")}, 80, ""},
		{"we said that it is late", []*event.Event{told(2, 5, event.OrderDelayed, "B")}, 6, "B"},
		{"we said so with a new date", []*event.Event{completed, told(2, 5, event.OrderDelayed, "A", "promised_date", "2026-12-20")}, 6, "A"},
		{"the delay is heard after the arrival", []*event.Event{completed, told(3, 70, event.OrderDelivered, "A"), told(2, 5, event.OrderDelayed, "A")}, 80, ""},
		{"it was cancelled", []*event.Event{completed, told(2, 30, event.OrderCancelled, "A", "revenue", "10")}, 80, ""},
		{"of two the one that waits longest", []*event.Event{told(1, 7, event.OrderDelayed, "B"), told(2, 5, event.OrderDelayed, "C")}, 9, "C"},
		{"a date that is none", []*event.Event{told(1, 0, event.OrderCompleted, "A", "promised_date", "soon", "revenue", "10")}, 1000, ""},
	} {
		p := profile.New(identity.ID{1})
		for _, e := range c.events {
			p.Fold(e, e.At)
		}
		if got, _, late := p.Late(first.Add(time.Duration(c.hour) * time.Hour)); got != c.want || late != (c.want != "") {
			t.Errorf("%s: late is %q, want %q", c.name, got, c.want)
		}
	}
}

func TestTheOrdersThatAProfileWaitsForAreBounded(t *testing.T) {
	t.Parallel()
	p := profile.New(identity.ID{1})
	for i := range 1000 {
		e := told(i, i%300, event.OrderDelayed, fmt.Sprint("order-", i))
		p.Fold(e, e.At)
	}
	if v, _ := p.Trait(profile.DueTrait); len(v.Raw) > 1000 {
		t.Errorf("the promises take %d bytes", len(v.Raw))
	}
	if order, _, late := p.Late(first.Add(301 * time.Hour)); !late || order == "order-0" {
		t.Errorf("late is %q, want one of the newest", order)
	}
}

func TestPromisesOfTwoProfilesUniteWhicheverJoinsTheOther(t *testing.T) {
	t.Parallel()
	make2 := func() (*profile.Profile, *profile.Profile) {
		a, b := profile.New(identity.ID{1}), profile.New(identity.ID{2})
		for _, e := range []*event.Event{told(1, 1, event.OrderDelayed, "A"), told(2, 2, event.OrderDelayed, "B")} {
			a.Fold(e, e.At)
		}
		for _, e := range []*event.Event{told(5, 2, event.OrderDelayed, "A"), told(3, 3, event.OrderDelivered, "A"), told(4, 4, event.OrderDelayed, "C")} {
			b.Fold(e, e.At)
		}
		return a, b
	}
	var values []event.Value
	for _, swap := range []bool{false, true} {
		a, b := make2()
		if swap {
			a, b = b, a
		}
		a.Join(b)
		v, _ := a.Trait(profile.DueTrait)
		values = append(values, v)
		if order, _, _ := a.Late(first.Add(10 * time.Hour)); order != "B" {
			t.Errorf("late is %q, want B: A was delivered to the one, B waits longer than C", order)
		}
	}
	if values[0] != values[1] {
		t.Errorf("it matters who joins whom: %s and %s", values[0], values[1])
	}
}
