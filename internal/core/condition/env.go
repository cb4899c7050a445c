package condition

import (
	"slices"
	"time"

	"rapport/internal/core/money"
	atlas "rapport/internal/core/place"
)

// Env is the surroundings in which conditions of one program are parsed. It is
// used by one goroutine.
type Env struct {
	// Set is where the series are registered; it must not be nil.
	Set *Set
	// Segments are the names that a condition may refer to.
	Segments []string
	// Lists are the names of lists that are kept by hand.
	Lists []string
	// Currency is the workspace's; sums of money count it. Empty: a sum counts
	// only observations that name no currency.
	Currency money.Currency
	// Zone is the workspace's: absolute dates in questions about events begin
	// there. nil: UTC.
	Zone *time.Location
	// Zones returns the zone of an IANA name, nil if there is none; for
	// evaluating segments. nil: every customer is in Zone.
	Zones func(name string) *time.Location
	// Around is a hash of every definition but the segments' own that a condition may
	// rest on: conditions that are written alike and have it alike are alike. Zero: it
	// is not known.
	Around uint64
	// Properties says whether there is a triggering event to ask about: inside
	// journeys, not in segments.
	Properties bool

	// Known is what models say and what was heard; nil: it is not asked.
	Known *Known

	// Scores are the scores and affinities that a condition may refer to; see
	// [ParseScores]. nil: there are none.
	Scores *Scores

	spelt  map[string]spelt // names of events that were not heard, by their small letters
	scores *scoreParser
	traits []*Computed
	// Places are the stores and fences that a condition may name; nil: none.
	Places *atlas.Map

	hidden []Hidden
	listen func(Hidden)
}

// Hidden is a segment that nobody named: a condition that has a memory needs to
// know since when its inner condition is true, so that one becomes a segment.
type Hidden struct {
	Name string // begins with [HiddenPrefix]; equal conditions have equal names
	Cond *Cond
}

// HiddenPrefix begins the names of hidden segments. No other segment may begin
// with it.
const HiddenPrefix = "~"

// OnHidden hands every hidden segment to f: those that were registered before,
// at once and in order, and those of conditions that are parsed later as they
// come. A hidden segment refers only to named segments and to hidden ones that
// were handed over before it.
func (e *Env) OnHidden(f func(Hidden)) {
	e.listen = f
	for _, h := range e.hidden {
		f(h)
	}
}

func (e *Env) hide(h Hidden) {
	if slices.ContainsFunc(e.hidden, func(o Hidden) bool { return o.Name == h.Name }) {
		return
	}
	e.hidden = append(e.hidden, h)
	if e.listen != nil {
		e.listen(h)
	}
}

func (e *Env) zone() *time.Location {
	if e.Zone == nil {
		return time.UTC
	}
	return e.Zone
}
