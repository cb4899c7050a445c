package condition

import (
	"strconv"
	"strings"
	"time"

	"rapport/internal/core/event"
)

// operator is how a value is compared.
type operator uint8

const (
	opIn       operator = iota // equal to one of the literals: is, in
	opExists                   // there, and not null
	opContains                 // text within the text; of a list, an item
	opStarts
	opEnds
	opMore    // > the number
	opAtLeast // ≥
	opLess    // <
	opAtMost  // ≤
	opBefore  // an instant before the date
	opAfter   // an instant after the date
)

// literal is a value as a definition writes it.
type literal struct {
	kind event.Kind // Number, String, True or False
	text string
	num  float64
}

// date is an absolute date in a definition: a calendar day, or an instant.
type date struct {
	at         event.Time // if it is an instant
	y          int
	m          time.Month
	d          int
	isDay      bool
	definition string // as written
}

// from returns the first instant of the date in the zone.
func (d *date) from(loc *time.Location) event.Time {
	if d.isDay {
		return dayStart(loc, d.y, d.m, d.d)
	}
	return d.at
}

// upto returns the first instant after the date in the zone; of an instant,
// itself.
func (d *date) upto(loc *time.Location) event.Time {
	if d.isDay {
		return dayStart(loc, d.y, d.m, d.d+1)
	}
	return d.at
}

// match compares one value. A property that holds a list matches if one of its
// items does. The opposite operators (is_not, not_in, exists: false) are the
// positive ones with not set, so a value that is missing is not in any list.
type match struct {
	op   operator
	not  bool
	lits []literal
	text string
	num  float64
	date date
}

// holds reports whether a value that was looked up matches.
func (m *match) holds(v event.Value, found bool, loc *time.Location) bool {
	return (found && m.one(v, loc)) != m.not
}

// one applies the positive operator.
func (m *match) one(v event.Value, loc *time.Location) bool {
	if v.Kind == event.List && m.op != opExists {
		for item := range v.Items {
			if m.one(item, loc) {
				return true
			}
		}
		return false
	}
	switch m.op {
	case opExists:
		return v.Kind != event.Null
	case opIn:
		for i := range m.lits {
			if m.lits[i].equals(v) {
				return true
			}
		}
		return false
	case opContains:
		return textual(v) && strings.Contains(v.Raw, m.text)
	case opStarts:
		return textual(v) && strings.HasPrefix(v.Raw, m.text)
	case opEnds:
		return textual(v) && strings.HasSuffix(v.Raw, m.text)
	case opBefore:
		at, ok := instantOf(v, loc)
		return ok && at < m.date.from(loc)
	case opAfter:
		at, ok := instantOf(v, loc)
		return ok && (at >= m.date.upto(loc) && m.date.isDay || at > m.date.at && !m.date.isDay)
	}
	if !textual(v) {
		return false
	}
	f, ok := v.Float()
	if !ok {
		return false
	}
	switch m.op {
	case opMore:
		return f > m.num
	case opAtLeast:
		return f >= m.num
	case opLess:
		return f < m.num
	case opAtMost:
		return f <= m.num
	}
	return false
}

func textual(v event.Value) bool { return v.Kind == event.String || v.Kind == event.Number }

// equals compares as the definition is written: a number with a number, also one
// that was sent as text; a text with the text; a bool with a bool or its word.
func (l *literal) equals(v event.Value) bool {
	switch l.kind {
	case event.Number:
		if !textual(v) {
			return false
		}
		if v.Raw == l.text {
			return true
		}
		if len(l.text) > exactDigits || len(v.Raw) > exactDigits {
			return false // a long number is an id; as a float its last digits would be lost
		}
		f, ok := v.Float()
		return ok && f == l.num
	case event.String:
		return textual(v) && v.Raw == l.text
	case event.True, event.False:
		return v.Kind == l.kind || v.Kind == event.String && v.Raw == l.text
	}
	return false
}

// exactDigits is how many digits a float holds without loss.
const exactDigits = 15

// canon returns the match in one way of writing.
func (m *match) canon() string {
	b := strconv.AppendInt(nil, int64(m.op), 10)
	if m.not {
		b = append(b, '!')
	}
	for i := range m.lits {
		b = append(strconv.AppendInt(append(b, ' '), int64(m.lits[i].kind), 10), ':')
		b = strconv.AppendQuote(b, m.lits[i].text)
	}
	switch m.op {
	case opContains, opStarts, opEnds:
		b = strconv.AppendQuote(append(b, ' '), m.text)
	case opMore, opAtLeast, opLess, opAtMost:
		b = strconv.AppendFloat(append(b, ' '), m.num, 'g', -1, 64)
	case opBefore, opAfter:
		b = strconv.AppendQuote(append(b, ' '), m.date.definition)
	}
	return string(b)
}

// filter is a match on a property of an event.
type filter struct {
	path string
	match
	zone *time.Location // in which dates without a time stand
}

func (f *filter) canon() string {
	return strconv.Quote(f.path) + " " + f.match.canon() + " " + f.zoneName()
}

// zoneName returns the zone if the answer depends on it.
func (f *filter) zoneName() string {
	if f.op == opBefore || f.op == opAfter {
		return f.zone.String()
	}
	return ""
}

// holds reports whether the event has such a property.
func (f *filter) holds(e *event.Event, order *event.Order) bool {
	if v, ok := pseudo(f.path, order); ok {
		return f.match.holds(v, true, f.zone)
	}
	if v, ok := around(f.path, e); ok {
		return f.match.holds(v, true, f.zone)
	}
	return f.in(e.Props)
}

// around returns what an event's surroundings say where its properties do not: the
// class of the device, and the channel of the shop that it came by.
func around(path string, e *event.Event) (event.Value, bool) {
	if path != "device" && path != "channel" {
		return event.Value{}, false
	}
	if _, said := e.Props.Get(path); said {
		return event.Value{}, false
	}
	if path == "device" {
		path = "device.type"
	}
	return e.Context.Get(path)
}

// in reports whether the properties match.
func (f *filter) in(props event.Object) bool {
	any := !each(props, f.path, func(v event.Value) bool { return !f.one(v, f.zone) })
	return any != f.not
}
