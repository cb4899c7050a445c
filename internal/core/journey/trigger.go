package journey

import (
	"strconv"
	"time"

	"rapport/internal/core/condition"
	"rapport/internal/core/event"
	"rapport/internal/core/wire"
)

// Trigger is what lets customers in. Exactly one of Event, Segment, Date,
// Schedule and Service is set.
type Trigger struct {
	Event *match
	Key   string // path in the event's properties whose value names the instance; empty: one instance

	Segment string
	Leave   bool   // on leaving the segment; else on entering
	Fence   string // the segment is a hidden one: who is in the fence
	Life    string // the segment is a hidden one: who is in these stages of life
	From    string // with Life: the hidden segment that is left at the same instant; empty: any other stage
	before  string // the stages of From, in words

	Date   string // a trait that holds a date
	Offset int    // days before (negative) or after it
	At     clockTime
	Once   bool // only in the date's own year; else every year

	Schedule *Schedule

	Service string // the service message that the shop's back end asks for by this name
}

// String returns the trigger in words: "Order Completed", "enters vip".
func (t *Trigger) String() string {
	switch {
	case t.Event != nil:
		return t.Event.String()
	case t.Service != "":
		return "asked for by the API"
	case t.Fence != "" && t.Leave:
		return "leaves the fence " + t.Fence
	case t.Fence != "":
		return "comes into the fence " + t.Fence
	case t.Life != "" && t.From != "":
		return "becomes " + t.Life + " from " + t.before
	case t.Life != "":
		return "becomes " + t.Life
	case t.Segment != "" && t.Leave:
		return "leaves " + t.Segment
	case t.Segment != "":
		return "enters " + t.Segment
	case t.Date != "" && t.Offset < 0:
		return strconv.Itoa(-t.Offset) + " days before " + t.Date
	case t.Date != "" && t.Offset > 0:
		return strconv.Itoa(t.Offset) + " days after " + t.Date
	case t.Date != "":
		return "on " + t.Date
	}
	return t.Schedule.Source
}

// key returns the key of an instance that the event opens.
func (t *Trigger) key(props event.Object) string {
	if t.Key == "" {
		return ""
	}
	v, ok := dig(event.Nested(props), t.Key)
	if !ok || v.Kind != event.String && v.Kind != event.Number {
		return ""
	}
	if len(v.Raw) > MaxKey {
		return "#" + strconv.FormatUint(wire.Hash(v.Raw), 16)
	}
	return v.Raw
}

// next returns the first occurrence of a date or a schedule after the instant.
func (t *Trigger) next(w *World, after event.Time) event.Time {
	if t.Schedule != nil {
		return t.Schedule.next(after, w.zone())
	}
	v, ok := w.P.Trait(t.Date)
	if !ok {
		return event.Never
	}
	loc := w.zone()
	var y, dom int
	var m time.Month
	switch at, d, exact, ok := instant(v); {
	case ok && exact:
		y, m, dom = dayOf(at, loc).Date()
	case ok:
		y, m, dom = d.Date()
	case v.Kind == event.String:
		if _, m, dom, ok = parseDate(v.Raw); !ok {
			return event.Never
		}
	default:
		return event.Never
	}
	if t.Once {
		if y == 0 {
			return event.Never // a day of a month in no year
		}
		if at := (date(y, m, dom) + day(t.Offset)).at(t.At, loc); at > after {
			return at
		}
		return event.Never
	}
	now, _, _ := (dayOf(after, loc) - day(t.Offset)).Date()
	for year := now - 1; year <= now+1; year++ {
		if at := (anniversary(year, m, dom) + day(t.Offset)).at(t.At, loc); at > after {
			return at
		}
	}
	return event.Never // unreachable: the anniversary of the year after next is later
}

// match recognises an event by name and properties.
type match struct {
	names []string
	where *condition.Cond // on the event's own properties; nil: any
	whole *condition.Cond // the same as a question about the whole history; nil: never asked
}

// Names returns the names of the events.
func (m *match) Names() []string { return m.names }

// String returns the names of the events.
func (m *match) String() string {
	s := ""
	for i, name := range m.names {
		if i > 0 {
			s += " or "
		}
		s += name
	}
	if m.where != nil {
		s += " (" + m.where.Sentence() + ")"
	}
	return s
}

// named reports whether e is called so. What a machine opened or clicked is not:
// a scanner must not move a customer on.
func (m *match) named(e *event.Event) bool {
	if (e.Name == event.MessageOpened || e.Name == event.MessageClicked) && e.Props.Text("actor") == "machine" {
		return false
	}
	for _, name := range m.names {
		if name == e.Name {
			return true
		}
	}
	return false
}

// context returns the surroundings of a condition about the customer.
func (w *World) context(props event.Object) condition.Context {
	return condition.Context{P: w.P, Now: w.Now, Zones: w.Zones, DefaultZone: w.DefaultZone, Props: props}
}
