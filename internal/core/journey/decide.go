package journey

import (
	"rapport/internal/core/event"
	"rapport/internal/core/profile"
)

// OnDecision tells the journey what the gate made of a wish, in the order of
// [Out.Intents]. A planned message is on its way: the customer goes on at once,
// unless the step awaits that the provider accepts it. A withheld one goes on as
// if it were, for the customer is the counterfactual. A message that the gate
// drops takes the step's `otherwise` edge, or the next if there is none, and
// never counts as sent. Why is the gate's reason. The walk may lead to further
// wishes.
//
// An answer for an instance that has left, or has moved on, changes nothing.
func (s *Set) OnDecision(w *World, wish *Intent, id profile.DeliveryID, state profile.State, why string) Out {
	if s == nil {
		return Out{}
	}
	r := s.begin(w)
	i := r.find(wish.Journey, wish.Key)
	if i < 0 || !s.Stands(w.P, wish) {
		return Out{}
	}
	d := s.Version(r.live[i].Journey, r.live[i].Version)
	if d == nil || d.step(wish.Step) < 0 || d.steps[d.step(wish.Step)].kind != Send {
		return Out{}
	}
	st := &d.steps[d.step(wish.Step)]
	r.own()
	in := &r.live[i]
	switch {
	case state == profile.Withheld:
		r.walk(i, st.next)
	case state.Open() && st.send.accepted:
		in.Waiting = id
		in.Wake = w.Now.Add(AcceptLimit)
		if wish.Expires != event.Never {
			in.Wake = max(wish.Expires, w.Now) + 1 // the gate, too, acts at Expires: it goes first
		}
	case state.Open() || state == profile.Accepted || state == profile.Unknown:
		in.Sent++
		r.walk(i, st.next)
	default:
		r.unsent(i, why)
		r.walk(i, st.instead())
	}
	return r.finish()
}

// Stands reports whether the customer still wishes it: whether the instance is
// live and at the step. A caller that takes several wishes through the gate asks
// before each, for the answer to one may have ended the run of another.
func (s *Set) Stands(p *profile.Profile, wish *Intent) bool {
	for i := range p.Journeys {
		in := &p.Journeys[i]
		if in.Journey == wish.Journey && in.Key == wish.Key {
			return in.Entered == wish.Entered && in.Arrivals == wish.Arrival && in.Step == wish.Step && in.Waiting.Zero()
		}
	}
	return false
}

// OnDelivery tells the journey what became of a message on its way. Only a step
// with `await: accepted` that waits for this message moves on; for every other
// step the message counts from the moment it was planned.
func (s *Set) OnDelivery(w *World, id profile.DeliveryID, state profile.State, why string) Out {
	if s == nil || id.Zero() || state.Open() {
		return Out{}
	}
	r := s.begin(w)
	for i := range r.live {
		in := &r.live[i]
		d := s.Version(in.Journey, in.Version)
		if in.Waiting != id || d == nil || d.step(in.Step) < 0 {
			continue
		}
		st := &d.steps[d.step(in.Step)]
		r.own()
		switch state {
		case profile.Accepted, profile.Unknown: // unknown counts as sent: it is never sent again
			r.live[i].Sent++
			r.walk(i, st.next)
		case profile.Withheld:
			r.walk(i, st.next)
		default:
			r.unsent(i, why)
			r.walk(i, st.instead())
		}
		return r.finish()
	}
	return Out{}
}

// unsent notes that a message of the instance did not go out.
func (r *run) unsent(i int, why string) {
	r.own()
	in := &r.live[i]
	in.Unsent++
	r.fact(MessageUnsent, in, said("why", why))
}
