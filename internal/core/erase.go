package core

import (
	"slices"
	"strconv"

	"rapport/internal/core/condition"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/insight"
	"rapport/internal/core/profile"
)

// erasedWhy is why a tombstone refuses a claim.
const erasedWhy = "erased"

// erase forgets the customer. What is left is a tombstone: the keyed hash that the
// home's id is anyway, owned by nobody. Every other home of theirs is told the
// same, so that what is heard later of the same person meets a tombstone wherever
// it arrives. The shell deletes what lies under the ids in Effects.Forget.
//
// An entry that speaks for another profile ("of") says nothing about somebody who
// lives here.
func (r *run) erase(e *event.Event) {
	if e.Props.Text("of") != "" && r.p.Born != 0 {
		return
	}
	for i := range r.p.Open {
		d := r.p.Open[i]
		d.State = profile.Dropped
		d.Reason, d.Key, d.Product, d.Category, d.Props = "", "", "", "", ""
		r.eff.Deliveries = append(r.eff.Deliveries, Delivery{Delivery: d, Because: erasedWhy})
	}
	for _, name := range r.Segments.Members(r.p) {
		r.eff.Changes = append(r.eff.Changes, insight.Change{Segment: name, Key: condition.SegmentKey(name), At: r.now, Silent: true})
	}
	r.eff.Forget = append([]identity.ID{r.p.ID}, r.p.Strands...)
	r.tellHomes(r.p, r.p.ID)
	*r.p = *tombstone(r.p.ID, r.now)
}

// bury makes a signpost a tombstone, because its owner was erased.
func (r *run) bury(p *profile.Profile) *profile.Profile {
	r.eff.Forget = []identity.ID{p.ID}
	return tombstone(p.ID, r.now)
}

// buried answers what arrives at a tombstone. Nothing of it is kept. Homes that
// have just become somebody's who is no more are told so.
func (r *run) buried(p *profile.Profile, e *event.Event) {
	if e.Type != event.System || !event.Control(e.Name) {
		r.eff.Late = true
		return
	}
	id := identity.Identifier{Kind: identity.Kind(e.Props.Text("kind")), Value: e.Props.Text("value")}
	switch e.Name {
	case event.Grant:
		r.tell(r.Key.Home(id), p.ID)
	case event.Claim:
		by, err := identity.ParseID(e.Props.Text("by"))
		if err != nil || by == p.ID {
			return
		}
		refusal := r.answer(event.Refuse, id, by)
		refusal.Props = refusal.Props.With("why", event.Text(erasedWhy))
		r.send(by, refusal)
		r.eff.Late = true
	case event.Strand:
		// Somebody joined who was on the way already: they are the same person.
		v, _ := e.Props.Get("state")
		if s, err := profile.Decode(v.Raw); err == nil {
			r.eff.Forget = append([]identity.ID{s.ID}, s.Strands...)
			r.tellHomes(s, p.ID)
			r.tell(s.ID, p.ID)
		}
	}
}

// tellHomes tells every home that leads to p, but for p itself, that there is
// nobody any more.
func (r *run) tellHomes(p *profile.Profile, of identity.ID) {
	told := []identity.ID{p.ID}
	tell := func(home identity.ID) {
		if !slices.Contains(told, home) {
			told = append(told, home)
			r.tell(home, of)
		}
	}
	for _, id := range p.Strands {
		tell(id)
	}
	for i := range p.Held {
		if h := &p.Held[i]; h.State == profile.Owned {
			tell(r.Key.Home(h.Identifier))
		}
	}
}

func (r *run) tell(home, of identity.ID) {
	var b event.Builder
	b.Set("of", event.Text(of.String()))
	r.send(home, r.system(event.Erase, "erase:"+home.String()+":"+of.String()+":"+strconv.FormatInt(int64(r.now), 36), &b))
}

// unlearn forgets an identifier whose home says that its person was erased: it
// came with an event of somebody else and must not live on there.
func (r *run) unlearn(id identity.Identifier) {
	r.p.Held = slices.DeleteFunc(slices.Clone(r.p.Held), func(h profile.Held) bool { return h.Identifier == id })
	r.p.Traits = slices.DeleteFunc(slices.Clone(r.p.Traits), func(t profile.Trait) bool {
		if t.Value.Kind != event.String {
			return false
		}
		same, ok := identity.Normal(id.Kind, t.Value.Raw)
		return ok && same == id
	})
}

// erasesHome reports whether the entry says that the owner of a home was erased.
func erasesHome(e *event.Event) bool {
	return e.Type == event.System && e.Name == event.Erase && e.Props.Text("of") != ""
}

// tombstone is what is left of a customer who was erased.
func tombstone(id identity.ID, now event.Time) *profile.Profile {
	return &profile.Profile{ID: id, Owner: identity.Erased, Born: now, Alarm: event.Never}
}
