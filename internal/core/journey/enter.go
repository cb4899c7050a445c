package journey

import (
	"slices"
	"strings"

	"rapport/internal/core/event"
	"rapport/internal/core/insight"
	"rapport/internal/core/profile"
	"rapport/internal/core/wire"
)

// enterByEvent lets the customer in where the event is a trigger.
func (r *run) enterByEvent(e *event.Event) {
	for _, en := range r.s.byEvent[e.Name] {
		if r.late > en.d.MaxLateness || !r.hears(en.t.Event, e) {
			r.says(en.d, nil, Glance{What: Began}, func() string { return en.t.String() })
			continue
		}
		r.enter(en.d, profile.Instance{
			Key: en.t.key(e.Props), Trigger: e.ID, TriggerAt: e.At, Name: e.Name, Props: carry(e.Props),
		})
	}
}

// enterBySegment lets the customer in where a change of a segment is a trigger.
// What is known by catching up is no change in the customer's life, and what
// came of an event that was heard too late triggers no more than the event.
func (r *run) enterBySegment(changes []insight.Change) {
	for i := range changes {
		c := &changes[i]
		if c.Silent {
			continue
		}
		for _, en := range r.s.bySegment[c.Segment] {
			if en.t.Leave == c.In || c.Hidden != en.t.hidden() || r.late > en.d.MaxLateness || en.t.From != "" && !left(changes, en.t.From) {
				continue
			}
			var b event.Builder
			switch {
			case en.t.Fence != "":
				b.Set("fence", event.Text(en.t.Fence)).Set("in", event.Yes(c.In))
			case en.t.Life != "":
				stage, _ := r.w.P.Lifecycle(r.w.Now)
				b.Set("lifecycle", event.Text(stage.String()))
			default:
				b.Set("segment", event.Text(c.Segment)).Set("in", event.Yes(c.In))
			}
			in := profile.Instance{TriggerAt: c.At, Name: en.t.String(), Props: b.Object()}
			if r.e != nil {
				in.Trigger = r.e.ID
			}
			r.enter(en.d, in)
		}
	}
}

// left reports whether a segment is left among the changes of one instant.
func left(changes []insight.Change, segment string) bool {
	return slices.ContainsFunc(changes, func(c insight.Change) bool { return c.Segment == segment && !c.In && !c.Silent })
}

// enterByTime lets the customer in where a date or a schedule occurs at this
// very instant. That it is this instant and no other, Past.Entered and the alarm
// make sure; a date that was set after it had passed does not count.
func (r *run) enterByTime() {
	now := r.w.Now
	for _, en := range r.s.timed {
		if en.t.next(&r.w, now-1) != now {
			continue
		}
		if k := slices.IndexFunc(r.w.P.Past, func(p profile.Past) bool { return p.Journey == en.d.Name }); k >= 0 && r.w.P.Past[k].Entered >= now {
			continue // let in for this occurrence already
		}
		var b event.Builder
		b.SetText("date", en.t.Date).Set("at", event.Text(now.String()))
		r.enter(en.d, profile.Instance{TriggerAt: now, Name: en.t.String(), Props: b.Object()})
	}
}

// enter lets the customer in, unless a rule says no.
func (r *run) enter(d *Definition, in profile.Instance) {
	in.Journey, in.Version, in.Entered = d.Name, d.Version, r.w.Now
	switch {
	case slices.Contains(r.entered, d.Name): // simultaneous entries are one
		return
	case r.find(d.Name, in.Key) >= 0:
		r.glance(d, &in, Glance{What: Again, Text: "is inside already"})
		return
	case !r.mayEnter(d, in.Key):
		r.says(d, &in, Glance{What: Again}, func() string { return d.Reentry.String() })
		return
	case d.audience != nil && !r.ask(d.audience, in.Props).True:
		r.says(d, &in, Glance{What: Audience, Because: r.why(d.audience, in.Props)}, func() string { return d.audience.Sentence() })
		return
	case r.satisfied(d, &in):
		r.glance(d, &in, Glance{What: Satisfied, Text: "has what the journey would lead to, or what takes out of it"})
		return
	}
	if d.audience != nil {
		r.says(d, &in, Glance{What: Audience, Holds: true, Because: r.why(d.audience, in.Props)}, func() string { return d.audience.Sentence() })
	}
	if len(r.live) >= MaxLive {
		r.fact(EntryRefused, &in, said("why", "the customer is inside too many journeys"))
		return
	}
	// What an instance keeps must not hold on to the record that the event came in.
	in.Key, in.Name = strings.Clone(in.Key), strings.Clone(in.Name)
	in.Trigger, in.Props = event.ID(strings.Clone(string(in.Trigger))), event.Object(strings.Clone(string(in.Props)))
	in.Held = d.HeldOut(r.w.P)
	past, k := r.past(d.Name)
	past[k].Entered, past[k].Left = r.w.Now, 0
	past[k].Times++
	if d.Reentry.Rule == OncePerKey {
		keys := slices.Clone(past[k].Keys[max(0, len(past[k].Keys)-profile.MaxKeys+1):])
		past[k].Keys = append(keys, wire.Hash(in.Key))
	}
	r.entered = append(r.entered, d.Name)
	in.Step, in.Wake, in.Check = d.steps[0].name, event.Never, event.Never
	r.glance(d, &in, Glance{What: CameIn, Text: in.Name, Holds: true})
	r.fact(event.JourneyEntered, &in, said("by", in.Name))
	r.own()
	i, _ := slices.BinarySearchFunc(r.live, in, compareInstance)
	r.live = slices.Insert(r.live, i, in)
	r.walk(i, 0)
}

// compareInstance orders live instances: by entry, then by what they are.
func compareInstance(a, b profile.Instance) int {
	switch {
	case a.Entered != b.Entered && a.Entered < b.Entered:
		return -1
	case a.Entered != b.Entered:
		return 1
	case a.Journey != b.Journey:
		return strings.Compare(a.Journey, b.Journey)
	}
	return strings.Compare(a.Key, b.Key)
}

// mayEnter applies the re-entry rule.
func (r *run) mayEnter(d *Definition, key string) bool {
	k := slices.IndexFunc(r.w.P.Past, func(p profile.Past) bool { return p.Journey == d.Name })
	if k < 0 {
		return true
	}
	past := &r.w.P.Past[k]
	switch d.Reentry.Rule {
	case OncePerKey:
		return !slices.Contains(past.Keys, wire.Hash(key))
	case AfterExit:
		return true // no live instance has the key
	case After:
		return past.Entered.Add(d.Reentry.After) <= r.w.Now
	}
	return past.Times == 0
}

// satisfied reports whether an exit or a goal is met at the door: the order was
// heard before the cart that it came from, or the customer is where the journey
// would lead.
func (r *run) satisfied(d *Definition, in *profile.Instance) bool {
	for _, w := range []*watch{&d.goal, &d.exit} {
		for k := range w.items {
			item := &w.items[k]
			switch {
			case item.cond != nil:
				if r.ask(item.cond, in.Props).True {
					return true
				}
			case r.e != nil && r.hears(item.match, r.e):
				// The trigger itself is such an event: only another one satisfies.
				if r.since(item.match, in.TriggerAt+1) {
					return true
				}
			case r.since(item.match, in.TriggerAt):
				return true
			}
		}
	}
	return false
}

// carry returns the trigger's properties as an instance keeps them: whole if
// they are at most profile.MaxTrigger bytes, else without lists and without what
// does not fit.
func carry(props event.Object) event.Object {
	if len(props) <= profile.MaxTrigger {
		return props
	}
	var b event.Builder
	size := 0
	props.Each(func(key string, v event.Value) bool {
		const frame = 12 // the tag and two lengths
		if need := len(key) + len(v.Raw) + frame; v.Kind != event.List && size+need <= profile.MaxTrigger {
			b.Set(key, v)
			size += need
		}
		return true
	})
	return b.Object()
}
