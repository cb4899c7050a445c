package core

import (
	"rapport/internal/core/decision"
	"rapport/internal/core/event"
	"rapport/internal/core/journey"
	"rapport/internal/core/profile"
)

// Stop is a delivery that is no longer wanted while dispatch may have it in hand.
// It stays open: only dispatch knows whether it has begun, and tells so by a
// receipt, like all that becomes of messages.
type Stop struct {
	Delivery profile.Delivery // Unwanted, under the fence of the claim
	Why      string
}

// recall takes a message back: a planned one at once; a claimed one when dispatch
// says that it has not begun. It reports whether it is taken back already.
func (r *run) recall(c *journey.Recall) bool {
	i := r.find(c.Delivery)
	if i < 0 {
		return false
	}
	switch d := r.p.Open[i]; {
	case d.State == profile.Claimed:
		d.Unwanted = true
		r.put(i, d)
		r.eff.Stops = append(r.eff.Stops, Stop{d, c.Why})
		return false
	case d.State != profile.Planned:
		return false // unreachable: no state between a claim and its receipt is kept here
	}
	r.drawBack(i, c.Why)
	return true
}

// drawBack ends an open message that has not begun and is not wanted.
func (r *run) drawBack(i int, why string) {
	d, again := r.p.Open[i], r.p.Open[i]
	record, _ := r.Gate.Recall(r.p, &d, decision.Exited, r.now)
	// If a rule says it better than "the journey was left", the rule speaks: she
	// bought it four seconds ago.
	again.State = profile.Planned // asked as if it were not claimed yet: a rule says nothing of a claim that stands
	if ruled := r.Gate.Claim(r.p, &again, r.now); ruled.Reason == decision.Satisfied || ruled.Reason == decision.JustBought {
		record = ruled
	}
	d.Unwanted = false
	r.drop(i)
	r.eff.Deliveries = append(r.eff.Deliveries, Delivery{Delivery: d, Because: string(record.Reason), Record: &record, Claim: true, Outcome: why})
}

// takeBack is drawBack for a message of which dispatch has told that it did not
// begin, and lets its journey know.
func (r *run) takeBack(i int, why string) {
	id := r.p.Open[i].ID
	r.drawBack(i, why)
	r.follow(r.Journeys.OnDelivery(r.world(), id, profile.Recalled, why))
}

// unwanted answers a slot for a message that was recalled while it was claimed: it
// gets no other claim. Lost says that it was never begun; else dispatch is asked
// once more, because the first time it may have been gone before it could answer.
func (r *run) unwanted(i int, lost bool) {
	if lost {
		r.takeBack(i, "")
		return
	}
	r.eff.Stops = append(r.eff.Stops, Stop{Delivery: r.p.Open[i]})
}

// nothingLeft reports whether a receipt says that the message did not leave and may
// be tried again, or was stopped because it was recalled.
func nothingLeft(e *event.Event) bool {
	return e.Name == event.MessageDeferred || e.Name == event.MessageStopped && e.Props.Text("by") == event.ByRecall
}
