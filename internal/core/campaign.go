package core

import (
	"time"

	"rapport/internal/core/decision"
	"rapport/internal/core/event"
	"rapport/internal/core/journey"
	"rapport/internal/core/profile"
)

// Enrolment says what a run of a campaign found for one customer.
type Enrolment struct {
	Place journey.Place
	Until event.Time // of Waits: when to come back
	// Planned says that a message is on its way: the rate counts those, and not
	// whom a rule or the holdout has stopped.
	Planned bool
	Record  *decision.Record // of the wish; nil if there was none
}

// Enrol gives the customer p, which it does not change, their place in a run of
// the campaign d. Alarms that are due up to now fire first, as with every entry.
// Nothing but those follows unless the place is Entered. The profile must be
// current.
//
// Whom quiet hours hold is not planned for their end: they are told to wait, and
// the run comes back. So its rate holds in the morning too.
func (pr *Program) Enrol(p *profile.Profile, d *journey.Definition, of *journey.Run, now event.Time) (*profile.Profile, Effects, Enrolment) {
	if !p.Owner.Zero() || p.Born == 0 {
		return p, Effects{}, Enrolment{}
	}
	own := *p
	r := &run{Program: pr, now: now, p: &own}
	woken := p.Alarm <= now
	r.wake(now, 0)
	trial := *r.p
	world := r.world()
	world.P = &trial
	var found Enrolment
	var out journey.Out
	out, found.Place, found.Until = pr.Journeys.Enrol(world, d, of)
	if found.Place == journey.Entered {
		for i := range out.Intents {
			if !pr.Journeys.Stands(&trial, &out.Intents[i]) {
				continue
			}
			_, record := pr.Gate.Plan(&trial, out.Intents[i], now)
			if record.Reason == decision.QuietHours && record.Outcome == decision.Later {
				found.Place, found.Until = journey.Waits, record.Until
			}
			found.Record = &record
		}
	}
	if found.Place != journey.Entered {
		if !woken {
			return p, Effects{}, found
		}
		return r.p, r.eff, found
	}
	before := len(r.eff.Deliveries)
	pr.Runs.Forget(&trial)
	r.p = &trial
	r.follow(out)
	for i := range r.eff.Deliveries[before:] {
		found.Planned = found.Planned || r.eff.Deliveries[before+i].State == profile.Planned
	}
	r.settle()
	r.wake(now, now)
	return r.p, r.eff, found
}

// pausedFor is how long a message of a paused campaign waits until it is asked
// about again: so much later at most it goes on after the campaign does.
const pausedFor = time.Minute

// holdRun answers the slot of a message whose campaign is paused or stopped; it
// reports false if the message may go on.
func (r *run) holdRun(i int, d profile.Delivery) bool {
	of := r.Runs.Of(&d)
	if of == nil || of.State == journey.Running || d.State == profile.Claimed && r.now < d.Deadline {
		return false // what dispatch holds is on its way
	}
	if of.State == journey.Stopped {
		r.stop(i)
		return true
	}
	d.State, d.NotBefore = profile.Planned, r.now.Add(pausedFor)
	r.eff.Deliveries = append(r.eff.Deliveries, Delivery{Delivery: d, Because: string(decision.CampaignPaused)})
	r.put(i, d)
	return true
}

// stop recalls an open message of a stopped campaign.
func (r *run) stop(i int) {
	d := r.p.Open[i]
	record, ok := r.Gate.Recall(r.p, &d, decision.CampaignStopped, r.now)
	if !ok {
		return // unreachable: the callers ask for the state
	}
	r.drop(i)
	r.eff.Deliveries = append(r.eff.Deliveries, Delivery{Delivery: d, Because: string(record.Reason), Record: &record, Claim: true, Outcome: "the campaign was stopped"})
}

// CallBack recalls what a stopped run has planned for the customer and nobody has
// begun.
func (pr *Program) CallBack(p *profile.Profile, of *journey.Run, now event.Time) (*profile.Profile, Effects) {
	own := *p
	r := &run{Program: pr, now: now, p: &own}
	for i := len(p.Open) - 1; i >= 0; i-- {
		if name, ok := journey.RunOf(p.Open[i].Key); ok && name == of.Name && p.Open[i].Journey == of.Campaign && p.Open[i].State == profile.Planned {
			r.stop(i)
		}
	}
	if len(r.eff.Deliveries) == 0 {
		return p, Effects{}
	}
	return r.p, r.eff
}
