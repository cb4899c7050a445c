package condition

import (
	"slices"
	"strings"

	"rapport/internal/core/spec"
)

// Known is what there is outside of the definitions that a condition may name. It is
// asked when definitions are checked, and not when those in force are compiled
// again: they stay in force whatever has become of a model since.
type Known struct {
	// Predictions are the names of everything that models say; one that ends in a dot
	// begins the names of many. Another name is a mistake. nil: none is.
	Predictions []string
	// Events are the names of the events that were heard. Another name, unless it is
	// one of the retail spec, gives a warning. Empty: nothing was heard, and none does.
	Events []string
}

// prediction checks the name of a prediction.
func (p *parser) prediction(v spec.Node, name string) bool {
	k := p.env.Known
	if k == nil || k.Predictions == nil {
		return true
	}
	for _, known := range k.Predictions {
		many := strings.HasSuffix(known, ".")
		if !many && name == known || many && strings.HasPrefix(name, known) && name != known {
			return true
		}
	}
	listed := make([]string, 0, len(k.Predictions))
	for _, known := range k.Predictions {
		if strings.HasSuffix(known, ".") {
			known += "…"
		}
		listed = append(listed, known)
	}
	slices.Sort(listed)
	p.fail(v.Pos, Nearest(name, k.Predictions), "no model says %q; there are %s", name, strings.Join(listed, ", "))
	return false
}

// CheckEvent warns of the name of an event that is probably a slip of the pen: nearly
// one of the retail spec, or one that was never heard. It serves every reader of
// definitions.
func (e *Env) CheckEvent(at spec.Pos, name string, ps *spec.Problems) {
	if slices.Contains(retail, name) {
		return
	}
	var heard []string
	if e.Known != nil {
		heard = e.Known.Events
	}
	if slices.Contains(heard, name) {
		return
	}
	if near := misspelt(name); near != "" {
		ps.Warn(at, near, "no event of the retail spec is called %q, but one is nearly", name)
		return
	}
	if len(heard) == 0 {
		e.alike(at, name, ps)
		return
	}
	for _, h := range heard { // in other letters is nearer than any slip
		if strings.EqualFold(h, name) {
			ps.Warn(at, h, "no event called %q was heard yet, so nobody has done it; one in other letters was", name)
			return
		}
	}
	ps.Warn(at, Nearest(name, heard), "no event called %q was heard yet, so nobody has done it", name)
}

// spelt is how the definitions write the name of an event, and where they do first.
type spelt struct {
	name string
	at   spec.Pos
}

// alike warns of a name that the definitions write in other letters elsewhere: the one or
// the other is never heard. It is for when nothing was heard that could tell which.
func (e *Env) alike(at spec.Pos, name string, ps *spec.Problems) {
	if e.Known == nil {
		return
	}
	key := strings.ToLower(name)
	first, known := e.spelt[key]
	switch {
	case !known:
		if e.spelt == nil {
			e.spelt = map[string]spelt{}
		}
		e.spelt[key] = spelt{name, at}
	case first.name != name:
		ps.Warn(at, first.name, "the event %q is called otherwise at %s, and names are compared letter by letter", name, first.at)
	}
}
