// Package core is the function of the log.
//
//	Apply(program, profile, event, now) → (profile', effects)
//
// It has no clock, no dice, no I/O and no goroutines: the same records give the
// same customers and the same decisions, whoever runs it and however often it is
// killed on the way. The shell reads the log, loads profiles, calls Apply and
// commits what comes back; effects leave the process only after the commit.
//
// The packages below are the parts, in the order of the data: event hears,
// identity recognises, profile remembers, condition asks, insight understands,
// journey orchestrates, decision decides, content words, measure learns.
package core

import (
	"strings"
	"time"

	"rapport/internal/core/condition"
	"rapport/internal/core/decision"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/insight"
	"rapport/internal/core/insight/occasion"
	"rapport/internal/core/journey"
	"rapport/internal/core/place"
	"rapport/internal/core/profile"
)

// Program is every definition of a workspace, compiled and immutable. It changes
// only by a record in the log, so a replay changes it at the same place.
type Program struct {
	Hash      uint64 // of the definitions and of the core's version
	Workspace string
	Key       identity.Key
	Zone      *time.Location                   // the shop's
	Zones     func(name string) *time.Location // nil if there is no such zone
	Series    *condition.Set
	Segments  *insight.Segments
	Journeys  *journey.Set
	Gate      *decision.Gate
	Occasions *occasion.Set // nil: none is declared, and none is kept
	Places    *place.Map    // stores and fences; nil: none

	// Runs are the runs of campaigns that the lane knows: no part of the
	// definitions, and changed by entries of the log just like them.
	Runs journey.Runs

	// Watch is told what journeys look at, see [journey.World]. Only a program that
	// is tried out, and never in force, has one.
	Watch func(journey.Glance)
}

// Effects is what an applied record asks of the shell. The shell acts on it only
// once the record is committed.
type Effects struct {
	Kept       bool             // the event is new and belongs in the history
	Repeated   bool             // the event was applied before: nothing changed
	Left       bool             // the profile became a signpost
	Changes    []insight.Change // segments entered and left
	Deliveries []Delivery       // new deliveries and new states of old ones
	Stops      []Stop           // claims that are no longer wanted
	Forwards   []identity.Addressed
	Granted    []profile.Consent // consents that the event gave
	Facts      []event.Event     // for the feed
	Joined     []identity.ID     // strands taken in
	Undone     bool              // an import was taken back: the profile must be made again from its history
	Quarantine string            // why the event was put aside; empty: it was not
	Stuck      []string          // segments whose alarms keep finding nothing changed: a mistake of ours
	Unfit      string            // a trait that was left as it was, since its new value cannot be right
	Refused    []string          // what a public key tried and may not do
	Forget     []identity.ID     // whose history and messages are to be deleted
	Late       bool              // somebody who was erased is spoken of: the entry was dropped
}

// None reports whether nothing came of it beside a new profile.
func (e *Effects) None() bool {
	return !e.Kept && !e.Left && !e.Undone && !e.Late && e.Quarantine == "" && e.Unfit == "" &&
		len(e.Changes)+len(e.Deliveries)+len(e.Stops)+len(e.Forwards)+len(e.Granted)+len(e.Facts)+len(e.Joined)+len(e.Stuck)+len(e.Refused)+len(e.Forget) == 0
}

// Delivery is a change in the delivery ledger.
type Delivery struct {
	profile.Delivery
	Because string           // the rule's reason code; empty while nothing stopped it
	Record  *decision.Record // the decision, if one was made
	Claim   bool             // the decision was made at the claim, not at planning
	Outcome string           // the provider's words
}

// ClaimFor is how long a claim allows dispatch to begin. Only what can be handed
// over at once is claimed; whatever is not begun by then is offered a new slot.
const ClaimFor = 30 * time.Second

// GiveUp is how long a deferred message is tried again after a provider first asked
// for more time, as mail servers do. What it waited before, for a quiet hour or a
// cap, was our own doing and does not count.
const GiveUp = 72 * time.Hour

// run is one call of Apply: a private copy of the profile and what comes of it.
type run struct {
	*Program
	p      *profile.Profile
	now    event.Time
	origin event.Origin // of the entry: what follows from an import is an import
	eff    Effects
}

// Apply folds one entry into the profile p, which it does not change, and
// returns the profile that follows. Alarms that are due up to now fire first,
// each at its own instant. Repeated says that the history knows the event's id.
//
// The profile must be current: see [Program.Current].
func (pr *Program) Apply(p *profile.Profile, e *event.Event, now event.Time, repeated bool) (*profile.Profile, Effects) {
	r := &run{Program: pr, now: now, origin: e.Origin}
	if p.Owner == identity.Erased {
		r.buried(p, e)
		return p, r.eff
	}
	if !p.Owner.Zero() {
		if erasesHome(e) {
			return r.bury(p), r.eff
		}
		if e.Type == event.System && e.Name == event.Moved {
			return moved(p, e), r.eff
		}
		if e.Type == event.System && e.Name == event.Released {
			return released(p, e), r.eff
		}
		r.forward(p.Owner, e)
		return p, r.eff
	}
	own := *p
	r.p = &own
	// Alarms come first, those of this very instant too. The lane may have come to
	// them already, after an earlier entry of the same instant, or not yet, in a
	// replay: it must not matter.
	r.wake(now, 0)
	switch sees := p.Sees(e); {
	case sees == profile.SeenBefore, repeated:
		r.eff.Repeated = true
	case r.p.Born == 0 && e.Source == event.CatalogueSource && e.Trust == event.Own: // they left meanwhile
	case e.Type == event.System && event.Control(e.Name):
		r.obey(e)
	case e.Type == event.System && e.Name == event.ImportUndone:
		r.undo(e)
	default:
		r.hear(e)
	}
	r.settle()
	r.wake(now, now)
	return r.p, r.eff
}

// Wake fires the alarms of p that are due up to now, each at its own instant.
func (pr *Program) Wake(p *profile.Profile, now event.Time) (*profile.Profile, Effects) {
	own := *p
	r := &run{Program: pr, now: now, p: &own}
	r.wake(now, 0)
	return r.p, r.eff
}

// Current reports whether p was last evaluated under this program. If not, the
// caller reads its history and calls [Program.CatchUp] before anything else. A
// signpost is evaluated under none, and a home that nobody was born at yet is
// nobody: it is in no segment and enters no journey.
func (pr *Program) Current(p *profile.Profile) bool {
	return p.Program == pr.Hash || !p.Lives()
}

// forward sends an entry on to the owner of this home.
func (r *run) forward(to identity.ID, e *event.Event) {
	if e.Hops >= identity.MaxHops {
		r.eff.Quarantine = "forwarded too often: the homes of this customer's identifiers point in a circle"
		return
	}
	next := *e
	next.Hops++
	r.send(to, next)
}

// obey does what an entry of the product's own says.
func (r *run) obey(e *event.Event) {
	r.p.Remember(e)
	switch e.Name {
	case event.Claim:
		r.claimed(e)
	case event.Grant, event.Refuse:
		r.answered(e)
	case event.Rise:
		r.asked(e)
	case event.Strand:
		r.adopt(e)
	case event.Slot:
		r.slot(e)
	case event.Erase:
		r.erase(e)
	}
}

// hear folds in what the customer did, or what became of a message.
func (r *run) hear(e *event.Event) {
	if r.pries(e) {
		return
	}
	r.eff.Kept = true
	newborn := r.p.Born == 0
	if newborn {
		r.born(e)
	}
	r.claim(e)
	folded := r.p.Fold(e, r.now)
	r.eff.Refused, r.eff.Unfit = folded.Refused, folded.Unfit
	if folded.Consent && e.Name == event.ConsentChanged && releases(e) {
		for _, c := range r.p.Consents {
			if c.Granted && c.Proof == e.ID {
				r.eff.Granted = append(r.eff.Granted, c)
			}
		}
	}
	var touched condition.Touched
	if !folded.Repeated {
		r.p.Session = condition.Visit(r.p.Session, e)
		touched = r.Series.Fold(r.p, e, folded.Order, r.now)
	}
	touched.Traits, touched.Consent, touched.Reach = folded.Traits, folded.Consent, folded.Reach
	touched.Predictions, touched.Kept = append(folded.Predictions, r.forget()...), folded.Kept
	touched.Life = folded.Order != nil || len(r.p.Orders) == 0
	touched.Device, touched.Locale, touched.Zone = folded.Device, folded.Locale, folded.Zone
	if event.Receipt(e.Name) && r.receipt(e) {
		touched.Reach = true
	}
	touched.Place = r.locate(e, &folded)
	var changes []insight.Change
	if newborn {
		changes = r.Segments.All(r.p, r.now, false) // "has not ordered yet" is true of them from now on
	} else {
		changes = r.Segments.Touched(r.p, touched, r.now)
	}
	r.follow(r.Journeys.OnEvent(r.world(), e, r.note(changes)))
}

func (r *run) born(e *event.Event) {
	r.p.Born = r.now
	r.p.Program = r.Hash
	for _, id := range identity.Of(e) {
		id.Kind, id.Value = identity.Kind(strings.Clone(string(id.Kind))), strings.Clone(id.Value)
		if r.Key.Home(id) == r.p.ID {
			r.p.Birth = id
			r.p.Hold(profile.Held{Identifier: id, State: profile.Owned, At: r.now})
		}
	}
}
