package condition

import (
	"strings"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/profile"
	"rapport/internal/core/spec"
	"rapport/internal/core/wire"
)

// Cond is a compiled condition. It is immutable and may be used by many
// goroutines at once. [Parse] makes it.
type Cond struct {
	root node
	deps Deps
	pos  spec.Pos
}

// Context is what a condition is asked about.
type Context struct {
	P   *profile.Profile
	Now event.Time

	// Zones returns the zone of an IANA name, nil if there is none. It is called
	// for profiles that have a zone of their own and must answer fast.
	Zones       func(name string) *time.Location
	DefaultZone *time.Location // of customers without a zone; nil: UTC

	Props   event.Object // properties of the triggering event, inside journeys
	Explain bool         // whether the verdict says why; this allocates
}

// Verdict is the answer to a condition at one instant.
type Verdict struct {
	True    bool
	Until   event.Time // > now: before it the answer stays, unless an event changes it; event.Never
	Because []Reason   // what made it so; only if the [Context] asks to explain
}

// node is one question of the tree. It is handed the context by value, since what is
// handed to an interface by its address lies on the heap, and this is asked some ten
// times with each event.
type node interface {
	// eval answers at c.Now. The instant is a lower bound > c.Now on the next change.
	eval(c Context) (bool, event.Time)
	// because appends what makes the answer what it is.
	because(c Context, out *[]Reason)
	// mention notes what the question looks at.
	mention(d *Deps)
	// words returns the question, or its opposite, as the predicate of a sentence.
	words(not bool) string
	// canon writes the question so that equal questions are written equally.
	canon(b *strings.Builder)
}

// Eval answers the condition. It allocates nothing unless it explains.
func (q *Cond) Eval(c *Context) Verdict {
	is, until := q.root.eval(*c)
	if until <= c.Now {
		// No node may say so. Should one do, an alarm must still move on.
		until = c.Now + 1
	}
	v := Verdict{True: is, Until: until}
	if c.Explain {
		v.Because = q.reasons(*c)
	}
	return v
}

// reasons stands apart so that its list is made only where it is asked for.
func (q *Cond) reasons(c Context) []Reason {
	var list []Reason
	q.root.because(c, &list)
	return list
}

// Deps returns what the condition looks at. The caller must not change it.
func (q *Cond) Deps() *Deps { return &q.deps }

// Sentence returns the condition as the predicate of an English sentence, such
// as "viewed a product in 3 or more sessions in the last 14 days".
func (q *Cond) Sentence() string { return q.root.words(false) }

// Pos returns where the condition stands in its definition.
func (q *Cond) Pos() spec.Pos { return q.pos }

// Canonical returns the condition in one way of writing: two conditions with the
// same text ask the same.
func (q *Cond) Canonical() string {
	var b strings.Builder
	q.root.canon(&b)
	return b.String()
}

// SegmentKey returns the key under which a profile keeps its membership of the
// segment.
func SegmentKey(name string) uint64 { return wire.Hash(name) }

func newCond(root node, pos spec.Pos) *Cond {
	q := &Cond{root: root, pos: pos}
	root.mention(&q.deps)
	q.deps.tidy()
	return q
}

// zone returns the customer's zone.
func (c Context) zone() *time.Location {
	if c.P.Zone != "" && c.Zones != nil {
		if loc := c.Zones(c.P.Zone); loc != nil {
			return loc
		}
	}
	if c.DefaultZone != nil {
		return c.DefaultZone
	}
	return time.UTC
}

// plus returns t + d; what lies beyond the end of time is never.
func plus(t, d event.Time) event.Time {
	if t == event.Never || d == event.Never {
		return event.Never
	}
	if s := t + d; (s > t) == (d > 0) {
		return s
	}
	return event.Never
}

// span returns a duration in the unit of event.Time.
func span(d time.Duration) event.Time { return event.Time(d.Milliseconds()) }
