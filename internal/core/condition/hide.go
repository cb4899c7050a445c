package condition

import (
	"strconv"

	"rapport/internal/core/spec"
)

// Hide compiles a condition and makes it a hidden segment, so that whoever named
// it hears when it begins and ceases to be true. It returns the segment's name;
// empty if something is wrong with the condition, which is then in ps.
func Hide(n spec.Node, env *Env, ps *spec.Problems) string {
	properties := env.Properties
	env.Properties = false // a hidden segment lives on when the trigger is gone
	cond := Parse(n, env, ps)
	env.Properties = properties
	if cond == nil {
		return ""
	}
	name := hiddenName(cond)
	env.hide(Hidden{name, cond})
	return name
}

// hiddenName is the name of a hidden segment: of what it asks.
func hiddenName(c *Cond) string {
	return HiddenPrefix + strconv.FormatUint(SegmentKey(c.Canonical()), 16)
}
