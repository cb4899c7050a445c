package engine

import (
	"context"
	"fmt"

	"rapport/internal/core"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
	"rapport/internal/fault"
	"rapport/internal/store"
)

// Kinds of what the engine puts aside.
const (
	damagedKind = "damaged" // a row of the state cannot be read
	orphanKind  = "orphan"  // a delivery that no customer knows of
	poisonKind  = "poison"  // the core panicked
)

// errDamaged is why a customer cannot be shown.
var errDamaged = fault.New(fault.Corrupt, "this customer's row is damaged and was put aside: restore the row from a backup")

// poison is why a customer cannot be brought up to the definitions in force: a
// panic of the core with its stack, or damage in their history. It is one
// customer's trouble and must not stop the lane.
type poison struct{ stack string }

func (p *poison) Error() string { return "bringing a customer up to the definitions: " + p.stack }

// aside puts an entry for a damaged customer aside. The lock is held.
func (l *lane) aside(ctx context.Context, a *identity.Addressed, now event.Time) error {
	if a.Event.Type == event.System && a.Event.Name == event.Slot {
		return l.orphan(ctx, a, now, damagedKind)
	}
	l.quarantine(now, a, damagedKind, "the row of this customer cannot be read; the event waits here", "")
	return nil
}

// orphan looks at a slot that no open delivery of the customer answered to. Most
// often the delivery was recalled or told of a moment ago. But if the store still
// says that it is open, its row belongs to nobody, and would be offered for ever:
// it is closed with an alarm. The lock is held.
func (l *lane) orphan(ctx context.Context, a *identity.Addressed, now event.Time, because string) error {
	id, err := profile.ParseDelivery(a.Event.Props.Text("delivery"))
	if err != nil {
		return nil // unreachable: only dispatch writes slots
	}
	for _, b := range []*batch{l.open, l.inflight} {
		if b != nil && b.deliveries[id] != nil {
			return nil // what the store says is old
		}
	}
	row, err := l.e.o.Store.Delivery(ctx, id)
	switch {
	case fault.Is(err, fault.NotFound):
		return nil
	case fault.Is(err, fault.Corrupt):
		row = store.Delivery{Delivery: profile.Delivery{ID: id, Expires: event.Never}} // what it was cannot be read
	case err != nil:
		return err
	case !row.State.Open():
		return nil
	}
	row.State = profile.Dropped
	l.open.deliver(profile.New(a.To), l.prog, &core.Delivery{Delivery: row.Delivery, Because: because, Outcome: "no customer knows of this message"}, now)
	l.open.urgent = true
	l.quarantine(now, a, because, fmt.Sprintf("the message %s is in the ledger and its customer does not know of it: it was dropped", id), "")
	return nil
}

// knows reports whether the customer has the delivery of a slot among the open ones.
func knows(p *profile.Profile, slot *event.Event) bool {
	for i := range p.Open {
		if p.Open[i].ID.String() == slot.Props.Text("delivery") {
			return true
		}
	}
	return false
}

// silence puts a customer aside for whom the core panics as time passes: without
// its alarm the profile sleeps until its next event, with it the lane would spin.
// The lock is held.
func (l *lane) silence(it *item, reason, stack string) {
	at := it.p.Alarm
	own := *it.p
	own.Alarm = event.Never
	l.touch(it)
	it.p = &own
	a := identity.Addressed{To: it.p.ID, Event: event.Event{ID: "alarm", Type: event.System, Name: "Alarm", At: at, Trust: event.Own}}
	l.quarantine(l.pos.Now, &a, poisonKind, reason, stack)
}
