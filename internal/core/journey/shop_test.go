package journey_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"rapport/internal/core/condition"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/insight"
	"rapport/internal/core/journey"
	"rapport/internal/core/profile"
	"rapport/internal/core/spec"
)

// shop is the smallest engine: it folds events, fires alarms at their instant,
// and lets every wish on its way unless the gate of the test says otherwise. It
// checks after every step what must always hold.
type shop struct {
	t    testing.TB
	p    *profile.Profile
	now  event.Time
	qs   *condition.Set
	set  *journey.Set
	zone *time.Location

	gate func(journey.Intent) profile.State // nil: everything is planned
	log  []string                           // "Mon 10:00 send welcome"
	seq  int

	sends bool // messages leave twelve hours after they were planned

	intents []journey.Intent
	recalls []journey.Recall
	facts   []event.Event
	traits  []journey.TraitUpdate
}

// monday is noon on Monday 2 March 2026, UTC.
var monday = event.At(time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC))

const (
	minute = time.Minute
	hour   = time.Hour
	days   = 24 * time.Hour
)

func zones(name string) *time.Location {
	loc, err := time.LoadLocation(name)
	if err != nil {
		return nil
	}
	return loc
}

func env(qs *condition.Set) *journey.Env {
	return &journey.Env{
		Conditions: &condition.Env{Set: qs, Segments: []string{"vip", "lapsed"}, Zones: zones},
		Channels:   []string{"email", "sms"},
	}
}

// parse reads a definition that must be right.
func parse(t testing.TB, qs *condition.Set, source string) *journey.Definition {
	t.Helper()
	var ps spec.Problems
	d := journey.Parse("test", flow(t, source), env(qs), &ps)
	if d == nil || ps.Bad() {
		t.Fatalf("the definition is wrong: %v", ps.All())
	}
	return d
}

// open opens a shop with journeys, without holdouts unless they name one.
func open(t testing.TB, sources ...string) *shop {
	t.Helper()
	s := &shop{t: t, qs: condition.NewSet(), now: monday, zone: time.UTC, p: profile.New(identity.ID{1})}
	var defs []*journey.Definition
	for _, source := range sources {
		d := parse(t, s.qs, source)
		if !strings.Contains(source, "holdout") {
			d.Holdout = 0
		}
		defs = append(defs, d)
	}
	s.set = journey.NewSet(defs, nil)
	return s
}

func (s *shop) world() *journey.World {
	p := *s.p
	return &journey.World{P: &p, Now: s.now, Zones: zones, DefaultZone: s.zone}
}

func (s *shop) note(format string, args ...any) {
	s.log = append(s.log, s.now.In(s.zone).Format("Mon 15:04 ")+fmt.Sprintf(format, args...))
}

// take does what an Out says, and lets the gate answer its wishes.
func (s *shop) take(w *journey.World, out journey.Out) {
	s.t.Helper()
	s.facts = append(s.facts, out.Facts...)
	s.traits = append(s.traits, out.Traits...)
	for _, f := range out.Facts {
		if f.Name == journey.StepReached {
			continue // each step tells one: the log of a test would be twice as long
		}
		why := f.Props.Text("why")
		if why != "" {
			why = ": " + why
		}
		if f.Name != journey.SplitTaken {
			s.note("%s%s", strings.TrimPrefix(f.Name, "Journey "), why)
		}
	}
	for _, r := range out.Recalls {
		s.recalls = append(s.recalls, r)
		i := slices.IndexFunc(w.P.Open, func(d profile.Delivery) bool { return d.ID == r.Delivery })
		if i < 0 {
			s.t.Fatalf("recalled a message that is not open: %v", r)
		}
		s.note("recall %s", w.P.Open[i].Template)
		w.P.Open = slices.Delete(slices.Clone(w.P.Open), i, i+1)
	}
	s.p = w.P
	for i := range out.Intents {
		in := out.Intents[i]
		if !s.set.Stands(s.p, &in) {
			continue
		}
		s.intents = append(s.intents, in)
		state := profile.Planned
		if s.gate != nil {
			state = s.gate(in)
		}
		if in.Withheld {
			state = profile.Withheld
		}
		id := profile.NameDelivery("w", in.Journey, in.Version, in.Step, in.Occurrence(), s.p.ID, in.Channel)
		w := s.world()
		if state.Open() {
			if slices.ContainsFunc(w.P.Open, func(d profile.Delivery) bool { return d.ID == id }) {
				s.t.Fatalf("two wishes have one delivery: %+v", in)
			}
			w.P.Open = append(slices.Clone(w.P.Open), profile.Delivery{
				ID: id, State: state, Class: in.Class, Channel: in.Channel, Journey: in.Journey, Version: in.Version, Step: in.Step,
				Key: in.Key, Template: in.Template, Planned: in.At, Expires: in.Expires, Props: in.Props,
			})
		}
		s.note("%s %s", state, in.Template)
		s.take(w, s.set.OnDecision(w, &in, id, state, "the gate said so"))
	}
	if stuck := s.set.Stuck(s.p); len(stuck) > 0 {
		s.t.Fatalf("stuck: %v", stuck)
	}
	for i := 1; i < len(s.p.Journeys); i++ {
		a, b := s.p.Journeys[i-1], s.p.Journeys[i]
		if a.Entered > b.Entered {
			s.t.Fatalf("instances are not in order of entry")
		}
	}
}

// hear hears an event now that happened now.
func (s *shop) hear(name string, props ...string) { s.t.Helper(); s.hearAt(s.now, name, props...) }

// hearAt hears an event now that happened at the instant.
func (s *shop) hearAt(at event.Time, name string, props ...string) {
	s.t.Helper()
	s.heard(s.event(at, name, props...))
}

func (s *shop) event(at event.Time, name string, props ...string) *event.Event {
	s.seq++
	var b event.Builder
	for i := 0; i+1 < len(props); i += 2 {
		b.SetText(props[i], props[i+1])
	}
	return &event.Event{ID: event.ID(fmt.Sprint("e", s.seq)), Type: event.Track, Name: name, At: at, Raw: at, Trust: event.Server, Props: b.Object()}
}

// heard hears the event, with changes of segments that it brought.
func (s *shop) heard(e *event.Event, changes ...insight.Change) {
	s.t.Helper()
	w := s.world()
	f := w.P.Fold(e, s.now)
	s.qs.Fold(w.P, e, f.Order, s.now)
	s.take(w, s.set.OnEvent(w, e, changes))
}

// says sets a trait.
func (s *shop) says(trait, value string) {
	s.t.Helper()
	e := s.event(s.now, "")
	e.Type, e.Traits = event.Identify, new(event.Builder).Set(trait, event.Text(value)).Object()
	s.heard(e)
}

// next returns the instant of the next alarm.
func (s *shop) next() event.Time {
	return min(s.set.Next(s.p), s.set.NextTrigger(s.world(), s.now))
}

// pass lets time pass; alarms fire at their instants.
func (s *shop) pass(d time.Duration) {
	s.t.Helper()
	to := s.now.Add(d)
	for n := 0; ; n++ {
		at := s.next()
		if at > to {
			break
		}
		if n > 2000 {
			s.t.Fatalf("alarms do not end at %s", s.now)
		}
		s.now = max(at, s.now)
		w := s.world()
		if s.sends {
			w.P.Open = slices.DeleteFunc(slices.Clone(w.P.Open), func(d profile.Delivery) bool { return d.Planned.Add(12*hour) <= s.now })
		}
		s.take(w, s.set.OnAlarm(w, nil))
	}
	s.now = to
	stored := string(s.p.Append(nil))
	if back, err := profile.Decode(stored); err != nil || string(back.Append(nil)) != stored {
		s.t.Fatalf("the profile does not come back as it was: %v", err)
	}
}

// want compares what happened so far and forgets it.
func (s *shop) want(lines ...string) {
	s.t.Helper()
	if !slices.Equal(s.log, lines) {
		s.t.Fatalf("happened:\n\t%s\nwant:\n\t%s", strings.Join(s.log, "\n\t"), strings.Join(lines, "\n\t"))
	}
	s.log = nil
}
