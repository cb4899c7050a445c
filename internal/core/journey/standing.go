package journey

import (
	"slices"

	"rapport/internal/core/condition"
	"rapport/internal/core/event"
	"rapport/internal/core/profile"
)

// Standing is how a customer stands to a journey at one instant: what would let them
// in, and what would not. It is for people who ask why somebody got nothing; nothing
// is decided by it.
type Standing struct {
	Inside   []profile.Instance // where they are in it now
	Past     *profile.Past      // nil: they were never let in
	HeldOut  bool               // they walk it and get nothing
	Full     bool               // they are inside as many journeys as anybody may be
	Again    bool               // what the journey says of entering again would let them in
	Audience *condition.Verdict // with its reasons; nil: it is for everybody
	Met      []string           // exits and goals that are met already, in words
	Wants    []Intent           // what its steps would want to say, without what they fill in
}

// Standing says how the customer of w stands to the journey. It changes nothing. What
// only a trigger brings is not known: conditions that ask for it see nothing.
func (s *Set) Standing(w *World, d *Definition) Standing {
	r := s.begin(w)
	r.ctx.Explain = true
	st := Standing{HeldOut: d.HeldOut(w.P), Full: len(w.P.Journeys) >= MaxLive, Again: r.mayEnter(d, "")}
	for i := range w.P.Journeys {
		if w.P.Journeys[i].Journey == d.Name {
			st.Inside = append(st.Inside, w.P.Journeys[i])
		}
	}
	if k := slices.IndexFunc(w.P.Past, func(p profile.Past) bool { return p.Journey == d.Name }); k >= 0 {
		past := w.P.Past[k]
		st.Past = &past
	}
	if d.audience != nil {
		v := r.ask(d.audience, "")
		st.Audience = &v
	}
	for _, ends := range []*watch{&d.goal, &d.exit} {
		for k := range ends.items {
			if item := &ends.items[k]; item.cond != nil && r.ask(item.cond, "").True {
				st.Met = append(st.Met, item.text)
			}
		}
	}
	for i := range d.steps {
		send := d.steps[i].send
		if send == nil {
			continue
		}
		st.Wants = append(st.Wants, Intent{
			Journey: d.Name, Version: d.Version, Step: d.steps[i].name, Template: send.template, Channel: send.channel, Purpose: send.purpose,
			Class: send.class, Priority: send.priority, At: w.Now, Entered: w.Now, Expires: event.Never, Withheld: st.HeldOut, Key: standingKey,
		})
	}
	return st
}

// standingKey is of no instance, so what was said to one is no duplicate.
const standingKey = "\x00standing"
