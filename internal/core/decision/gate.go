package decision

import (
	"slices"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/journey"
	"rapport/internal/core/profile"
)

// Gate decides for one workspace under one policy. It is immutable; the zero
// Gate allows nothing. Make one with [New].
type Gate struct {
	Policy    Policy
	Workspace string // part of every delivery's id

	zones *Zones
	shop  *time.Location
}

// New returns the gate of a workspace. A policy whose Zone is not in zones makes
// a gate that allows nothing.
func New(workspace string, policy Policy, zones *Zones) *Gate {
	return &Gate{Policy: policy, Workspace: workspace, zones: zones, shop: zones.Zone(policy.Zone)}
}

// Plan answers an intent at now. It does not change p. The delivery's state
// follows the record: Planned for Send and Later, with NotBefore; Withheld for
// somebody in a holdout, the counterfactual; Expired for what comes too late; Dropped
// for every other Never.
// Planning the same intent again names the same delivery: the record's reason is
// Duplicate and the delivery is the open one as it stands, or Accepted if it was
// sent, and nothing is to be stored.
func (g *Gate) Plan(p *profile.Profile, in journey.Intent, now event.Time) (profile.Delivery, Record) {
	a := g.asked(p, &in, now)
	r := g.decide(p, a, now)
	d := a.delivery(&in)
	switch {
	case r.Reason == Duplicate:
		d.State = profile.Accepted
		if i := openAt(p, d.ID); i >= 0 {
			d = p.Open[i]
		}
	case r.Outcome == Send:
		d.State = profile.Planned
	case r.Outcome == Later:
		d.State, d.NotBefore = profile.Planned, r.Until
	case r.Reason == Held:
		d.State = profile.Withheld
	case r.Reason == Expired:
		d.State = profile.Expired
	default:
		d.State = profile.Dropped
	}
	return d, r
}

// Claim asks the same rules about a planned delivery, on the fresh profile. It
// does not change p, but it changes *d, which must not lie in p.Open: Send makes
// it Claimed under the next Fence, and the caller sets the Deadline; Later moves
// NotBefore; Never makes it Expired if its time is over or would be before a
// rule lets it go, Recalled if the customer bought what it is about, Withheld or
// Dropped else. A delivery that is started or final, or claimed and still within
// its deadline, stays as it is: the reason is Closed.
func (g *Gate) Claim(p *profile.Profile, d *profile.Delivery, now event.Time) Record {
	r := g.decide(p, claimed(d, now), now)
	switch {
	case r.Reason == Closed:
	case r.Outcome == Send:
		d.State = profile.Claimed
		d.Fence++
	case r.Outcome == Later:
		d.State, d.NotBefore = profile.Planned, r.Until
	case r.Reason == Expired, r.Until != 0 && r.Until >= r.Expires:
		d.State = profile.Expired
	case r.Reason == Satisfied:
		d.State = profile.Recalled
	case r.Reason == Held:
		d.State = profile.Withheld
	default:
		d.State = profile.Dropped
	}
	return r
}

// Recheck asks the question of a record again. On the profile as it was then,
// under the policy as it was then, it returns an equal record.
func (g *Gate) Recheck(p *profile.Profile, r *Record) Record {
	if r.Reason == Exited || r.Reason == Goal || r.Reason == CampaignStopped {
		return *r // decided by the journey or an operator, not by a rule
	}
	return g.decide(p, r.Ask, r.Now)
}

// Recall takes a delivery back that is no longer wanted: the customer left the
// journey, reached its goal or bought. It wins until the delivery is started,
// and then reports false and changes nothing. A claim that dispatch holds is
// void, because the fence moves on.
func (g *Gate) Recall(p *profile.Profile, d *profile.Delivery, why Reason, now event.Time) (Record, bool) {
	r := Record{Ask: claimed(d, now), Person: p.ID, Now: now, Rule: RuleWanted, Reason: why, Chance: 1}
	if d.State != profile.Planned && d.State != profile.Claimed {
		r.Reason = Closed
		return r, false
	}
	d.State = profile.Recalled
	d.Fence++
	return r, true
}

// Sent notes that a delivery went out at the instant, or may have (Unknown): it
// counts towards the caps from now on. It replaces p.Contacts, so p must be the
// caller's own copy, and forgets contacts that no window can ask about. A
// service message does not count. Telling it twice changes nothing.
func (g *Gate) Sent(p *profile.Profile, d *profile.Delivery, at event.Time) {
	a := Ask{Channel: d.Channel, Class: d.Class}
	if !a.counts() || contactAt(p, d.ID) >= 0 {
		return
	}
	c := profile.Contact{At: at, Channel: d.Channel, Journey: d.Journey, Class: d.Class, ID: d.ID}
	i := len(p.Contacts)
	for i > 0 && p.Contacts[i-1].At > at {
		i--
	}
	list := slices.Insert(slices.Clone(p.Contacts), i, c)
	oldest := list[len(list)-1].At.Add(-g.Policy.longest())
	first := 0
	for list[first].At < oldest {
		first++
	}
	p.Contacts = list[first:]
}

// Unsent notes that a delivery which was told as Sent did not go out after all:
// the provider rejected it. It replaces p.Contacts.
func (g *Gate) Unsent(p *profile.Profile, d *profile.Delivery) {
	if i := contactAt(p, d.ID); i >= 0 {
		p.Contacts = slices.Delete(slices.Clone(p.Contacts), i, i+1)
	}
}

func openAt(p *profile.Profile, id profile.DeliveryID) int {
	return slices.IndexFunc(p.Open, func(o profile.Delivery) bool { return o.ID == id })
}

func contactAt(p *profile.Profile, id profile.DeliveryID) int {
	return slices.IndexFunc(p.Contacts, func(c profile.Contact) bool { return c.ID == id })
}
