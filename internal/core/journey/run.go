package journey

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"time"

	"rapport/internal/core/condition"
	"rapport/internal/core/event"
	"rapport/internal/core/money"
	"rapport/internal/core/profile"
	"rapport/internal/core/wire"
)

// MessageUnsent is the fact that a message of a journey was not let on its way,
// or did not arrive at its provider.
const MessageUnsent = "Journey Message Not Sent"

// SplitTaken is the fact that a customer took an arm of a split.
const SplitTaken = "Journey Split Taken"

// EntryRefused is the fact that a customer was not let in because they are
// inside too many journeys.
const EntryRefused = "Journey Entry Refused"

// run is one call: the customer's instances on their way from one state to the next.
type run struct {
	s    *Set
	w    World
	e    *event.Event  // nil on an alarm
	late time.Duration // how late e was heard
	out  Out
	ctx  condition.Context

	live    []profile.Instance // the profile's own until owned
	owned   bool
	walked  bool     // something moved: the conditions of every instance are asked again
	entered []string // journeys that let the customer in during this call
}

func (s *Set) begin(w *World) *run {
	return &run{s: s, w: *w, live: w.P.Journeys, ctx: w.context("")}
}

// own makes the list of instances the run's own before the first change.
func (r *run) own() {
	if !r.owned {
		r.live = slices.Clone(r.live)
		r.owned = true
	}
}

// ask answers a condition about the customer at this instant.
func (r *run) ask(q *condition.Cond, props event.Object) condition.Verdict {
	r.ctx.Props = props
	return q.Eval(&r.ctx)
}

// finish asks again, for every instance, when its conditions may change, and
// hands the instances back to the profile.
func (r *run) finish() Out {
	if r.walked {
		// An update step may have made an exit true: nobody walks on past it.
		r.leaveAll()
	}
	if r.owned {
		if len(r.live) == 0 {
			r.live = nil
		}
		r.w.P.Journeys = r.live
	}
	return r.out
}

// leaveAll lets out whoever meets an exit or a goal, recalls what waits without
// an instance, and notes for the others when their conditions may change.
func (r *run) leaveAll() {
	for i := 0; i < len(r.live); {
		in := &r.live[i]
		d := r.s.Version(in.Journey, in.Version)
		if d == nil || d.step(in.Step) < 0 {
			r.leave(i, event.JourneyLeft, "the journey's definition is no longer known", true)
			continue
		}
		check := event.Never
		why, met := r.meets(d, &d.goal, in, &check)
		name := event.GoalReached
		if !met {
			name = event.JourneyLeft
			why, met = r.meets(d, &d.exit, in, &check)
		}
		if met {
			r.leave(i, name, why, true)
			continue
		}
		if st := &d.steps[d.step(in.Step)]; st.kind == WaitFor {
			for k := range st.await.any {
				if q := st.await.any[k].cond; q != nil {
					v := r.ask(q, in.Props)
					if v.True {
						// Met by something that this very call changed: due at the next instant.
						v.Until = min(v.Until, r.w.Now+1)
					}
					check = min(check, v.Until)
				}
			}
		}
		if in.Check != check {
			r.own()
			r.live[i].Check = check
		}
		i++
	}
	r.recallLoose()
}

// meets reports whether the run has come to one of the watched things, and how
// to say so. It lowers check to the earliest instant at which that may change.
func (r *run) meets(d *Definition, w *watch, in *profile.Instance, check *event.Time) (string, bool) {
	for k := range w.items {
		item := &w.items[k]
		if item.match != nil {
			if r.e != nil && r.e.ID != in.Trigger && r.e.At >= in.TriggerAt && r.hears(item.match, r.e) {
				r.glance(d, in, Glance{What: w.what(d), Text: item.text, Holds: true})
				return item.text, true
			}
			continue
		}
		v := r.ask(item.cond, in.Props)
		if v.True {
			r.glance(d, in, Glance{What: w.what(d), Text: item.text, Holds: true, Because: r.why(item.cond, in.Props)})
			return item.text, true
		}
		*check = min(*check, v.Until)
	}
	return "", false
}

// hears reports whether e is such an event.
func (r *run) hears(m *match, e *event.Event) bool {
	if !m.named(e) {
		return false
	}
	return m.where == nil || r.ask(m.where, seen(e)).True
}

// seen returns the properties of an event as filters see them: an order's also
// have what the core itself reads of it, as in questions about the history.
func seen(e *event.Event) event.Object {
	if !event.IsOrder(e.Name) {
		return e.Props
	}
	o, err := event.OrderOf(e.Name, e.Props)
	if err != nil {
		return e.Props // no order that the core can read: only its own properties
	}
	return e.Props.With("net", event.Value{Kind: event.Number, Raw: o.Net.String()}).
		With("units", event.Value{Kind: event.Number, Raw: money.Micros(o.Units * 1000).String()}).
		With("order_id", event.Text(o.ID))
}

// since reports whether such an event has happened at or after the instant, as
// far as the profile remembers.
func (r *run) since(m *match, t event.Time) bool {
	if m.whole == nil {
		return false
	}
	c := r.w.context("")
	c.Explain = true
	v := m.whole.Eval(&c)
	return v.True && len(v.Because) > 0 && v.Because[0].At >= t
}

// leave ends the instance at i with a fact. If recall is set, what still waits
// because of it is recalled and what it wished in this call is withdrawn.
func (r *run) leave(i int, name, why string, recall bool) {
	r.own()
	in := r.live[i]
	if recall {
		r.out.Intents = slices.DeleteFunc(r.out.Intents, func(x Intent) bool { return x.Journey == in.Journey && x.Key == in.Key })
		for k := range r.w.P.Open {
			if d := &r.w.P.Open[k]; d.Journey == in.Journey && d.Key == in.Key {
				r.recall(d, why)
			}
		}
	}
	r.glance(nil, &in, Glance{What: Left, Text: why, Holds: name == event.GoalReached})
	r.fact(name, &in, event.Field{Key: "sent", Value: event.Int(int64(in.Sent))}, event.Field{Key: "unsent", Value: event.Int(int64(in.Unsent))}, said("why", why))
	past, k := r.past(in.Journey)
	past[k].Left = r.w.Now
	r.live = slices.Delete(r.live, i, i+1)
	r.walked = true
}

// recall takes back a delivery that may still be taken back: recall wins until
// dispatch has written that it starts.
func (r *run) recall(d *profile.Delivery, why string) {
	if d.State != profile.Planned && d.State != profile.Claimed || d.Unwanted {
		return
	}
	for i := range r.out.Recalls {
		if r.out.Recalls[i].Delivery == d.ID {
			return
		}
	}
	r.out.Recalls = append(r.out.Recalls, Recall{d.ID, d.Journey, d.Key, why})
}

// recallLoose looks at messages whose instance has finished while they wait for
// a quiet hour to end or for a slot: an exit or a goal takes them back as well.
func (r *run) recallLoose() {
	for k := range r.w.P.Open {
		d := &r.w.P.Open[k]
		if d.Journey == "" || r.find(d.Journey, d.Key) >= 0 {
			continue
		}
		def := r.s.Version(d.Journey, d.Version)
		if def == nil {
			continue // a campaign of another kind, or the program's own message
		}
		// What was heard between the trigger and the wish counts too; an order may
		// be heard as late as the trigger was.
		in := profile.Instance{Journey: d.Journey, Key: d.Key, TriggerAt: d.Planned.Add(-def.MaxLateness), Props: d.Props}
		never := event.Never
		why, met := r.meets(def, &def.goal, &in, &never)
		if !met {
			why, met = r.meets(def, &def.exit, &in, &never)
		}
		if met {
			r.recall(d, why)
		}
	}
}

// Wanted reports whether a message that waits is still wanted at w.Now, for the
// gate to ask at the moment of sending: no exit and no goal is met, and the
// audience still holds unless the definition says `retest: false`. The text says
// why not. What no journey of the set has wished is wanted.
func (s *Set) Wanted(w *World, d *profile.Delivery) (string, bool) {
	def := s.Version(d.Journey, d.Version)
	if def == nil {
		return "", true
	}
	r := s.begin(w)
	in := profile.Instance{Journey: d.Journey, Key: d.Key, Props: d.Props}
	if i := r.find(d.Journey, d.Key); i >= 0 {
		in = r.live[i]
	}
	never := event.Never
	if why, met := r.meets(def, &def.goal, &in, &never); met {
		return why, false
	}
	if why, met := r.meets(def, &def.exit, &in, &never); met {
		return why, false
	}
	if def.Retest && def.audience != nil && !r.ask(def.audience, in.Props).True {
		return "no longer " + def.audience.Sentence(), false
	}
	return "", true
}

// find returns the index of the live instance, -1 if there is none.
func (r *run) find(journey, key string) int {
	for i := range r.live {
		if r.live[i].Journey == journey && r.live[i].Key == key {
			return i
		}
	}
	return -1
}

// past returns the profile's memory of journeys, which is the run's own from
// here on, and the index of the journey's line.
func (r *run) past(journey string) ([]profile.Past, int) {
	p := r.w.P
	k, found := slices.BinarySearchFunc(p.Past, journey, func(x profile.Past, name string) int { return strings.Compare(x.Journey, name) })
	if found {
		p.Past = slices.Clone(p.Past)
	} else {
		p.Past = slices.Insert(slices.Clip(p.Past), k, profile.Past{Journey: journey})
	}
	return p.Past, k
}

// fact tells the feed what happened to an instance: a replay tells the same facts.
// Of what more it says, a field without a key says nothing.
func (r *run) fact(name string, in *profile.Instance, more ...event.Field) {
	var b event.Builder
	b.Grow(7+len(more)).Set("journey", event.Text(in.Journey)).Set("version", event.Text(strconv.FormatUint(in.Version, 16)))
	b.SetText("key", in.Key).SetText("step", in.Step).Set("entered", event.Text(in.Entered.String()))
	b.Set("held_out", event.Yes(in.Held)).SetText("trigger", string(in.Trigger))
	for _, f := range more {
		if f.Key != "" {
			b.Set(f.Key, f.Value)
		}
	}
	r.tell(name, in, b.Object(), "")
}

// said is a field with a text; without a key if the text is empty.
func said(key, text string) event.Field {
	if text == "" {
		return event.Field{}
	}
	return event.Field{Key: key, Value: event.Text(text)}
}

// tell makes a fact of the instance's and its properties. Its id is made of what it
// says, and of what it does not say but must tell it from others.
func (r *run) tell(name string, in *profile.Instance, props event.Object, unsaid string) {
	var few [512]byte
	id := append(few[:0], r.w.P.ID[:]...)
	for _, s := range [...]string{name, in.Journey, in.Key, in.Step, string(props)} {
		id = wire.Text(id, s)
	}
	id = wire.Varint(wire.Varint(id, int64(r.w.Now)), int64(in.Arrivals))
	if unsaid != "" {
		id = wire.Text(id, unsaid)
	}
	sum := sha256.Sum256(id)
	r.out.Facts = append(r.out.Facts, event.Event{
		ID: event.ID(hex.AppendEncode(append(few[:0], "journey:"...), sum[:16])), Type: event.System, Name: name, At: r.w.Now,
		Trust: event.Own, Source: "journey", Props: props,
	})
}
