package journey

import (
	"fmt"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/insight"
	"rapport/internal/core/profile"
)

// World is what a journey sees of one customer at one instant. P is the caller's
// own shallow copy; its Journeys, Past and Traits are replaced when they change.
type World struct {
	P           *profile.Profile
	Now         event.Time
	Zones       func(name string) *time.Location // nil for a name that is no time zone
	DefaultZone *time.Location                   // the shop's; nil: UTC

	// Watch is told what a walk looks at, for whoever tries a journey before it is in
	// force. It changes nothing. nil, as everywhere else: nobody is told.
	Watch func(Glance)
}

// zone returns the customer's time zone, the shop's if it is not known.
func (w *World) zone() *time.Location {
	if w.P.Zone != "" && w.Zones != nil {
		if loc := w.Zones(w.P.Zone); loc != nil {
			return loc
		}
	}
	if w.DefaultZone != nil {
		return w.DefaultZone
	}
	return time.UTC
}

// Out is what a walk leads to. The profile in [World] has changed already.
type Out struct {
	Intents []Intent      // wishes to speak, for the gate; tell [Set.OnDecision] its answers in this order
	Recalls []Recall      // messages that wait and are no longer wanted
	Traits  []TraitUpdate // traits that were set in the profile: what mentions them must be asked again
	Facts   []event.Event // for the feed; they are not applied
}

// Recall names a message that waits and is no longer wanted.
type Recall struct {
	Delivery profile.DeliveryID
	Journey  string
	Key      string
	Why      string // a sentence without a full stop
}

// TraitUpdate is a trait that an update step has set.
type TraitUpdate struct {
	Journey string
	Step    string
	Name    string
	Value   event.Value
	At      event.Time
}

// Set holds the journeys of one program and the older versions that people are
// still inside. It is immutable; the zero Set and a nil Set hold none.
type Set struct {
	current  []*Definition
	byName   map[string]*Definition
	versions map[versionKey]*Definition

	byEvent   map[string][]entry // triggers by the name of the event
	bySegment map[string][]entry
	timed     []entry // dates and schedules
}

type versionKey struct {
	journey string
	version uint64
}

// entry is one trigger of a definition in force.
type entry struct {
	d *Definition
	t *Trigger
}

// NewSet returns the set of the definitions in force and of the older ones that
// people may still be inside. Of two definitions in force with one name the
// first counts; the program refuses such a pair.
func NewSet(current, older []*Definition) *Set {
	s := &Set{
		byName: map[string]*Definition{}, versions: map[versionKey]*Definition{},
		byEvent: map[string][]entry{}, bySegment: map[string][]entry{},
	}
	for _, d := range older {
		s.versions[versionKey{d.Name, d.Version}] = d
	}
	for _, d := range current {
		if s.byName[d.Name] != nil {
			continue
		}
		s.current = append(s.current, d)
		s.byName[d.Name] = d
		s.versions[versionKey{d.Name, d.Version}] = d
		for i := range d.Triggers {
			t := &d.Triggers[i]
			switch {
			case t.Event != nil:
				for _, name := range t.Event.names {
					s.byEvent[name] = append(s.byEvent[name], entry{d, t})
				}
			case t.Service != "": // see enterByRequest
			case t.Segment != "":
				s.bySegment[t.Segment] = append(s.bySegment[t.Segment], entry{d, t})
			default:
				s.timed = append(s.timed, entry{d, t})
			}
		}
	}
	return s
}

// Definitions returns the definitions in force, in the order given to [NewSet].
func (s *Set) Definitions() []*Definition {
	if s == nil {
		return nil
	}
	return s.current
}

// Definition returns the definition in force of the name; nil if there is none.
func (s *Set) Definition(name string) *Definition {
	if s == nil {
		return nil
	}
	return s.byName[name]
}

// Version returns the definition of a journey in a version, in force or older;
// nil if the set does not hold it.
func (s *Set) Version(journey string, version uint64) *Definition {
	if s == nil {
		return nil
	}
	return s.versions[versionKey{journey, version}]
}

// OnEvent moves the customer on after the event was folded into the profile.
// The changes are those of segments that the event brought.
func (s *Set) OnEvent(w *World, e *event.Event, changes []insight.Change) Out {
	if s == nil || len(w.P.Journeys) == 0 && len(w.P.Open) == 0 && len(changes) == 0 && len(s.byEvent[e.Name]) == 0 && e.Name != event.ServiceAsked {
		return Out{}
	}
	r := s.begin(w)
	r.e = e
	r.late = max(0, w.Now.Sub(e.At))
	r.leaveAll()
	r.waits()
	r.wakes()
	if e.Origin == event.Live && !w.P.Hot() {
		r.enterByRequest(e)
		r.enterByEvent(e)
		r.enterBySegment(changes)
	}
	return r.finish()
}

// OnAlarm moves the customer on at an instant that [Set.Next] or
// [Set.NextTrigger] named, or at which segments changed by themselves. w.Now is
// the instant that was due, however late it is come to.
func (s *Set) OnAlarm(w *World, changes []insight.Change) Out {
	if s == nil || len(w.P.Journeys) == 0 && len(w.P.Open) == 0 && len(changes) == 0 && len(s.timed) == 0 {
		return Out{}
	}
	r := s.begin(w)
	r.leaveAll()
	r.waits()
	r.wakes()
	if !w.P.Hot() {
		r.enterBySegment(changes)
		r.enterByTime()
	}
	return r.finish()
}

// Next returns the earliest instant at which a live instance goes on, or must be
// looked at, by itself; event.Never if none does.
func (s *Set) Next(p *profile.Profile) event.Time {
	next := event.Never
	for i := range p.Journeys {
		next = min(next, p.Journeys[i].Wake, p.Journeys[i].Check)
	}
	return next
}

// NextTrigger returns the earliest instant after the given one at which a date
// or a schedule may let the customer in; event.Never if there is none. Nothing
// of it is stored: the dates stand in the traits, the rules in the definitions.
func (s *Set) NextTrigger(w *World, after event.Time) event.Time {
	next := event.Never
	if s == nil || w.P.Hot() {
		return next
	}
	for _, en := range s.timed {
		next = min(next, en.t.next(w, after))
	}
	return next
}

// Stuck returns a sentence for each live instance that can never go on: it has
// no wake-up and waits for no event. It is empty, unless this package is wrong
// or the definition of an instance was lost.
func (s *Set) Stuck(p *profile.Profile) []string {
	var found []string
	for i := range p.Journeys {
		in := &p.Journeys[i]
		d := s.Version(in.Journey, in.Version)
		say := func(why string) {
			found = append(found, fmt.Sprintf("%s, key %q, at step %q since %s: %s", in.Journey, in.Key, in.Step, in.Since, why))
		}
		if d == nil {
			say("no definition has its version")
			continue
		}
		at := d.step(in.Step)
		switch {
		case at < 0:
			say("the definition has no such step")
		case in.Wake != event.Never:
		case d.steps[at].kind == WaitFor && d.steps[at].await.hears():
		case d.steps[at].kind == WaitFor && in.Check != event.Never:
		default:
			say("it has no wake-up and waits for no event")
		}
	}
	return found
}
